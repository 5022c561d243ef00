"""Calls: one attempt, one dial of one number. Changed only by compare-and-set, never deleted."""

from __future__ import annotations

import secrets
import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outreach.domain.call_status import OPEN, TERMINAL, CallStatus, sources_of
from outreach.domain.disposition import AnsweredBy, Disposition, EndedBy
from outreach.domain.standing import CallKind
from outreach.models.campaign import Campaign, ScriptVersion
from outreach.models.facilitator import Facilitator
from outreach.models.history import EditHistory

_TERMINAL = sorted(
    status.value for status in TERMINAL
)  # plain strings: migrations must not import the domain


def _choices(values: Any) -> list[tuple[str, str]]:
    return [(v.value, v.value.replace("_", " ").capitalize()) for v in values]


def new_token() -> str:
    """Return a fresh unguessable token for this call's webhook paths."""
    return secrets.token_urlsafe(24)


class TranscriptState(models.TextChoices):
    OPEN = "open", _("Still being spoken")
    COMPLETE = "complete", _("Complete")
    INCOMPLETE = "incomplete", _("Turns are missing")


class Channel(models.TextChoices):
    """How the voice travels; only `phone` is dialled, counted and capped."""

    PHONE = "phone", _("Phone")
    WEB = "web", _("Browser")
    TRIAL = "trial", _("An operator's own phone")


class CostState(models.TextChoices):
    NONE = "", _("To be counted")
    ESTIMATED = "estimated", _("Estimated from the rates")
    BILLED = "billed", _("With the carrier's own price")


class NobodysCall(LookupError):
    """A person was asked for where there is none."""


class CallQuerySet(models.QuerySet["Call"]):
    def open(self) -> Self:
        """Calls that may still ring or talk; each blocks a redial of its number."""
        return self.filter(status__in=sorted(s.value for s in OPEN))

    def by_phone(self) -> Self:
        """Calls that are dialled: all that counts, and all that is capped."""
        return self.filter(channel=Channel.PHONE.value)

    def that_ring(self) -> Self:
        """Calls that a carrier places: those by phone, and trials on an operator's own."""
        return self.exclude(channel=Channel.WEB.value)

    def move(self, new: CallStatus, **changes: Any) -> int:
        """Move the calls that `new` is further for; return how many moved."""
        return self.filter(status__in=sources_of(new)).update(status=new.value, **changes)


