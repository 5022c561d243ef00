"""What operators decide about people: hold, release, priority, more attempts, close.

A person in a call gets a wish instead, which settling applies. Nobody is stuck: who is held, exhausted or
under review is released, given more attempts, or closed. "Not interested" and "suppressed" are the person's
own word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest

from outreach.domain.standing import CALLABLE, Standing
from outreach.models import Callback, CallbackState, Campaign, Facilitator
from outreach.services import clock, hook_events
from outreach.services.edits import record_edits
from outreach.services.interests import note_interest_of

_CALLABLE = sorted(standing.value for standing in CALLABLE)
#: Standings that an operator may open again; "not interested" and "suppressed" are the person's own word.
RELEASABLE = sorted(standing.value for standing in (Standing.HELD, Standing.NEEDS_REVIEW, Standing.EXHAUSTED))
_MAY_BE_TRIED = [*_CALLABLE, *RELEASABLE, Standing.IN_CALL.value]
BATCH = 2_000
"""People changed in one transaction."""


class Outcome(StrEnum):
    """How an operator closes a person, as the standing that this gives."""

    INTERESTED = Standing.INTERESTED.value
    NOT_INTERESTED = Standing.NOT_INTERESTED.value
    GIVEN_UP = Standing.EXHAUSTED.value


def in_batches(people: QuerySet[Facilitator]) -> Iterator[list[int]]:
    """Yield the ids of `people` in their order, batch by batch, also while they change under it."""
    last = 0
    while True:
        ids = list(people.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not ids:
            return
        yield ids
        last = ids[-1]


@transaction.atomic
def hold(*, facilitator_ids: Collection[int], by: str, reason: str) -> int:
    """Hold people until somebody releases them; return how many are, or will be after their call."""
    sentence = f"{reason.strip() or 'Held'} ({by})"[:300]
    people = _locked(facilitator_ids)
    wished = _wish(people, Standing.HELD, sentence)
    held = _give(
        people.filter(standing__in=_CALLABLE),
        by=by,
        reason=f"Held: {reason.strip()}",
        standing=Standing.HELD.value,
        standing_reason=sentence,
        next_call_at=None,
    )
    return len(wished) + len(held)


@transaction.atomic
def release(*, facilitator_ids: Collection[int], by: str) -> int:
    """Put held, exhausted and reviewed people back into the queue, due now; return how many.

    The gate looks at them as at everybody: a cap that holds goes on holding. Whom Alex owes a call is called
    at the promised time; what a person owed them is Alex's now.
    """
    people = _locked(facilitator_ids)
    people.filter(standing=Standing.IN_CALL.value, wish=Standing.HELD.value).update(
        wish="", standing_reason=""
    )
    return len(_back_into_the_queue(people.filter(standing__in=RELEASABLE), by=by, reason="Released"))


@transaction.atomic
def set_priority(*, facilitator_ids: Collection[int], priority: int, by: str) -> int:
    """Give people a priority from 1 (first) to 9 (last); return how many."""
    people = _locked(facilitator_ids)
    return len(_give(people, by=by, reason=f"Given priority {priority}", priority=priority))


@transaction.atomic
def give_attempts(*, facilitator_ids: Collection[int], n_attempts: int, by: str) -> int:
    """Let people be tried `n_attempts` times more than they would be; return how many.

    What was made stays counted, and the caps by day and month hold. Who was exhausted is due again.
    """
    most = Campaign.objects.filter(pk=OuterRef("campaign")).values("max_attempts")
    used_up = Greatest(F("attempts_granted"), F("attempts_made") - Subquery(most))
    people = _locked(facilitator_ids).filter(standing__in=_MAY_BE_TRIED)
    reason = f"Given {n_attempts} more attempt{'s' if n_attempts > 1 else ''}"
    given = _give(people, by="", reason="", attempts_granted=used_up + n_attempts)
    exhausted = Facilitator.objects.filter(pk__in=given, standing=Standing.EXHAUSTED.value)
    due_again = _back_into_the_queue(exhausted, by=by, reason=reason)
    others = set(given) - set(due_again)
    record_edits(facilitator_ids=others, by=by, reason=reason, at=clock.now())
    return len(given)


@transaction.atomic
def close(*, facilitator_ids: Collection[int], outcome: Outcome, by: str, reason: str) -> int:
    """Close people: nobody calls them again by itself, promises are canceled; return how many.

    Who is interested comes onto the work list at once, also while in a call.
    """
    sentence = f"{reason.strip() or 'Closed'} ({by})"[:300]
    people = _locked(facilitator_ids)
    wished = _wish(people.exclude(wish=outcome.value), Standing(outcome.value), sentence)
    stays = [Standing.IN_CALL.value, Standing.SUPPRESSED.value, outcome.value]
    closed = _give(
        people.exclude(standing__in=stays),
        by=by,
        reason=f"Closed: {reason.strip()}",
        standing=outcome.value,
        standing_reason=sentence,
        next_call_at=None,
        not_called_code="",
        not_called_reason="",
    )
    now = clock.now()
    Callback.objects.filter(facilitator__in=closed, state=CallbackState.PROMISED).update(
        state=CallbackState.CANCELED, closed_at=now
    )
    if outcome is Outcome.INTERESTED:
        found = [*closed, *wished]
        note_interest_of(facilitator_ids=found, now=now)
        hook_events.note_interested_by_hand(facilitator_ids=found, now=now)
    return len(wished) + len(closed)


def _locked(facilitator_ids: Collection[int]) -> QuerySet[Facilitator]:
    """Return these people, their rows locked in the order of their ids: so two operators never deadlock."""
    rows = Facilitator.objects.filter(pk__in=facilitator_ids).order_by("pk")
    ids = list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
    return Facilitator.objects.filter(pk__in=ids)


def _wish(people: QuerySet[Facilitator], standing: Standing, sentence: str) -> list[int]:
    """Let those in a call stand so when it is over; return their ids."""
    in_call = people.filter(standing=Standing.IN_CALL.value).exclude(wish=Standing.SUPPRESSED.value)
    ids = list(in_call.values_list("pk", flat=True))
    in_call.update(wish=standing.value, standing_reason=sentence)
    return ids


def _give(people: QuerySet[Facilitator], *, by: str, reason: str, **values: Any) -> list[int]:
    """Write `values` to these people and return their ids; with a `reason`, keep who did."""
    ids = list(people.values_list("pk", flat=True))
    now: datetime = clock.now()
    Facilitator.objects.filter(pk__in=ids).update(**values, updated_at=now)
    if reason:
        record_edits(facilitator_ids=ids, by=by, reason=reason, at=now)
    return ids


def _back_into_the_queue(people: QuerySet[Facilitator], *, by: str, reason: str) -> list[int]:
    """Make closed people due: now, or at the time that Alex promised them; return their ids."""
    now = clock.now()
    ids = _give(
        people,
        by="",
        reason="",
        standing=Standing.WAITING.value,
        standing_reason="",
        next_call_at=now,
        our_faults=0,
        not_called_code="",
        not_called_reason="",
    )
    owed = Callback.objects.filter(facilitator__in=ids, state=CallbackState.PROMISED)
    owed.filter(by="human").update(state=CallbackState.CANCELED, closed_at=now)
    by_alex = owed.filter(by="alex")
    promised = by_alex.filter(facilitator=OuterRef("pk")).values("promised_at")[:1]
    Facilitator.objects.filter(pk__in=list(by_alex.values_list("facilitator", flat=True))).update(
        standing=Standing.CALLBACK_DUE.value, next_call_at=Subquery(promised)
    )
    record_edits(facilitator_ids=ids, by=by, reason=reason, at=now)
    return ids
