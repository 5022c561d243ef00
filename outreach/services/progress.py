"""What the carrier and the room server tell us of a call: one inbox row, one move, one transaction.

Events get lost, doubled and reordered; the rank of the status decides, never the arrival. The late
fence: a sign of life of a call that we think closed is answered by hanging up and an incident.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from outreach.domain import defaults
from outreach.domain.call_status import TERMINAL, CallStatus, may_move
from outreach.domain.contracts import WorkerReport
from outreach.domain.standing import CALLABLE, Standing
from outreach.models import AgentWorker, Call, EventSource, Facilitator
from outreach.services import campaigns, clock
from outreach.services.inbox import store_event, store_incident
from outreach.services.locks import lock_number
from outreach.services.rows import locked_call_of_token
from outreach.services.settling import settle

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ProviderEventResult:
    """What the caller must do after the commit."""

    known: bool
    """Whether the token is one of ours."""
    hang_up_sid: str | None = None
    """A call at the carrier that must not be: end it."""
    ended_call: UUID | None = None
    """A call whose line is free now: its room must be closed."""


@dataclass(frozen=True, kw_only=True)
class Connect:
    """Bring the person who answered into `room`."""

    room: str
    call_id: UUID


@dataclass(frozen=True, kw_only=True)
class HangUp:
    """End the call at once, with a reason for the log."""

    reason: str


@transaction.atomic
def apply_provider_event(
    *,
    token: str,
    event_id: str,
    kind: str,
    status: CallStatus | None,
    sid: str,
    payload: dict[str, Any],
    duration: int | None = None,
    failure_code: str = "",
) -> ProviderEventResult:
    """Apply one status event of the carrier; a repeat changes nothing.

    :param duration: seconds of the call, at its end.
    """
    call = _by_token(token)
    now = clock.now()
    fresh = store_event(
        source=EventSource.TWILIO, event_id=event_id, kind=kind, call=call, payload=payload, now=now
    )
    if call is None:
        return ProviderEventResult(known=False)
    if not fresh or status is None:
        return ProviderEventResult(known=True)
    return apply_status(call, status=status, sid=sid, now=now, duration=duration, failure_code=failure_code)


def _by_token(token: str) -> Call | None:
    """Return the call with this token, locked; a talk in the browser has no carrier."""
    call = locked_call_of_token(token)
    return call if call is not None and call.rings else None


def apply_status(
    call: Call,
    *,
    status: CallStatus,
    sid: str,
    now: datetime,
    duration: int | None = None,
    failure_code: str = "",
) -> ProviderEventResult:
    """Apply what the carrier says of `call`, whose row the caller has locked."""
    if call.twilio_sid is not None and call.twilio_sid != sid:
        store_incident(call=call, kind="second_call", event_id=sid, now=now, sid=sid)
        return ProviderEventResult(known=True, hang_up_sid=None if status in TERMINAL else sid)
    if CallStatus(call.status) in TERMINAL:
        return _after_the_end(call, status=status, sid=sid, now=now)
    if call.twilio_sid is None:
        call.twilio_sid = sid
        call.placed_at = call.placed_at or now
        call.save(update_fields=["twilio_sid", "placed_at"])
        campaigns.end_streak(campaign=call.campaign, streak="refused_streak")
    # Whatever we gave up must not go on ringing: our first hang-up may have come before the carrier's name.
    unwanted = sid if call.hangup_at is not None and status not in TERMINAL else None
    if not may_move(CallStatus(call.status), status):
        return ProviderEventResult(known=True, hang_up_sid=unwanted)
    _move(call, status, now=now, duration=duration, failure_code=failure_code)
    if status not in TERMINAL:
        return ProviderEventResult(known=True, hang_up_sid=unwanted)
    settle(call, now=now)
    return ProviderEventResult(known=True, ended_call=call.pk)


#: All that a move may change, the taking back of a `not_placed` included.
_MOVED = [
    *("status", "placed_at", "ringing_at", "answered_at", "ended_at", "settled_at", "deadline_at"),
    *("duration_seconds", "failure_code", "our_fault"),
]


def _move(call: Call, status: CallStatus, *, now: datetime, duration: int | None, failure_code: str) -> None:
    call.status = status.value
    if status in TERMINAL:
        call.ended_at = now
        call.duration_seconds = duration
        call.failure_code = call.failure_code or failure_code
        call.deadline_at = now + timedelta(seconds=defaults.END_DEADLINE)
        if status is CallStatus.COMPLETED:
            call.answered_at = call.answered_at or now
        if status in (CallStatus.COMPLETED, CallStatus.BUSY, CallStatus.NO_ANSWER):
            call.ringing_at = call.ringing_at or now
    elif status is CallStatus.IN_PROGRESS:
        call.ringing_at = call.ringing_at or now
        call.answered_at = call.answered_at or now
        call.deadline_at = now + timedelta(seconds=call.campaign.max_duration + 60)
    elif status is CallStatus.RINGING:
        call.ringing_at = now
        call.deadline_at = now + timedelta(seconds=call.campaign.ring_timeout + 30)
    call.save(update_fields=_MOVED)
    logger.info("call moved", extra={"call_id": str(call.pk), "status": status.value})


def _after_the_end(call: Call, *, status: CallStatus, sid: str, now: datetime) -> ProviderEventResult:
    """Answer an event of a closed call: stale when we knew this SID, else a phone that must not ring."""
    if call.twilio_sid == sid:
        if call.status != CallStatus.NOT_PLACED.value:
            ghost = call.placed_at is None and status not in TERMINAL
            return ProviderEventResult(known=True, hang_up_sid=sid if ghost else None)
    else:
        call.twilio_sid = sid
        call.save(update_fields=["twilio_sid"])
    store_incident(
        call=call,
        kind="sign_of_life_after_the_end",
        event_id=f"{sid}:{status.value}",
        now=now,
        status=status.value,
    )
    if may_move(CallStatus(call.status), status):
        _resurrect(call, status, now=now)
    if status in TERMINAL:
        return ProviderEventResult(known=True, ended_call=call.pk)
    return ProviderEventResult(known=True, hang_up_sid=sid)


def _resurrect(call: Call, status: CallStatus, *, now: datetime) -> None:
    """Take back a `not_placed` that the carrier proved wrong, unless the number is in another call.

    Whoever was closed meanwhile, by a later call or an operator, stays so when this one is settled. A trial
    on an operator's own phone has nobody to settle: it stays closed, and is hung up.
    """
    if not call.is_phone_call:
        return
    lock_number(call.number)
    person = Facilitator.objects.select_for_update().get(pk=call.person_id)
    others = Call.objects.by_phone().exclude(pk=call.pk).filter(settled_at=None)
    if others.filter(Q(facilitator=person) | Q(number=call.number)).exists():
        return
    call.our_fault = True
    call.placed_at = call.placed_at or now
    call.settled_at = call.ended_at = None
    if person.standing not in CALLABLE:
        person.wish = person.standing
    person.standing = Standing.IN_CALL.value
    person.next_call_at = None
    person.save(update_fields=["standing", "next_call_at", "wish"])
    _move(call, status, now=now, duration=None, failure_code="late")
    settle(call, now=now)


@transaction.atomic
def answer_call(*, token: str, sid: str, event_id: str, payload: dict[str, Any]) -> Connect | HangUp:
    """Say what happens to the person who picked up: into the room, if Alex is alive in it."""
    call = _by_token(token)
    now = clock.now()
    store_event(
        source=EventSource.TWILIO, event_id=event_id, kind="answer", call=call, payload=payload, now=now
    )
    if call is None:
        return HangUp(reason="unknown token")
    result = apply_status(call, status=CallStatus.IN_PROGRESS, sid=sid, now=now)
    if result.hang_up_sid is not None or CallStatus(call.status) in TERMINAL:
        return HangUp(reason="closed call")
    if not agent_is_alive(call, now=now):
        Call.objects.filter(pk=call.pk).update(our_fault=True, failure_code="agent_lost", hangup_at=now)
        return HangUp(reason="no agent in the room")
    return Connect(room=call.room, call_id=call.pk)


def agent_is_alive(call: Call, *, now: datetime) -> bool:
    """Tell whether Alex, or the worker that runs him, was heard of lately in this call."""
    if call.agent_seen_at is None or call.end_received_at is not None:
        return False
    return now - call.agent_seen_at <= timedelta(seconds=defaults.AGENT_LOST_AFTER)


@transaction.atomic
def apply_room_event(
    *, event_id: str, kind: str, room: str, participant_kind: str, identity: str, payload: dict[str, Any]
) -> None:
    """Store one event of the room server. Evidence for people: no decision hangs on it, it may be lost."""
    del identity  # carries the caller's number for SIP legs
    try:
        call = Call.objects.filter(pk=UUID(room.removeprefix("call-"))).first()
    except ValueError:
        call = None
    store_event(
        source=EventSource.LIVEKIT,
        event_id=event_id,
        kind=f"{kind} {participant_kind}".strip(),
        call=call,
        payload=payload,
        now=clock.now(),
    )


@transaction.atomic
def worker_reported(*, report: WorkerReport) -> None:
    """Note what an agent worker says of itself: its places, and that the calls it holds are alive."""
    now = clock.now()
    AgentWorker.objects.update_or_create(
        worker_id=report.worker_id,
        defaults={
            "places": report.places,
            "free": report.free,
            "calls": report.calls,
            "draining": report.draining,
            "reported_at": now,
        },
    )
    # Waits for no call: a row that is locked now is seen by the next report, two seconds later.
    held = Call.objects.filter(pk__in=report.calls, settled_at=None, agent_worker=report.worker_id)
    free = held.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
    Call.objects.filter(pk__in=list(free)).update(agent_seen_at=now)