class Call(models.Model):
    """One attempt. Carries the number itself: the number is the lock, across campaigns."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.CharField(
        max_length=5, choices=Channel.choices, default=Channel.PHONE.value, db_default=Channel.PHONE.value
    )
    facilitator = models.ForeignKey(
        Facilitator,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="calls",
        help_text=_("Empty only for a talk in the browser with nobody's row."),
    )
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, db_index=False, related_name="calls")
    script = models.ForeignKey(ScriptVersion, on_delete=models.PROTECT, related_name="calls")
    callback = models.ForeignKey(
        "outreach.Callback", on_delete=models.PROTECT, null=True, blank=True, related_name="calls"
    )
    number = models.CharField(max_length=16, blank=True)
    caller_id = models.CharField(max_length=16, blank=True)
    requested_by = models.CharField(
        max_length=150,
        blank=True,
        db_default="",
        help_text=_("Who asked for this very call; empty: its turn had come."),
    )
    kind = models.CharField(max_length=10, choices=_choices(CallKind))
    standing_before = models.CharField(
        max_length=14, blank=True, default="", help_text=_("Where the person stood when they were claimed.")
    )
    standing_reason_before = models.CharField(max_length=300, blank=True, default="")
    token = models.CharField(max_length=40, default=new_token, editable=False)
    twilio_sid = models.CharField(max_length=40, null=True, blank=True)

    status = models.CharField(max_length=12, choices=_choices(CallStatus), default=CallStatus.QUEUED.value)
    answered_by = models.CharField(max_length=12, blank=True, choices=_choices(AnsweredBy))
    disposition = models.CharField(max_length=20, blank=True, choices=_choices(Disposition))
    disposition_seq = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("The turn that shows the disposition.")
    )
    ended_by = models.CharField(max_length=16, blank=True, choices=_choices(EndedBy))
    failure_code = models.CharField(
        max_length=40, blank=True, help_text=_("Twilio's error code, a SIP status, or our own word.")
    )
    failure_reason = models.CharField(max_length=300, blank=True)
    our_fault = models.BooleanField(default=False)
    counts = models.BooleanField(
        default=False, help_text=_("Whether it used up one of the person's attempts.")
    )
    stage = models.CharField(max_length=12, blank=True, help_text=_("The conversation's last stage."))

    agent_worker = models.CharField(max_length=64, blank=True)
    agent_job = models.CharField(max_length=64, blank=True)
    agent_seen_at = models.DateTimeField(null=True, blank=True)

    queued_at = models.DateTimeField()
    preparing_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    dialing_at = models.DateTimeField(
        null=True, blank=True, help_text=_("The intent: committed before the carrier is asked.")
    )
    placed_at = models.DateTimeField(null=True, blank=True, help_text=_("The carrier accepted it."))
    ringing_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text=_("The line is free."))
    end_received_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Alex said that the conversation is over.")
    )
    settled_at = models.DateTimeField(null=True, blank=True, help_text=_("What happens next is decided."))
    deadline_at = models.DateTimeField(null=True, blank=True, help_text=_("When the sweep looks into it."))
    hangup_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When we asked the carrier to end it.")
    )

    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    empty_lists = models.PositiveSmallIntegerField(default=0)
    empty_list_at = models.DateTimeField(null=True, blank=True)
    n_turns = models.PositiveIntegerField(null=True, blank=True)
    n_notes = models.PositiveIntegerField(null=True, blank=True)
    transcript = models.CharField(
        max_length=10, choices=TranscriptState.choices, default=TranscriptState.OPEN.value
    )

    usage = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text=_("What the models were given, as Alex counted it."),
    )
    cost = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    cost_currency = models.CharField(max_length=3, blank=True, db_default="")
    cost_state = models.CharField(
        max_length=9, blank=True, choices=CostState.choices, default=CostState.NONE.value, db_default=""
    )
    cost_items = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        help_text=_("One line per item: quantity, unit, price, amount."),
    )
    price_due_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the carrier is asked for its price next.")
    )

    tally_due = models.BooleanField(
        default=True, db_default=True, help_text=_("Whether the statistics have yet to take it in.")
    )
    tallied = models.JSONField(
        default=list, db_default=[], blank=True, help_text=_("What the statistics hold of it already.")
    )
    judged_by = models.CharField(
        max_length=150, blank=True, db_default="", help_text=_("Who corrected what was detected.")
    )
    judged_answered_by = models.CharField(
        max_length=12,
        blank=True,
        db_default="",
        choices=_choices(AnsweredBy),
        help_text=_("Who picked up, as a person heard it; keeps score of the detector."),
    )

    objects = CallQuerySet.as_manager()
    history = EditHistory(excluded_fields=["token", "tallied", "tally_due", "usage", "cost_items"])

    class Meta:
        constraints = [
            # Not `unique=True`: that makes a second index, for how values begin, which nobody looks for.
            models.UniqueConstraint(name="call_token_once", fields=["token"]),
            models.UniqueConstraint(name="call_twilio_sid_once", fields=["twilio_sid"]),
            models.CheckConstraint(
                name="call_ended_iff_terminal",
                condition=Q(status__in=_TERMINAL, ended_at__isnull=False)
                | (~Q(status__in=_TERMINAL) & Q(ended_at__isnull=True)),
            ),
            models.UniqueConstraint(
                name="call_one_open_per_number",
                fields=["number"],
                condition=~Q(status__in=_TERMINAL) & ~Q(channel="web"),
            ),
            models.UniqueConstraint(
                name="call_one_unsettled_per_facilitator",
                fields=["facilitator"],
                condition=Q(settled_at__isnull=True, channel="phone"),
            ),
            models.CheckConstraint(
                name="call_by_phone_has_person_and_number",
                condition=Q(channel="web", number="")
                | (Q(channel="trial") & ~Q(number=""))
                | (Q(channel="phone", facilitator__isnull=False) & ~Q(number="")),
            ),
            models.CheckConstraint(
                name="call_in_browser_is_never_dialled",
                condition=~Q(channel="web")
                | Q(dialing_at__isnull=True, placed_at__isnull=True, twilio_sid__isnull=True, counts=False),
            ),
            models.CheckConstraint(
                name="call_settled_after_it_ended",
                condition=Q(settled_at__isnull=True) | Q(ended_at__isnull=False),
            ),
        ]
        indexes = [
            # What few calls are, so that these are found among millions without an entry for each of those.
            models.Index(
                name="call_rare_status",
                fields=["status", "queued_at"],
                condition=Q(status__in=["failed", "canceled", "not_placed"]),
            ),
            models.Index(
                name="call_rare_answer",
                fields=["answered_by", "queued_at"],
                condition=Q(answered_by__in=["ivr", "screening", "unavailable", "uncertain"]),
            ),
            models.Index(
                name="call_rare_kind",
                fields=["kind", "queued_at"],
                condition=Q(kind__in=["callback", "manual"]),
            ),
            models.Index(
                name="call_rare_channel", fields=["channel", "queued_at"], condition=~Q(channel="phone")
            ),
            models.Index(name="call_our_fault", fields=["queued_at"], condition=Q(our_fault=True)),
            models.Index(name="call_with_gaps", fields=["queued_at"], condition=Q(transcript="incomplete")),
            models.Index(
                name="call_by_number",
                fields=["number", "queued_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],  # for how numbers begin, too
            ),
            models.Index(name="call_by_facilitator", fields=["facilitator", "queued_at"]),
            models.Index(name="call_by_campaign", fields=["campaign", "queued_at"]),
            models.Index(name="call_open", fields=["campaign", "status"], condition=~Q(status__in=_TERMINAL)),
            models.Index(
                name="call_past_deadline", fields=["deadline_at"], condition=Q(settled_at__isnull=True)
            ),
            models.Index(
                name="call_said_no", fields=["number", "ended_at"], condition=Q(disposition="not_interested")
            ),
            models.Index(name="call_recent", fields=["queued_at"]),
            models.Index(
                name="call_transcript_open",
                fields=["settled_at"],
                condition=Q(transcript="open", answered_at__isnull=False),
            ),
            models.Index(
                name="call_tally_due",
                fields=["settled_at"],
                condition=Q(tally_due=True, settled_at__isnull=False),
            ),
            models.Index(name="call_by_caller_id", fields=["caller_id", "queued_at"]),
            models.Index(
                name="call_by_disposition", fields=["disposition", "queued_at"], condition=~Q(disposition="")
            ),
            models.Index(
                name="call_judged",
                fields=["judged_answered_by", "answered_by"],
                condition=~Q(judged_answered_by=""),
            ),
            models.Index(
                name="call_to_be_counted",
                fields=["settled_at"],
                condition=Q(settled_at__isnull=False, cost_state=""),
            ),
            models.Index(
                name="call_price_due", fields=["price_due_at"], condition=Q(price_due_at__isnull=False)
            ),
        ]
        permissions = [
            ("place_call", "Can place a call now"),
            ("hang_up", "Can hang up a call in progress"),
            ("read_transcript", "Can read and follow what is said"),
            ("talk_in_browser", "Can talk to Alex in the browser"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def person(self) -> Facilitator:
        """The person who is called.

        :raises NobodysCall: for a talk in the browser with nobody's row.
        """
        if self.facilitator is None:
            raise NobodysCall(f"Call {self.pk} is a talk in the browser with nobody's row.")
        return self.facilitator

    @property
    def person_id(self) -> int:
        """The id of the person who is called; raises as `person` does."""
        if self.facilitator_id is None:
            raise NobodysCall(f"Call {self.pk} is a talk in the browser with nobody's row.")
        return self.facilitator_id

    @property
    def who(self) -> str:
        """The name that pages and terminals show; in the browser somebody may have played a person."""
        if self.is_phone_call:
            return self.person.name
        by = self.requested_by or "somebody"
        if self.rings:
            return f"{by} on their own phone" + (f" as {self.facilitator.name}" if self.facilitator else "")
        return f"{by} as {self.facilitator.name}" if self.facilitator else f"{by} in the browser"

    @property
    def is_phone_call(self) -> bool:
        """Whether somebody of a list is dialled: what counts, is capped, and decides where they stand."""
        return self.channel == Channel.PHONE.value

    @property
    def rings(self) -> bool:
        """Whether a carrier places it: all but talks in the browser."""
        return self.channel != Channel.WEB.value

    @property
    def room(self) -> str:
        """Name of this call's LiveKit room; unique per attempt."""
        return f"call-{self.pk}"

    def move_to(self, new: CallStatus, **changes: Any) -> bool:
        """Move to `new` if it is further than the stored status; return whether it moved."""
        moved = Call.objects.filter(pk=self.pk).move(new, **changes)
        if moved:
            self.refresh_from_db()
        return bool(moved)
