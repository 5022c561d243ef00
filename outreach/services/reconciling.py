"""The sweep: every call ends. What is past a deadline is asked for at the carrier, then settled."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from outreach.domain import defaults
from outreach.domain.call_status import TERMINAL, CallStatus
from outreach.integrations.telephony import ProviderCall, Rooms, Telephony, TelephonyError
from outreach.models import Call
from outreach.services import campaigns, clock
from outreach.services.dialing import LOOK_AGAIN, cancel_before_dial, close_room, hang_up
from outreach.services.importing import refuse_interrupted
from outreach.services.inbox import store_incident
from outreach.services.locks import try_lock_call, try_lock_sweep
from outreach.services.progress import apply_status
from outreach.services.recording import give_up_on_gaps
from outreach.services.settling import settle, settle_untouched
from outreach.services.talk_rows import conclude_lost

logger = logging.getLogger(__name__)

BATCH = 50
#: Seconds after which a sweep leaves the rest to the next one: a slow carrier must not freeze it.
PATIENCE = 20
#: Within this time of PostgreSQL's return every living worker has reported again.
WORKERS_SPEAK_WITHIN = timedelta(seconds=2)


def sweep(*, telephony: Telephony, rooms: Rooms) -> int:
    """Look into every call past its deadline or without its agent; return how many were looked into.

    One sweep runs at a time; a second one returns at once.
    """
    with try_lock_sweep() as got:
        if not got:
            return 0
        campaigns.release_held()
        give_up_on_gaps()
        refuse_interrupted()
        looked = 0
        until = time.monotonic() + PATIENCE
        for find, look in ((_agentless, _rescue), (_late, _look_into)):
            for call in find(clock.now()):
                if time.monotonic() > until:
                    return looked
                _look(look, call, telephony, rooms)
                looked += 1
        return looked


def _look(
    look: Callable[[Call, Telephony, Rooms], None], call: Call, telephony: Telephony, rooms: Rooms
) -> None:
    """Look into one call; what is wrong with it must not keep the sweep from the others."""
    try:
        look(call, telephony, rooms)
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
        raise
    except Exception as exc:  # noqa: BLE001  (logged by its type alone: a message may hold a number)
        details = {"call_id": str(call.pk), "error": type(exc).__name__}
        logger.error("call could not be looked into", extra=details)  # noqa: TRY400
        _postpone(call)


def _late(now: datetime) -> list[Call]:
    late = Call.objects.filter(settled_at=None, deadline_at__lte=now).select_related("campaign")
    return list(late.order_by("deadline_at")[:BATCH])


def _agentless(now: datetime) -> list[Call]:
    """Return open calls whose agent was there and has not been heard of, or is done, for six seconds."""
    silence = timedelta(seconds=defaults.AGENT_LOST_AFTER)
    if clock.database_age() < silence + WORKERS_SPEAK_WITHIN:
        return []  # a restart silences all workers at once: cutting every conversation would help nobody
    lost = now - silence
    return list(
        Call.objects.open()
        .filter(Q(agent_seen_at__lt=lost) | Q(end_received_at__lt=lost), agent_seen_at__isnull=False)
        .filter(Q(hangup_at=None) | Q(hangup_at__lt=now - timedelta(seconds=LOOK_AGAIN)))
        .order_by("queued_at")[:BATCH]
    )


def _rescue(call: Call, telephony: Telephony, rooms: Rooms) -> None:
    """End a call whose agent is gone: nobody is left in silence."""
    if call.status == CallStatus.PREPARING.value:
        cancel_before_dial(call_id=call.pk, code="agent_lost", reason="The agent left before the dial.")
        close_room(call_id=call.pk, rooms=rooms)
        return
    if not call.rings:
        _end_talk(call, rooms)
        return
    fault = call.end_received_at is None
    if fault:
        Call.objects.filter(pk=call.pk, failure_code="").update(failure_code="agent_lost")
    hang_up(call_id=call.pk, telephony=telephony, rooms=rooms, our_fault=fault)


def _look_into(call: Call, telephony: Telephony, rooms: Rooms) -> None:
    status = CallStatus(call.status)
    if status in TERMINAL:
        _settle_late(call.pk)
    elif status is CallStatus.QUEUED:
        _withdraw_queued(call.pk)
    elif status is CallStatus.PREPARING:
        code = "no_agent" if call.ready_at is None else "not_dialled_in_time"
        if _cancel_late(call, code):
            close_room(call_id=call.pk, rooms=rooms)
    elif not call.rings:
        _end_talk(call, rooms)
    else:
        _ask(call, telephony, rooms)


def _end_talk(call: Call, rooms: Rooms) -> None:
    """End a talk in the browser that lasts too long or has lost its agent: there is no carrier to ask."""
    conclude_lost(call_id=call.pk, code="agent_lost", reason="Alex was lost before he could say goodbye.")
    close_room(call_id=call.pk, rooms=rooms)


def _cancel_late(call: Call, code: str) -> bool:
    """Cancel a preparing call past its deadline, unless its dialer is at work this moment."""
    with try_lock_call(call.pk) as got:
        if not got:
            return False
        return cancel_before_dial(
            call_id=call.pk, code=code, reason="Nobody was dialled: no agent was ready in time."
        )


def _withdraw_queued(call_id: UUID) -> None:
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=call_id)
        if call.status != CallStatus.QUEUED.value:
            return
        now = clock.now()
        call.status = CallStatus.CANCELED.value
        call.ended_at = now
        call.failure_code = "not_prepared"
        call.failure_reason = "No worker took the call up in time."
        call.save()
        settle_untouched(call, refusal=None, next_call_at=now, now=now)


def _settle_late(call_id: UUID) -> None:
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=call_id)
        settle(call, now=clock.now(), late=True)


def _ask(call: Call, telephony: Telephony, rooms: Rooms) -> None:
    """Ask the carrier what became of a call, and apply its answer."""
    _postpone(call)
    try:
        found = _find(call, telephony)
    except TelephonyError:
        logger.warning("carrier could not be asked", extra={"call_id": str(call.pk)})
        return
    if not found:
        _not_there(call)
        return
    Call.objects.filter(pk=call.pk, empty_lists__gt=0).update(empty_lists=0, empty_list_at=None)
    first, *others = sorted(found, key=lambda one: one.created_at or call.queued_at)
    for other in others:
        store_incident(call=call, kind="second_call", event_id=other.sid, now=clock.now(), sid=other.sid)
        if other.status not in TERMINAL:
            telephony.end_call(other.sid)
    with transaction.atomic():
        locked = Call.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=call.pk)
        result = apply_status(
            locked, status=first.status, sid=first.sid, now=clock.now(), duration=first.duration
        )
    if result.ended_call is not None:
        close_room(call_id=call.pk, rooms=rooms)
    elif result.hang_up_sid is not None:
        telephony.end_call(result.hang_up_sid)
    elif _is_overdue(call, first):
        talks = call.status == CallStatus.IN_PROGRESS.value
        hang_up(call_id=call.pk, telephony=telephony, rooms=rooms, our_fault=talks)


def _find(call: Call, telephony: Telephony) -> list[ProviderCall]:
    """Return the carrier's calls that are this one: by SID, else by both numbers since the intent."""
    if call.twilio_sid is not None:
        one = telephony.fetch_call(call.twilio_sid)
        return [one] if one is not None else []
    since = (call.dialing_at or call.queued_at) - timedelta(seconds=5)
    found = telephony.find_calls(to=call.number, from_=call.caller_id, created_after=since)
    ours = Call.objects.exclude(pk=call.pk).filter(twilio_sid__in=[one.sid for one in found])
    known = set(ours.values_list("twilio_sid", flat=True))
    return [one for one in found if one.sid not in known]


