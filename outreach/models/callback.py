"""Callbacks: a time that the person asked for. We keep it, or show that we missed it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outreach.models.call import Call
from outreach.models.facilitator import Facilitator
from outreach.models.history import EditHistory


class CallbackState(models.TextChoices):
    PROMISED = "promised", _("Promised")
    KEPT = "kept", _("Kept")
    MISSED = "missed", _("Missed")
    CANCELED = "canceled", _("Canceled")


class Callback(models.Model):
    """A promise to call at `promised_at`; kept = dialled within ten minutes of it."""

    facilitator = models.ForeignKey(Facilitator, on_delete=models.PROTECT, related_name="callbacks")
    agreed_in = models.ForeignKey(
        Call, on_delete=models.PROTECT, null=True, blank=True, related_name="callbacks_agreed"
    )
    promised_at = models.DateTimeField()
    time_zone = models.CharField(max_length=64)
    by = models.CharField(max_length=5, choices=[("alex", "Alex"), ("human", _("A person"))], default="alex")
    reason = models.CharField(max_length=300, blank=True)
    caller_id = models.CharField(max_length=16, blank=True, help_text=_("The number they know us by."))
    evidence_seq = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(
        max_length=8, choices=CallbackState.choices, default=CallbackState.PROMISED.value
    )
    was_missed = models.BooleanField(default=False, help_text=_("We were later than thirty minutes."))
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    history = EditHistory()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["facilitator"],
                condition=Q(state="promised"),
                name="callback_one_open_per_facilitator",
            ),
            models.CheckConstraint(
                name="callback_closed_iff_not_promised",
                condition=Q(state="promised", closed_at__isnull=True)
                | (~Q(state="promised") & Q(closed_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="callback_agenda", fields=["promised_at"], condition=Q(state="promised")),
            models.Index(name="callback_by_time", fields=["promised_at"]),
        ]

    def __str__(self) -> str:
        return f"callback {self.pk}"
