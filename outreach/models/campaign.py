"""Campaigns and the words of Alex that they use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outreach.domain import campaign_term, defaults
from outreach.domain.standing import CallKind
from outreach.models.history import EditHistory


def default_call_window() -> dict[str, Any]:
    return {day: [list(i) for i in spans] for day, spans in defaults.CALL_WINDOW.items()}


def default_callback_window() -> dict[str, Any]:
    return {day: [list(i) for i in spans] for day, spans in defaults.CALLBACK_WINDOW.items()}


def default_retry_policy() -> dict[str, Any]:
    return {ending: dict(backoff) for ending, backoff in defaults.RETRY_POLICY.items()}


class ScriptVersion(models.Model):
    """The words of Alex at one moment; never edited once a call has used it, only succeeded."""

    name = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    body = models.TextField(
        help_text=_("Markdown with one section per stage; {placeholders} are filled per person.")
    )
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="script_one_row_per_version"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class CampaignState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused by a person")
    HELD = "held", _("Held by the system")
    FINISHED = "finished", _("Finished")


class CanaryState(models.TextChoices):
    NONE = "none", _("No canary")
    RUNNING = "running", _("Canary is being called")
    WAITING = "waiting", _("Waiting for an operator's go")
    PASSED = "passed", _("An operator said go")


class Campaign(models.Model):
    """Calling hours, retry policy, pacing, caller IDs, consent basis and facts of one campaign."""

    name = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=10, choices=CampaignState.choices, default=CampaignState.DRAFT.value)
    state_reason = models.CharField(max_length=300, blank=True, help_text=_("Why it is held or paused."))
    state_changed_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("When the first of several holds that end by themselves began; empty: there was none."),
    )
    release_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the system lifts its own hold; empty: a person must.")
    )
    script = models.ForeignKey(ScriptVersion, on_delete=models.PROTECT, related_name="campaigns")

    company = models.CharField(max_length=120, help_text=_("Named in Alex's first sentence."))
    platform = models.CharField(max_length=120, help_text=_("What people are invited to join."))
    platform_facts = models.TextField(help_text=_("What Alex may say about the platform, one fact a line."))
    callback_number = models.CharField(
        max_length=16, blank=True, help_text=_("A number that answers; said in a voicemail.")
    )
    caller_ids = ArrayField(models.CharField(max_length=16), help_text=_("Numbers we call from, E.164."))
    default_country = models.CharField(
        max_length=2, help_text=_("For numbers without a country prefix: ISO 3166, e.g. US.")
    )

    asks_for = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        help_text=_('Fields to read out of each conversation: [{"name": …, "question": …}].'),
    )

    starts_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Nobody is called before; empty: as soon as it is started.")
    )
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Finished then by itself; promised callbacks are still kept.")
    )
    keeps_callbacks = models.BooleanField(
        default=True,
        db_default=True,
        help_text=_("Whether promised callbacks are still made once it is finished."),
    )
    notify = models.EmailField(
        blank=True, db_default="", help_text=_("Who is told of people who are interested.")
    )
    notify_daily = models.BooleanField(
        default=False, db_default=False, help_text=_("Once a day instead of at once.")
    )
    heard_script = models.ForeignKey(
        ScriptVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="heard_by",
        help_text=_("The version that an operator has last heard on their own phone."),
    )

    call_window = models.JSONField(default=default_call_window)
    callback_window = models.JSONField(default=default_callback_window)
    skip_public_holidays = models.BooleanField(default=True)
    retry_policy = models.JSONField(default=default_retry_policy)
    max_attempts = models.PositiveSmallIntegerField(
        default=defaults.MAX_ATTEMPTS, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    max_attempts_a_day = models.PositiveSmallIntegerField(
        default=defaults.MAX_ATTEMPTS_A_DAY, validators=[MinValueValidator(1)]
    )
    max_attempts_a_day_after_busy = models.PositiveSmallIntegerField(
        default=defaults.MAX_ATTEMPTS_A_DAY_AFTER_BUSY, validators=[MinValueValidator(1)]
    )
    min_gap_hours = models.PositiveSmallIntegerField(default=defaults.MIN_GAP_HOURS)
    max_attempts_in_30_days = models.PositiveSmallIntegerField(
        default=defaults.MAX_ATTEMPTS_IN_30_DAYS, validators=[MinValueValidator(1)]
    )
    quiet_days_after_no = models.PositiveSmallIntegerField(
        default=defaults.QUIET_DAYS_AFTER_NO, validators=[MinValueValidator(60)]
    )

    ring_timeout = models.PositiveSmallIntegerField(
        default=defaults.RING_TIMEOUT,
        help_text=_("Seconds."),
        validators=[MinValueValidator(5), MaxValueValidator(120)],
    )
    max_duration = models.PositiveSmallIntegerField(
        default=defaults.MAX_DURATION,
        help_text=_("Seconds of talk."),
        validators=[MinValueValidator(30), MaxValueValidator(3600)],
    )
    silence = models.FloatField(
        default=defaults.SILENCE,
        help_text=_("Seconds without an answer before Alex asks."),
        validators=[MinValueValidator(0.5)],
    )
    leave_voicemail = models.BooleanField(default=False, help_text=_("Once per person, at most 20 seconds."))

    calls_per_second = models.FloatField(
        default=defaults.CALLS_PER_SECOND, validators=[MinValueValidator(0.01), MaxValueValidator(100)]
    )
    max_open_calls = models.PositiveIntegerField(
        default=defaults.MAX_OPEN_CALLS, validators=[MinValueValidator(1)]
    )
    canary_size = models.PositiveSmallIntegerField(default=defaults.CANARY_SIZE)
    canary_state = models.CharField(
        max_length=10, choices=CanaryState.choices, default=CanaryState.NONE.value
    )

    unready_streak = models.PositiveSmallIntegerField(
        default=0, help_text=_("Calls in a row for which no agent became ready.")
    )
    refused_streak = models.PositiveSmallIntegerField(
        default=0, help_text=_("Calls in a row that the carrier refused for a reason of ours.")
    )
    created_at = models.DateTimeField()

    history = EditHistory()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="campaign_held_has_reason", condition=~Q(state="held") | ~Q(state_reason="")
            ),
            models.CheckConstraint(
                name="campaign_paces_forward", condition=Q(calls_per_second__gt=0, max_open_calls__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def why_not(self, kind: CallKind, *, now: datetime) -> str:
        """Return why nobody is called for such a reason at `now`; empty when people are."""
        return campaign_term.why_not(
            kind=kind,
            state=self.state,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            keeps_callbacks=self.keeps_callbacks,
            now=now,
        )

    def is_over(self, *, now: datetime) -> bool:
        """Tell whether nobody new is to be called any more."""
        return campaign_term.is_over(state=self.state, ends_at=self.ends_at, now=now)
