"""What is made of a call afterwards: its summary, the fields asked for, and the rates that cost it."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outreach.models.call import Call


class SummaryState(models.TextChoices):
    DUE = "due", _("To be made")
    MADE = "made", _("Made")
    GIVEN_UP = "given_up", _("Given up")


class Summary(models.Model):
    """The summary of one conversation; each field points at the turn that supports it.

    The row is the queue: due when the transcript is closed, tried again later each time, given up at last.
    """

    call = models.OneToOneField(Call, on_delete=models.PROTECT, related_name="summary")
    state = models.CharField(max_length=8, choices=SummaryState.choices, default=SummaryState.DUE.value)
    due_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True, help_text=_("Why the last try failed."))
    text = models.TextField(blank=True)
    fields = models.JSONField(
        default=list, blank=True, help_text=_("[{name, value, turn_seq}], each shown by a turn.")
    )
    dropped = models.PositiveSmallIntegerField(
        default=0, help_text=_("Fields left out because no turn supports them.")
    )
    model = models.CharField(max_length=80, blank=True)
    made_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("summaries")
        constraints = [
            models.CheckConstraint(
                name="summary_due_iff_to_be_made",
                condition=Q(state="due", due_at__isnull=False) | (~Q(state="due") & Q(due_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(name="summary_due", fields=["due_at"], condition=Q(state="due")),
            BrinIndex(name="summary_by_time", fields=["made_at"]),  # to forget them: made in this order
        ]

    def __str__(self) -> str:
        return f"summary of {self.call_id}"


class RateItem(models.TextChoices):
    TWILIO_CALL = "twilio_call", _("Twilio, call to the phone, per started minute")
    TWILIO_SIP = "twilio_sip", _("Twilio, leg to LiveKit, per started minute")
    LIVEKIT_AGENT = "livekit_agent", _("LiveKit, agent session, per minute")
    LIVEKIT_SIP = "livekit_sip", _("LiveKit, SIP participant, per minute")
    LLM_INPUT = "llm_input", _("Model, input, per million tokens")
    LLM_OUTPUT = "llm_output", _("Model, output, per million tokens")
    STT = "stt", _("Hearing, per hour of audio")
    TTS = "tts", _("Speaking, per million characters")


class Rate(models.Model):
    """One price of a vendor. The longest matching prefix wins."""

    item = models.CharField(max_length=16, choices=RateItem.choices)
    prefix = models.CharField(
        max_length=80,
        blank=True,
        help_text=_("Start of the called number (+44) or of the model's name; empty: all others."),
    )
    price = models.DecimalField(max_digits=12, decimal_places=6, validators=[MinValueValidator(0)])
    currency = models.CharField(max_length=3, default="USD")
    source = models.CharField(max_length=300, blank=True, help_text=_("The page and day it was read."))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "prefix"], name="rate_once_per_prefix")]

    def __str__(self) -> str:
        return f"{self.item} {self.prefix}".strip()
