"""Noting, in the transaction in which something happens, which other programs are to be told of it.

One statement per happening, and none while nobody listens: a process that found no active endpoint looks
again after `LOOKS_AGAIN_AFTER` seconds. What is noted holds ids and outcomes; no word, name or number.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from outreach.models import Call, Callback, Facilitator, HookEndpoint, HookEvent, Suppression

LOOKS_AGAIN_AFTER = 5.0
_Happening = tuple[HookEvent, Mapping[str, Any]]

_NOTE = """
INSERT INTO outreach_hookdelivery
    (endpoint_id, event_id, event, call_id, payload, state, due_at, tries, answer, created_at)
SELECT endpoint.id, happened.event_id, happened.event, %(call)s, happened.payload::jsonb,
    'due', %(now)s, 0, '', %(now)s
FROM outreach_hookendpoint AS endpoint
JOIN unnest(%(events)s::text[], %(ids)s::uuid[], %(payloads)s::text[])
    AS happened (event, event_id, payload) ON happened.event = ANY(endpoint.events)
WHERE endpoint.active
ON CONFLICT DO NOTHING
"""


class _Ear:
    """Whether somebody listens, as this process last found."""

    deaf_until = 0.0


def look_again() -> None:
    """Forget that nobody listened: an endpoint was just made or changed."""
    _Ear.deaf_until = 0.0


def note_settled(call: Call, person: Facilitator, *, interested: bool, now: datetime) -> None:
    """Note that a call is finished and what it achieved; runs in the transaction that settles it.

    A call is finished once more when what was missing of it comes late.
    """
    finished = {
        **_ids(call.pk, person),
        "kind": call.kind,
        "status": call.status,
        "answered_by": call.answered_by,
        "disposition": call.disposition,
        "our_fault": call.our_fault,
        "counts_as_attempt": call.counts,
        "answered_at": _written(call.answered_at),
        "ended_at": _written(call.ended_at),
        "duration_seconds": call.duration_seconds,
        "standing": person.standing,
        "next_call_at": _written(person.next_call_at),
    }
    happened: list[_Happening] = [(HookEvent.CALL_FINISHED, finished)]
    if interested:
        happened.append((HookEvent.INTERESTED, _interest(call, person)))
    _note(happened, call_id=call.pk, now=now)


def note_interested(call: Call, person: Facilitator, *, now: datetime) -> None:
    """Note that a call that was settled before turns out to have found somebody interested."""
    _note([(HookEvent.INTERESTED, _interest(call, person))], call_id=call.pk, now=now)


def note_interested_by_hand(*, facilitator_ids: Collection[int], now: datetime) -> None:
    """Note that an operator found these people interested; no call of theirs says so."""
    if not facilitator_ids or not _somebody_listens():
        return
    people = Facilitator.objects.filter(pk__in=facilitator_ids).order_by("pk").only("campaign_id")
    happened = [(HookEvent.INTERESTED, {**_ids(None, person), "turn_seq": None}) for person in people]
    _note(happened, call_id=None, now=now)


def note_callback(callback: Callback, person: Facilitator, *, now: datetime) -> None:
    """Note that a callback was agreed."""
    agreed = {
        **_ids(callback.agreed_in_id, person),
        "callback": callback.pk,
        "promised_at": _written(callback.promised_at),
        "time_zone": callback.time_zone,
        "by": callback.by,
    }
    _note([(HookEvent.CALLBACK_AGREED, agreed)], call_id=callback.agreed_in_id, now=now)


def note_opt_out(suppression: Suppression, *, now: datetime) -> None:
    """Note that a number is never called again; every person with that number is named."""
    if not _somebody_listens():
        return
    people = Facilitator.objects.filter(number=suppression.number).order_by("pk")
    stopped = {
        "suppression": suppression.pk,
        "source": suppression.source,
        "call": _written(suppression.call_id),
        "facilitators": list(people.values_list("pk", flat=True)),
    }
    _note([(HookEvent.OPT_OUT, stopped)], call_id=suppression.call_id, now=now)


def _ids(call_id: UUID | None, person: Facilitator) -> dict[str, Any]:
    return {"call": _written(call_id), "facilitator": person.pk, "campaign": person.campaign_id}


def _interest(call: Call, person: Facilitator) -> dict[str, Any]:
    return {**_ids(call.pk, person), "turn_seq": call.disposition_seq}


def _written(value: UUID | datetime | None) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _note(happened: Sequence[_Happening], *, call_id: UUID | None, now: datetime) -> None:
    if not _somebody_listens():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE,
            {
                "call": call_id,
                "now": now,
                "events": [event.value for event, _ in happened],
                "ids": [_event_id(event, call_id) for event, _ in happened],
                "payloads": [json.dumps(payload) for _, payload in happened],
            },
        )


def _event_id(event: HookEvent, call_id: UUID | None) -> UUID:
    """Return the event's id: somebody is interested once per call, however often it is said."""
    if event is HookEvent.INTERESTED and call_id is not None:
        return uuid.uuid5(call_id, event.value)
    return uuid.uuid4()


def _somebody_listens() -> bool:
    if time.monotonic() < _Ear.deaf_until:
        return False
    if HookEndpoint.objects.filter(active=True).exists():
        return True
    _Ear.deaf_until = time.monotonic() + LOOKS_AGAIN_AFTER
    return False
