"""Taking what happened into the statistics: each call exactly once, and again whatever is corrected.

What the statistics hold of a call stands on the call (`tallied`); a correction takes exactly that out again.
A trigger marks a call as due whenever something that counts changes, so no writer can forget it.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from outreach.domain.disposition import Disposition
from outreach.domain.tally import PERSON, CallOutcome, Entry, entries_of
from outreach.models import Call
from outreach.services import locks
from outreach.services.last_outcomes import write_last_dispositions

BATCH = 500
#: Seconds of a run after which it leaves the rest to the next: its worker has other ticks to run.
RUN_SECONDS = 5.0

#: What is asked of the calls that decide who was reached first by which.
_OF_OTHERS = (
    *("facilitator__time_zone", "channel", "queued_at", "placed_at"),
    *("answered_at", "answered_by", "judged_answered_by", "disposition"),
)

#: Day, campaign, script, caller ID, thing, key.
Cell = tuple[date, int, int, str, str, str]

_ADD = """
INSERT INTO outreach_tally (day, campaign_id, script_id, caller_id, thing, key, n, amount)
SELECT * FROM unnest(%s::date[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[],
    %s::int[], %s::numeric[])
ON CONFLICT (day, campaign_id, script_id, caller_id, thing, key)
    DO UPDATE SET n = outreach_tally.n + excluded.n, amount = outreach_tally.amount + excluded.amount
"""
_TAKEN = """
UPDATE outreach_call c SET tally_due = false, tallied = taken.held::jsonb
FROM unnest(%s::uuid[], %s::text[]) AS taken (id, held) WHERE c.id = taken.id
"""
#: Only what changed since the last time is added up: most groups are one row already.
_FOLD = """
WITH crowded AS (
    SELECT campaign_id, standing, code, time_zone, opens_at
    FROM outreach_peoplecount GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1
), gone AS (
    DELETE FROM outreach_peoplecount p USING crowded c
    WHERE (p.campaign_id, p.standing, p.code, p.time_zone) = (c.campaign_id, c.standing, c.code, c.time_zone)
        AND p.opens_at IS NOT DISTINCT FROM c.opens_at
    RETURNING p.campaign_id, p.standing, p.code, p.time_zone, p.opens_at, p.n
)
INSERT INTO outreach_peoplecount (campaign_id, standing, code, time_zone, opens_at, n)
SELECT campaign_id, standing, code, time_zone, opens_at, sum(n)
FROM gone GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0
"""


def count_people() -> None:
    """Add up what changed in where people stand. A reader sees the same sums before and after."""
    with locks.try_lock_tick("count people") as alone, connection.cursor() as cursor:
        if alone:
            cursor.execute(_FOLD)


def take_in() -> int:
    """Take the calls that are due into the statistics; return how many. One run at a time."""
    until = time.monotonic() + RUN_SECONDS
    taken = 0
    with locks.try_lock_tick("tally") as alone:
        while alone and time.monotonic() < until:
            batch = _take_batch()
            taken += batch
            if batch < BATCH:
                break
    return taken


@transaction.atomic
def _take_batch() -> int:
    due = Call.objects.filter(tally_due=True, settled_at__isnull=False).order_by("settled_at")
    found = list(due.select_for_update(skip_locked=True)[:BATCH])
    held_by_others = write_last_dispositions({call.person_id for call in found if call.is_phone_call})
    calls = _with_other_calls([call for call in found if call.facilitator_id not in held_by_others])
    entries = entries_for(calls)
    changes: dict[Cell, list[Any]] = defaultdict(lambda: [0, Decimal(0)])
    for call in calls:
        for sign, counted in ((-1, held_of(call)), (1, entries[call.pk])):
            for entry in counted:
                change = changes[cell_of(call, entry)]
                change[0] += sign
                change[1] += sign * entry.amount
    _add(changes)
    with connection.cursor() as cursor:
        held = [json.dumps([_stored(entry) for entry in entries[call.pk]]) for call in calls]
        cursor.execute(_TAKEN, [[call.pk for call in calls], held])
    return len(found)


def _with_other_calls(calls: Sequence[Call]) -> list[Call]:
    """Return the calls, with those to the same people that they change the place of.

    Nobody who holds a call waits for another: people one of whose calls is taken are left for the next run.
    """
    others = others_of(calls)
    if others is None:
        return list(calls)
    locked = list(others.select_for_update(skip_locked=True))
    taken = set(others.exclude(pk__in=[call.pk for call in locked]).values_list("facilitator_id", flat=True))
    return [
        call for call in [*calls, *locked] if call.facilitator_id is None or call.facilitator_id not in taken
    ]


def others_of(calls: Iterable[Call]) -> QuerySet[Call] | None:
    """Return the settled calls to the same people that count otherwise by these; None: there are none.

    Where a call is corrected, another may be the first now; where somebody became interested, the call that
    reached them first says so.
    """
    yes = Disposition.INTERESTED
    people = {
        call.facilitator_id
        for call in calls
        if call.is_phone_call and (call.tallied or call.disposition == yes)
    }
    settled = Call.objects.by_phone().filter(settled_at__isnull=False, tally_due=False)
    return settled.filter(facilitator__in=people) if people else None


def entries_for(calls: Sequence[Call]) -> dict[UUID, list[Entry]]:
    """Return what each of these calls adds; nothing for those that are not dialled."""
    by_phone = [call for call in calls if call.is_phone_call]
    places = _places({call.person_id for call in by_phone})
    nothing: dict[UUID, list[Entry]] = {call.pk: [] for call in calls}
    return nothing | {call.pk: entries_of(_outcome(call, places[call.pk])) for call in by_phone}


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a call stands among those to the same person."""

    attempt: int
    first_reach: bool
    first_interest: bool
    ever_interested: bool
    time_zone: str


def _places(people: Iterable[int]) -> dict[UUID, _Place]:
    """Return where each phone call to these people stands among theirs."""
    calls = Call.objects.by_phone().filter(facilitator__in=people).order_by("queued_at", "pk")
    rows = list(calls.select_related("facilitator").only(*_OF_OTHERS))
    say_yes = {call.person_id for call in rows if call.disposition == Disposition.INTERESTED}
    found: dict[UUID, _Place] = {}
    attempts: dict[int, int] = defaultdict(int)
    reached: set[int] = set()
    interested: set[int] = set()
    for call in rows:
        person = call.person_id
        attempts[person] += call.placed_at is not None
        by_person, says_yes = _by_person(call), call.disposition == Disposition.INTERESTED
        found[call.pk] = _Place(
            attempt=max(1, attempts[person]),
            first_reach=by_person and person not in reached,
            first_interest=says_yes and person not in interested,
            ever_interested=person in say_yes,
            time_zone=call.person.time_zone,
        )
        if by_person:
            reached.add(person)
        if says_yes:
            interested.add(person)
    return found


def _by_person(call: Call) -> bool:
    return call.answered_at is not None and (call.judged_answered_by or call.answered_by) in PERSON


def _outcome(call: Call, place: _Place) -> CallOutcome:
    begun_at = call.dialing_at or call.queued_at
    held = (call.ended_at - begun_at).total_seconds() if call.ended_at and call.placed_at else 0.0
    return CallOutcome(
        begun_at=begun_at,
        dialled=call.placed_at is not None,
        answered=call.answered_at is not None,
        by_person=_by_person(call),
        status=call.status,
        disposition=call.disposition,
        stage=call.stage,
        time_zone=place.time_zone,
        held_seconds=max(0.0, held),
        talk_seconds=call.duration_seconds,
        our_fault=call.our_fault,
        fault=call.failure_code or call.ended_by,
        cost=call.cost,
        currency=call.cost_currency,
        attempt=place.attempt,
        first_reach=place.first_reach,
        first_interest=place.first_interest,
        ever_interested=place.ever_interested,
    )


def held_of(call: Call) -> list[Entry]:
    """Return what the statistics hold of a call already."""
    return [Entry(thing, key, Decimal(amount)) for thing, key, amount in call.tallied]


def _stored(entry: Entry) -> list[str]:
    return [entry.thing, entry.key, str(entry.amount)]


def cell_of(call: Call, entry: Entry) -> Cell:
    """Return the row that counts an entry of a call; a day is a UTC day."""
    day = (call.dialing_at or call.queued_at).date()
    return day, call.campaign_id, call.script_id, call.caller_id, entry.thing, entry.key


def _add(changes: Mapping[Cell, Sequence[Any]]) -> None:
    rows = [(*cell, n, amount) for cell, (n, amount) in sorted(changes.items()) if n or amount]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])
