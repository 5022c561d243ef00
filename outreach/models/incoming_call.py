"""People who call back the number that we called from."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from outreach.models.callback import Callback
from outreach.models.campaign import Campaign
from outreach.models.facilitator import Facilitator


class IncomingChoice(models.TextChoices):
    NONE = "", _("Hung up without a choice")
    CALLBACK = "callback", _("Wants to be called back")
    STOP = "stop", _("Wants never to be called")


class IncomingCall(models.Model):
    """One call to one of our numbers, known or unknown caller, and what they asked for."""

    twilio_sid = models.CharField(max_length=40, unique=True)
    number = models.CharField(max_length=16, blank=True, help_text=_("The caller; empty: withheld."))
    called = models.CharField(max_length=16, help_text=_("Our number."))
    campaign = models.ForeignKey(
        Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="incoming_calls"
    )
    facilitator = models.ForeignKey(
        Facilitator, on_delete=models.PROTECT, null=True, blank=True, related_name="incoming_calls"
    )
    callback = models.ForeignKey(
        Callback, on_delete=models.PROTECT, null=True, blank=True, related_name="incoming_calls"
    )
    choice = models.CharField(
        max_length=8, blank=True, choices=IncomingChoice.choices, default=IncomingChoice.NONE.value
    )
    received_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(name="incoming_by_number", fields=["number", "received_at"]),
            models.Index(name="incoming_by_person", fields=["facilitator", "received_at"]),
        ]

    def __str__(self) -> str:
        return f"incoming call {self.pk}"
