"""Claiming: the conditional update that gives one tick the people it may call, one batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from outreach.domain import defaults
from outreach.domain.gate import Refuse, decide
from outreach.domain.standing import CallKind, Standing
from outreach.models import Call, Callback, Campaign, Facilitator
from outreach.services.callbacks import move_missed_callback
from outreach.services.caller_ids import pool_of
from outreach.services.gating import candidate_of, histories_of, rang_and_asked, record_refusal, rules_of
from outreach.services.locks import try_lock_numbers

BATCH = 100
#: People that a claim looks at beyond those it wants: the gate refuses one now and then.
SPARE = 4
BATCHES_A_TICK = 20

_STANDINGS: dict[CallKind, list[str]] = {
    CallKind.CALLBACK: [Standing.CALLBACK_DUE.value],
    CallKind.RETRY: [Standing.RETRY_DUE.value],
    CallKind.FIRST: [Standing.NEW.value, Standing.WAITING.value],
}

_MOVED = [
    *("standing", "standing_reason", "next_call_at"),
    *("not_called_code", "not_called_reason", "updated_at"),
]
#: Moves exactly those into a call whose call was inserted, and tells which that are.
_IN_CALL = """
UPDATE outreach_facilitator f
SET standing = %(standing)s, standing_reason = '', next_call_at = NULL, not_called_code = '',
    not_called_reason = '', wish = '', updated_at = %(now)s
FROM outreach_call c
WHERE c.id = ANY(%(calls)s::uuid[]) AND f.id = c.facilitator_id
RETURNING c.id
"""
_PROMISED = """
SELECT id FROM outreach_callback WHERE facilitator_id = ANY(%s) AND state = 'promised' AND by = 'alex'
"""


def due(campaign: Campaign, kind: CallKind, now: datetime) -> QuerySet[Facilitator]:
    """Return the people of `campaign` that are due for a call of this kind, in calling order."""
    order = ("next_call_at", "pk") if kind is CallKind.CALLBACK else ("priority", "next_call_at", "pk")
    return Facilitator.objects.filter(
        campaign=campaign, standing__in=_STANDINGS[kind], next_call_at__lte=now
    ).order_by(*order)


def claim(campaign: Campaign, kind: CallKind, wanted: int, now: datetime) -> list[UUID]:
    """Claim up to `wanted` people; those whom the gate refuses are moved on and cost no place.

    Nobody is claimed, or moved, for whom there is no number to call from.
    """
    if wanted <= 0:
        return []
    n_left = pool_of(campaign, now).n_left
    wanted = wanted if n_left is None else min(wanted, n_left)
    claimed: list[UUID] = []
    size = min(BATCH, wanted + SPARE)
    for _ in range(BATCHES_A_TICK):
        missing = wanted - len(claimed)
        if missing <= 0:
            break
        people = list(due(campaign, kind, now).select_for_update(skip_locked=True, of=("self",))[:size])
        if not people:
            break
        claimed += _claim_batch(campaign, kind, people, missing, now)
        size = BATCH  # whoever is left over was refused: there may be a crowd of them
    return claimed


def _claim_batch(
    campaign: Campaign, kind: CallKind, people: list[Facilitator], wanted: int, now: datetime
) -> list[UUID]:
    allowed: list[Facilitator] = []
    moved: list[Facilitator] = []
    for person, refusal in _judge(campaign, kind, people, now):
        if refusal is not None:
            record_refusal(person, refusal, now=now)
            moved.append(person)
        elif len(allowed) < wanted:
            allowed.append(person)
    calls = open_calls_for(campaign, kind, allowed, now)
    called = {call.facilitator_id for call in calls}
    moved += [_put_off(person, now) for person in allowed if person.pk not in called]
    if moved:
        Facilitator.objects.bulk_update(moved, _MOVED)
    return [call.pk for call in calls]


def _judge(
    campaign: Campaign, kind: CallKind, people: list[Facilitator], now: datetime
) -> Iterator[tuple[Facilitator, Refuse | None]]:
    """Yield each person whose number is free to be judged, with the gate's refusal if there is one."""
    rules = rules_of(campaign)
    free = try_lock_numbers(person.number for person in people)
    locked = [person for person in people if person.number in free]
    histories = histories_of((person.number for person in locked), now=now)
    asked = rang_and_asked(person.pk for person in locked) if kind is CallKind.CALLBACK else {}
    for person in locked:
        if kind is CallKind.CALLBACK and move_missed_callback(person, rules=rules, now=now):
            person.save()
            continue
        verdict = decide(
            candidate=candidate_of(person, kind, asked_at=asked.get(person.pk)),
            history=histories[person.number],
            rules=rules,
            now=now,
        )
        yield person, verdict if isinstance(verdict, Refuse) else None


def open_calls_for(
    campaign: Campaign, kind: CallKind, people: list[Facilitator], now: datetime
) -> list[Call]:
    """Insert a call per person unless another open one has the number; return those inserted.

    People for whom no number to call from is left get none.
    """
    promised = _promised_to(people)
    known = [callback.caller_id for callback in promised.values() if callback.caller_id]
    numbers = pool_of(campaign, now, known=known)
    calls = [
        Call(
            facilitator=person,
            campaign=campaign,
            script_id=campaign.script_id,
            callback=_fulfilled(promised.get(person.pk), kind, now),
            number=person.number,
            caller_id=caller_id,
            kind=kind.value,
            standing_before=person.standing,
            standing_reason_before=person.standing_reason,
            queued_at=now,
            deadline_at=now + timedelta(seconds=defaults.READY_DEADLINE * 3),
        )
        for person in people
        if (caller_id := numbers.take(person.pk, known=_known_number(promised.get(person.pk)))) is not None
    ]
    Call.objects.bulk_create(calls, ignore_conflicts=True)
    inserted = _move_into(calls, now)
    return [call for call in calls if call.pk in inserted]


def _promised_to(people: list[Facilitator]) -> dict[int, Callback]:
    """Return what Alex owes these people, by the person; most are owed nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_PROMISED, [[person.pk for person in people]])
        ids = [callback_id for (callback_id,) in cursor.fetchall()]
    found = Callback.objects.filter(pk__in=ids) if ids else ()
    return {callback.facilitator_id: callback for callback in found}


def _move_into(calls: list[Call], now: datetime) -> set[UUID]:
    """Let the people of the inserted among `calls` stand in a call; return the ids of these calls."""
    ids = [str(call.pk) for call in calls]
    with connection.cursor() as cursor:
        cursor.execute(_IN_CALL, {"standing": Standing.IN_CALL.value, "now": now, "calls": ids})
        return {call_id for (call_id,) in cursor.fetchall()}


def _fulfilled(callback: Callback | None, kind: CallKind, now: datetime) -> Callback | None:
    """Return the promise that a call of this kind fulfils: an operator's does, too, at the promised time."""
    if callback is None or kind is CallKind.CALLBACK:
        return callback
    due_soon = callback.promised_at <= now + timedelta(seconds=defaults.CALLBACK_KEPT_WITHIN)
    return callback if kind is CallKind.MANUAL and due_soon else None


def _known_number(callback: Callback | None) -> str:
    """Return the number that somebody knows us by from a promise, if there is one."""
    return callback.caller_id if callback is not None else ""


def _put_off(person: Facilitator, now: datetime) -> Facilitator:
    """Move on a person whose number turned out to be on another call."""
    person.next_call_at = now + timedelta(minutes=5)
    person.not_called_code = "on_another_call"
    person.not_called_reason = "This number is on another call right now."
    person.updated_at = now
    return person
