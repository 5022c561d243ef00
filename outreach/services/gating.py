"""What the gate needs to know about people and their numbers, gathered in few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max

from outreach.domain import defaults
from outreach.domain.call_status import CallStatus
from outreach.domain.call_window import CallWindow
from outreach.domain.disposition import Disposition
from outreach.domain.gate import Attempt, Candidate, GateRules, NumberHistory, Refuse
from outreach.domain.standing import CallKind
from outreach.models import Call, Campaign, Decision, Facilitator, Suppression
from outreach.services.mode import allowed_numbers


def rules_of(campaign: Campaign) -> GateRules:
    """Return the gate's rules of one campaign.

    :raises InvalidCallWindow: when its window cannot be read (the admin refuses to save such a one).
    """
    return GateRules(
        window=call_window_of(campaign),
        callback_window=CallWindow.parse(campaign.callback_window, skip_public_holidays=False),
        max_attempts=campaign.max_attempts,
        max_attempts_a_day=campaign.max_attempts_a_day,
        max_attempts_a_day_after_busy=campaign.max_attempts_a_day_after_busy,
        min_gap=timedelta(hours=campaign.min_gap_hours),
        max_attempts_in_30_days=campaign.max_attempts_in_30_days,
        quiet_after_no=timedelta(days=campaign.quiet_days_after_no),
        margin=margin_of(campaign),
    )


def call_window_of(campaign: Campaign) -> CallWindow:
    """Return the campaign's calling hours."""
    return CallWindow.parse(campaign.call_window, skip_public_holidays=campaign.skip_public_holidays)


def margin_of(campaign: Campaign) -> timedelta:
    """Return how long before the window closes the gate does: a phone must not ring outside it."""
    return timedelta(seconds=campaign.ring_timeout + defaults.WINDOW_MARGIN)


def candidate_of(facilitator: Facilitator, kind: CallKind) -> Candidate:
    """Return what the gate must know about one person."""
    return Candidate(
        number=facilitator.number,
        kind=kind,
        country=facilitator.country,
        time_zone=facilitator.time_zone,
        consent_basis=facilitator.consent_basis,
        attempts_made=facilitator.attempts_made,
        allowed_numbers=allowed_numbers(),
    )


def histories_of(
    numbers: Iterable[str], *, now: datetime, but_not: UUID | None = None
) -> dict[str, NumberHistory]:
    """Return what is known about each number across all campaigns.

    :param but_not: the call on whose behalf is asked; it is not "another call".
    """
    wanted = sorted(set(numbers))
    suppressed = set(Suppression.objects.filter(number__in=wanted).values_list("number", flat=True))
    said_no = dict(
        Call.objects.filter(number__in=wanted, disposition=Disposition.NOT_INTERESTED.value)
        .values("number")
        .annotate(last=Max("ended_at"))
        .values_list("number", "last")
    )
    attempts = _attempts_of(wanted, now=now)
    # Not settled: it may still ring or talk, or they have just said no and nobody has told us yet.
    unsettled = Call.objects.filter(number__in=wanted, settled_at=None)
    if but_not is not None:
        unsettled = unsettled.exclude(pk=but_not)
    busy_now = set(unsettled.values_list("number", flat=True))
    return {
        number: NumberHistory(
            suppressed=number in suppressed,
            said_no_at=said_no.get(number),
            attempts=tuple(attempts[number]),
            on_another_call=number in busy_now,
        )
        for number in wanted
    }


def _attempts_of(numbers: list[str], *, now: datetime) -> dict[str, list[Attempt]]:
    """Return each number's attempts of the last 30 days, newest first."""
    attempts: dict[str, list[Attempt]] = defaultdict(list)
    rows = Call.objects.filter(
        number__in=numbers, dialing_at__gte=now - timedelta(days=30), ended_at__isnull=False
    ).order_by("-dialing_at")
    for call in rows.only(
        "number", "status", "dialing_at", "counts", "disposition", "ringing_at", "queued_at"
    ):
        # A phone that rang by our fault, or that we stopped, costs no attempt, but the law counts what the
        # person heard; only a call in which they asked for the next one stands in nothing's way.
        asked_for_more = call.disposition == Disposition.CALLBACK_REQUESTED.value
        rang_for_nothing = call.ringing_at is not None and not asked_for_more
        attempts[call.number].append(
            Attempt(
                at=call.dialing_at or call.queued_at,
                was_busy=call.status == CallStatus.BUSY.value,
                counted=call.counts or rang_for_nothing,
            )
        )
    return attempts


def record_refusal(facilitator: Facilitator, refusal: Refuse, *, now: datetime) -> None:
    """Set on `facilitator` why it is not called and when it may be; save a Decision if that is news.

    The caller saves the facilitator (in bulk where there are many).
    """
    changed = facilitator.not_called_code != refusal.code.value
    facilitator.not_called_code = refusal.code.value
    facilitator.not_called_reason = refusal.reason[:300]
    facilitator.next_call_at = refusal.next_call_at
    facilitator.updated_at = now
    if refusal.standing is not None:
        facilitator.standing = refusal.standing.value
        facilitator.standing_reason = refusal.reason[:300]
        facilitator.next_call_at = None
    if changed:
        Decision.objects.create(
            facilitator=facilitator,
            code=refusal.code.value,
            reason=refusal.reason[:300],
            next_call_at=facilitator.next_call_at,
            decided_at=now,
        )