def _is_overdue(call: Call, said: ProviderCall) -> bool:
    """Tell whether `call`, as it was before the question, is longer in its stage than it may be."""
    if call.twilio_sid is None or said.status in TERMINAL:
        return False
    status = CallStatus(call.status)
    rings = status is CallStatus.DIALING and said.status is CallStatus.RINGING
    return rings or status in (CallStatus.RINGING, CallStatus.IN_PROGRESS)


def _postpone(call: Call) -> None:
    """Look again later: soon for a call that we know, less and less often for one that nobody has seen."""
    rarer = defaults.EMPTY_LISTS_APART * 2 ** min(call.empty_lists, 2)
    wait = LOOK_AGAIN if call.twilio_sid else rarer
    Call.objects.filter(pk=call.pk).update(deadline_at=clock.now() + timedelta(seconds=wait))


def _not_there(call: Call) -> None:
    """Count a look that found nothing; two of them, thirty seconds apart and five minutes old, prove it.

    Only whoever holds the call's lock may say so: a dialer frozen before its POST still holds it.
    """
    with try_lock_call(call.pk) as got, transaction.atomic():
        if not got:
            return
        locked = Call.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=call.pk)
        now = clock.now()
        if CallStatus(locked.status) in TERMINAL or locked.twilio_sid != call.twilio_sid:
            return
        apart = timedelta(seconds=defaults.EMPTY_LISTS_APART)
        if locked.empty_list_at is None or now - locked.empty_list_at >= apart:
            locked.empty_lists += 1
            locked.empty_list_at = now
        old_enough = now - (locked.dialing_at or now) >= timedelta(seconds=defaults.NOT_PLACED_AFTER)
        if locked.empty_lists >= 2 and old_enough:
            _conclude(locked, now)
        locked.save()
        if locked.ended_at is not None:
            settle(locked, now=now)


def _conclude(call: Call, now: datetime) -> None:
    """End a call that the carrier has not, or does not know any more; the caller saves it."""
    call.ended_at = now
    if call.twilio_sid is None:
        call.status = CallStatus.NOT_PLACED.value
        call.failure_code = "not_placed"
        call.failure_reason = "The carrier never placed this call."
        return
    call.status = CallStatus.FAILED.value
    call.our_fault = True
    call.failure_code = "carrier_forgot"
    call.failure_reason = "The carrier took this call and does not know it any more."
    call.deadline_at = now + timedelta(seconds=defaults.END_DEADLINE)
    store_incident(call=call, kind="carrier_forgot", event_id=call.twilio_sid, now=now)
