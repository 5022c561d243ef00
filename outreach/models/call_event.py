"""The raw inbox: every event that came from outside, once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from outreach.models.call import Call


class EventSource(models.TextChoices):
    TWILIO = "twilio", "Twilio"
    LIVEKIT = "livekit", "LiveKit"
    AGENT = "agent", "Alex"
    OURS = "ours", _("Ourselves")


class CallEvent(models.Model):
    """One event from one source; unique, so a repeat changes nothing."""

    source = models.CharField(max_length=8, choices=EventSource.choices)
    event_id = models.CharField(max_length=160)
    call = models.ForeignKey(
        Call, on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="events"
    )
    kind = models.CharField(max_length=40)
    payload = models.JSONField(default=dict)
    incident = models.BooleanField(
        default=False, help_text=_("Something that must not happen; look into it.")
    )
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "event_id"], name="call_event_once_per_source")
        ]
        indexes = [
            models.Index(name="call_event_by_call", fields=["call", "received_at"]),
            models.Index(name="call_event_by_time", fields=["received_at"]),
            models.Index(name="call_event_incident", fields=["id"], condition=models.Q(incident=True)),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.kind}"
