"""What rules every campaign at once: the switch, the mode marker, global pacing, the agents' reports."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class DialingControl(models.Model):
    """The one row that every dial intent locks: the kill switch, the mode, the global limits."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    mode = models.CharField(
        max_length=10, blank=True, help_text=_("Which DIALING mode this database belongs to.")
    )
    stopped = models.BooleanField(default=False, help_text=_("While on, nobody is dialled."))
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.CharField(max_length=150, blank=True)
    stop_reason = models.CharField(max_length=300, blank=True)
    calls_per_second = models.FloatField(default=1.0, validators=[MinValueValidator(0.01)])
    max_open_calls = models.PositiveIntegerField(default=50, validators=[MinValueValidator(1)])

    model_budget = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_("Calls that the models' rate limits carry at once, as last measured; empty: not known."),
    )
    model_budget_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(name="dialing_control_is_one_row", condition=Q(id=1))]
        permissions = [("use_kill_switch", "Can stop and resume all dialing")]

    def __str__(self) -> str:
        return "dialing control"


class PacingBucket(models.Model):
    """A token bucket per scope ("global", "campaign:7"), exact across workers because it is a row."""

    scope = models.CharField(max_length=40, primary_key=True)
    tokens = models.FloatField()
    refilled_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.scope


class AgentWorker(models.Model):
    """An agent worker's last report: its places, and the calls it holds."""

    worker_id = models.CharField(max_length=64, primary_key=True)
    places = models.PositiveSmallIntegerField()
    free = models.PositiveSmallIntegerField()
    calls = ArrayField(models.UUIDField(), default=list)
    draining = models.BooleanField(default=False)
    reported_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.worker_id


class CheckStatus(models.TextChoices):
    OK = "ok", _("In order")
    WARN = "warn", _("Worth a look")
    FAIL = "fail", _("Stands in the way")
    SKIPPED = "skipped", _("Not checked")


class CheckResult(models.Model):
    """What `manage.py doctor` last found under one name; the pages read it here."""

    name = models.CharField(max_length=60, primary_key=True)
    area = models.CharField(max_length=20)
    status = models.CharField(max_length=7, choices=CheckStatus.choices)
    finding = models.TextField(help_text=_("What was found, in a sentence."))
    remedy = models.TextField(blank=True, help_text=_("What to do."))
    page = models.URLField(max_length=300, blank=True, help_text=_("The page to open."))
    checked_at = models.DateTimeField()

    class Meta:
        permissions = [("run_checks", "Can run the checks of the accounts and servers")]

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"
