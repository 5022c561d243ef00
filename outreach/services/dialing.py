"""Placing one call: prepare the room, commit the intent, ask the carrier exactly once.

Nothing here is ever repeated by a library, and no side effect happens inside a transaction.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Least

from outreach.domain import defaults
from outreach.domain.call_status import CallStatus
from outreach.domain.disposition import OPERATOR_HUNG_UP
from outreach.domain.script import InvalidScript
from outreach.integrations.telephony import (
    CallOrder,
    DialOutcomeUnknown,
    Rooms,
    Telephony,
    TelephonyError,
    TelephonyRefused,
    TelephonyUnavailable,
)
from outreach.models import Call
from outreach.services import campaigns, carrier_account, clock, dial_results
from outreach.services.briefing import brief_for
from outreach.services.intent import NotYet, commit_intent, may_still_dial
from outreach.services.locks import try_lock_call
from outreach.services.rows import call_with_all, locked_call, row_of
from outreach.services.settling import settle

logger = logging.getLogger(__name__)

#: A dial task may wait in place for its pacing token, in seconds: less than a tick.
TOKEN_PATIENCE = 0.8
#: How soon the sweep asks the carrier what became of a hang-up, in seconds; it repeats no look sooner.
LOOK_AGAIN = 15


def prepare_call(*, call_id: UUID, rooms: Rooms) -> None:
    """Create the room and send Alex into it. At most once: the status moves before the server is asked."""
    now = clock.now()
    deadline = now + timedelta(seconds=defaults.READY_DEADLINE)
    wanted = Call.objects.by_phone().filter(pk=call_id)
    if not wanted.move(CallStatus.PREPARING, preparing_at=now, deadline_at=deadline):
        return
    if _refused_by_account(call_id):
        return
    call = call_with_all(pk=call_id)
    try:
        brief = brief_for(call, now=now)
    except InvalidScript as problem:
        cancel_before_dial(call_id=call_id, code="bad_script", reason=str(problem)[:300], asked_for=True)
        reason = f"The script cannot be read: {problem} Mend it, then resume."
        campaigns.hold(campaign_id=call.campaign_id, reason=reason, release_after=None)
        return
    try:
        rooms.prepare_room(
            room=call.room,
            agent_name=settings.AGENT_NAME,
            metadata=brief.model_dump_json(),
            empty_timeout=_room_patience(call),
        )
    except TelephonyUnavailable:
        cancel_before_dial(
            call_id=call_id, code="rooms_unavailable", reason="The room server could not be asked."
        )


def _room_patience(call: Call) -> int:
    """Return the seconds a room may be without the person: Alex alone counts as empty."""
    return defaults.READY_DEADLINE + 2 * defaults.PROVIDER_QUEUE + call.campaign.ring_timeout + 60


def cancel_before_dial(*, call_id: UUID, code: str, reason: str, asked_for: bool = False) -> bool:
    """Cancel an attempt before anybody's phone rings; return whether it was one.

    Costs no attempt; a streak of them holds the campaign, unless they were `asked_for` by somebody.
    """
    with transaction.atomic():
        call = locked_call(pk=call_id)
        allowed = (
            (CallStatus.PREPARING.value,)
            if not asked_for
            else (CallStatus.PREPARING.value, CallStatus.QUEUED.value)
        )
        if call.status not in allowed:
            return False
        now = clock.now()
        call.status = CallStatus.CANCELED.value
        call.ended_at = now
        call.our_fault = True
        call.failure_code = code
        call.failure_reason = reason
        call.save()
        settle(call, now=now)
    if not asked_for and call.is_phone_call:
        _count_unready(call.campaign_id)
    logger.warning("call canceled before the dial", extra={"call_id": str(call_id), "code": code})
    return True


def _count_unready(campaign_id: int) -> None:
    """Count a call without an agent; a streak of five holds the campaign for two minutes.

    Runs after the commit: whoever holds a call's row must not wait for its campaign's.
    """
    streak = campaigns.count_unready(campaign_id=campaign_id)
    if streak >= defaults.UNREADY_STREAK_HOLDS:
        campaigns.hold(
            campaign_id=campaign_id,
            reason=f"No agent became ready for {streak} calls in a row. Are the agent workers running?",
            release_after=timedelta(minutes=2),
        )


def dial_call(*, call_id: UUID, telephony: Telephony) -> None:
    """Place the call, once: the intent is committed first, and the lock is held over the POST."""
    with try_lock_call(call_id) as got:
        if not got or _refused_by_account(call_id):
            return
        order = _order(call_id)
        if order is None:
            return
        if not may_still_dial(call_id=call_id):
            dial_results.held_back(call_id)
            return
        try:
            placed = telephony.place_call(order)
        except TelephonyRefused as refusal:
            dial_results.refused(call_id, refusal)
        except TelephonyUnavailable:
            dial_results.never_left(call_id)
        except DialOutcomeUnknown:
            dial_results.unknown(call_id)
        else:
            if dial_results.accepted(call_id, placed):
                _end_at_carrier(call_id, placed.sid, telephony)


def _refused_by_account(call_id: UUID) -> bool:
    """Cancel the attempt and hold its campaign where our account may not call; return whether it is so."""
    rule = carrier_account.refusal()
    if rule is None:
        return False
    cancel_before_dial(call_id=call_id, code="account", reason=rule.sentence, asked_for=True)
    campaign_id = Call.objects.values_list("campaign_id", flat=True).get(pk=call_id)
    campaigns.hold(campaign_id=campaign_id, reason=rule.sentence, release_after=None)
    return True


def _order(call_id: UUID) -> CallOrder | None:
    """Commit the intent, waiting a moment for a pacing token; None when it is not to be dialled now."""
    patience = TOKEN_PATIENCE
    while True:
        intent = commit_intent(call_id=call_id)
        if not isinstance(intent, NotYet):
            return intent
        if intent.seconds > patience:
            return None
        time.sleep(intent.seconds)
        patience -= intent.seconds


def hang_up(
    *, call_id: UUID, telephony: Telephony, rooms: Rooms, our_fault: bool = False, by_operator: bool = False
) -> None:
    """End a call at the carrier and in its room, whatever stage it is in; done twice is fine.

    :param our_fault: the attempt is not the person's to lose, unless Alex has ended the talk already.
    :param by_operator: somebody wanted the talk to end here: it counts, without an outcome of its own.
    """
    if cancel_before_dial(call_id=call_id, code="canceled", reason="Ended before the dial.", asked_for=True):
        close_room(call_id=call_id, rooms=rooms)
        return
    now = clock.now()
    open_call = Call.objects.filter(pk=call_id).open()
    soon = now + timedelta(seconds=LOOK_AGAIN)
    open_call.update(hangup_at=now, deadline_at=Least("deadline_at", Value(soon)))
    talking = open_call.filter(end_received_at=None)
    if by_operator:
        talking.filter(failure_code="", our_fault=False).update(
            failure_code=OPERATOR_HUNG_UP, failure_reason="An operator hung up."
        )
    if our_fault:
        talking.exclude(failure_code=OPERATOR_HUNG_UP).update(our_fault=True)
    sid = Call.objects.values_list("twilio_sid", flat=True).get(pk=call_id)
    if sid is not None:
        _end_at_carrier(call_id, sid, telephony)
    close_room(call_id=call_id, rooms=rooms)


def _end_at_carrier(call_id: UUID, sid: str, telephony: Telephony) -> None:
    try:
        telephony.end_call(sid)
    except TelephonyError:
        logger.warning("hang-up not taken; the sweep asks again", extra={"call_id": str(call_id)})


def close_room(*, call_id: UUID, rooms: Rooms) -> None:
    """Delete the call's room, and with it every leg in it; a failure is left to the room's own time-outs."""
    try:
        rooms.delete_room(f"call-{call_id}")
    except TelephonyUnavailable:
        logger.warning("room not deleted", extra={"call_id": str(call_id)})


def close_room_of_ended(*, call_id: UUID, rooms: Rooms) -> None:
    """Delete the room of a call that ended without ringing; Alex waits in it for nobody."""
    call = row_of(Call, "id", call_id)
    if call is not None and call.ended_at is not None:
        close_room(call_id=call_id, rooms=rooms)
