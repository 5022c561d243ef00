"""What the gate needs to know about people and their numbers, gathered in few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from outreach.domain import defaults
from outreach.domain.call_status import CallStatus
from outreach.domain.call_window import CallWindow
from outreach.domain.disposition import Disposition
from outreach.domain.gate import Attempt, Candidate, GateRules, NumberHistory, Refuse
from outreach.domain.standing import CallKind
from outreach.models import Campaign, Decision, Facilitator
from outreach.services.mode import allowed_numbers

#: Of an unsettled call, it may still ring or talk, or they have just said no and nobody has told us yet.
_NUMBERS = """
SELECT n.number,
    EXISTS (SELECT FROM outreach_suppression s WHERE s.number = n.number),
    (SELECT max(c.ended_at) FROM outreach_call c WHERE c.number = n.number AND c.disposition = %(no)s
        AND c.channel = 'phone'),
    EXISTS (SELECT FROM outreach_call c WHERE c.number = n.number AND c.settled_at IS NULL
        AND c.id IS DISTINCT FROM %(but_not)s::uuid)
FROM unnest(%(numbers)s::text[]) AS n (number)
"""
_ATTEMPTS = """
SELECT number, dialing_at, status, counts, disposition, ringing_at IS NOT NULL
FROM outreach_call
WHERE number = ANY(%(numbers)s) AND dialing_at >= %(since)s AND ended_at IS NOT NULL AND channel = 'phone'
ORDER BY dialing_at DESC
"""
#: Whose open promise was made not in a call but when they rang us, and when they last did.
_RANG_AND_ASKED = """
SELECT i.facilitator_id, max(i.received_at)
FROM outreach_incomingcall i
WHERE i.facilitator_id = ANY(%(people)s) AND i.choice = 'callback' AND EXISTS (
    SELECT FROM outreach_callback c WHERE c.facilitator_id = i.facilitator_id
        AND c.state = 'promised' AND c.by = 'alex' AND c.agreed_in_id IS NULL)
GROUP BY i.facilitator_id
"""


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


def rang_and_asked(facilitator_ids: Iterable[int]) -> dict[int, datetime]:
    """Return when those of these people whom we owe a call because they rang and asked for it did so."""
    with connection.cursor() as cursor:
        cursor.execute(_RANG_AND_ASKED, {"people": list(facilitator_ids)})
        return dict(cursor.fetchall())


def candidate_of(facilitator: Facilitator, kind: CallKind, *, asked_at: datetime | None = None) -> Candidate:
    """Return what the gate must know about one person.

    :param asked_at: when they rang us and asked for this call (`rang_and_asked`).
    """
    return Candidate(
        number=facilitator.number,
        kind=kind,
        country=facilitator.country,
        time_zone=facilitator.time_zone,
        consent_basis=facilitator.consent_basis,
        attempts_made=facilitator.attempts_made,
        attempts_granted=facilitator.attempts_granted,
        allowed_numbers=allowed_numbers(),
        asked_at=asked_at,
    )


def histories_of(
    numbers: Iterable[str], *, now: datetime, but_not: UUID | None = None
) -> dict[str, NumberHistory]:
    """Return what is known about each number across all campaigns.

    :param but_not: the call on whose behalf is asked; it is not "another call".
    """
    wanted = sorted(set(numbers))
    attempts = _attempts_of(wanted, now=now)
    no = Disposition.NOT_INTERESTED.value
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, {"numbers": wanted, "no": no, "but_not": but_not})
        return {
            number: NumberHistory(
                suppressed=suppressed,
                said_no_at=said_no_at,
                attempts=tuple(attempts[number]),
                on_another_call=on_another_call,
            )
            for number, suppressed, said_no_at, on_another_call in cursor.fetchall()
        }


def _attempts_of(numbers: list[str], *, now: datetime) -> dict[str, list[Attempt]]:
    """Return each number's attempts of the last 30 days, newest first."""
    attempts: dict[str, list[Attempt]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_ATTEMPTS, {"numbers": numbers, "since": now - timedelta(days=30)})
        for number, at, status, counts, disposition, rang in cursor.fetchall():
            # A phone that rang by our fault, or that we stopped, costs no attempt, but the law counts what
            # the person heard; only a call in which they asked for the next one stands in nothing's way.
            asked_for_more = disposition == Disposition.CALLBACK_REQUESTED.value
            attempts[number].append(
                Attempt(
                    at=at,
                    was_busy=status == CallStatus.BUSY.value,
                    counted=counts or (rang and not asked_for_more),
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
