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

from outreach.domain import defaults
from outreach.domain.call_status import TERMINAL, CallStatus
from outreach.integrations.telephony import (
    CallOrder,
    DialOutcomeUnknown,
    Fault,
    ProviderCall,
    Rooms,
    Telephony,
    TelephonyError,
    TelephonyRefused,
    TelephonyUnavailable,
)
from outreach.models import Call, Facilitator
from outreach.services import campaigns, clock
from outreach.services.briefing import brief_for
from outreach.services.intent import NotYet, commit_intent
from outreach.services.locks import try_lock_call
from outreach.services.progress import apply_status, carrier_answers
from outreach.services.settling import settle, settle_untouched

logger = logging.getLogger(__name__)

#: A dial task may wait in place for its pacing token, in seconds: less than a tick.
TOKEN_PATIENCE = 0.8


def prepare_call(*, call_id: UUID, rooms: Rooms) -> None:
    """Create the room and send Alex into it. At most once: the status moves before the server is asked."""
    now = clock.now()
    deadline = now + timedelta(seconds=defaults.READY_DEADLINE)
    call = Call.objects.select_related("campaign", "script", "facilitator").filter(pk=call_id).first()
    if call is None or not call.move_to(CallStatus.PREPARING, preparing_at=now, deadline_at=deadline):
        return
    brief = brief_for(call, now=now)
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


def cancel_before_dial(*, call_id: UUID, code: str, reason: str, only_preparing: bool = True) -> bool:
    """Cancel an attempt before anybody's phone rings; return whether it was one.

    Costs no attempt; a streak of them holds the campaign.
    """
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=call_id)
        allowed = (
            (CallStatus.PREPARING.value,)
            if only_preparing
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
        streak = campaigns.count_unready(campaign_id=call.campaign_id)
    if streak >= defaults.UNREADY_STREAK_HOLDS:
        campaigns.hold(
            campaign_id=call.campaign_id,
            reason=f"No agent became ready for {streak} calls in a row. Are the agent workers running?",
            release_after=timedelta(minutes=2),
        )
    logger.warning("call canceled before the dial", extra={"call_id": str(call_id), "code": code})
    return True


def dial_call(*, call_id: UUID, telephony: Telephony) -> None:
    """Place the call, once: the intent is committed first, and the lock is held over the POST."""
    with try_lock_call(call_id) as got:
        if not got:
            return
        order = _order(call_id)
        if order is None:
            return
        try:
            placed = telephony.place_call(order)
        except TelephonyRefused as refused:
            _refused(call_id, refused)
        except TelephonyUnavailable:
            _never_left(call_id)
        except DialOutcomeUnknown:
            _unknown(call_id)
        else:
            _accepted(call_id, placed)


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


def _accepted(call_id: UUID, placed: ProviderCall) -> None:
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=call_id)
        now = clock.now()
        if call.twilio_sid is None:
            call.twilio_sid = placed.sid
        call.placed_at = call.placed_at or now
        call.save(update_fields=["twilio_sid", "placed_at"])
        carrier_answers(call.campaign_id)
        if placed.status in TERMINAL:
            apply_status(call, status=placed.status, sid=placed.sid, now=now)
    logger.info("call placed", extra={"call_id": str(call_id)})


def _unknown(call_id: UUID) -> None:
    """Keep the call open: the phone may ring. The sweep asks the carrier; nobody dials again."""
    now = clock.now()
    Call.objects.filter(pk=call_id, twilio_sid=None).move(
        CallStatus.UNKNOWN, deadline_at=now + timedelta(seconds=defaults.EMPTY_LISTS_APART / 2)
    )
    _count_refusal(call_id)
    logger.warning("dial outcome unknown", extra={"call_id": str(call_id)})


def _never_left(call_id: UUID) -> None:
    _not_placed(call_id, code="carrier_unreachable", reason="The carrier could not be reached.")
    _count_refusal(call_id)


def _refused(call_id: UUID, refused: TelephonyRefused) -> None:
    if refused.fault is Fault.NUMBER:
        with transaction.atomic():
            call = Call.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=call_id)
            now = clock.now()
            call.status = CallStatus.FAILED.value
            call.ended_at = now
            call.failure_code = refused.code
            call.failure_reason = "The carrier does not take this number."
            call.save()
            settle(call, now=now)
        return
    _not_placed(call_id, code=refused.code, reason=str(refused))
    if refused.fault is Fault.PACE:
        _count_refusal(call_id)
        return
    call = Call.objects.get(pk=call_id)
    campaigns.hold(
        campaign_id=call.campaign_id,
        reason=f"The carrier refuses our calls (error {refused.code}). Mend the account, then resume.",
        release_after=None,
    )


def _not_placed(call_id: UUID, *, code: str, reason: str) -> None:
    """Note that the carrier definitely placed nothing: not an attempt, due again with growing patience."""
    with transaction.atomic():
        call = Call.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=call_id)
        if CallStatus(call.status) in TERMINAL:
            return
        now = clock.now()
        call.status = CallStatus.NOT_PLACED.value
        call.ended_at = now
        call.failure_code = code
        call.failure_reason = reason[:300]
        call.save()
        wait = min(600, 30 * 2 ** min(call.campaign.refused_streak, 5))
        settle_untouched(call, refusal=None, next_call_at=now + timedelta(seconds=wait), now=now)
        Facilitator.objects.filter(pk=call.facilitator_id).update(
            not_called_code="not_placed",
            not_called_reason=f"The carrier did not take the call ({code}); tried again soon.",
        )


def _count_refusal(call_id: UUID) -> None:
    """Count a refusal in a row; a streak of five holds the campaign for two minutes."""
    campaign_id = Call.objects.values_list("campaign_id", flat=True).get(pk=call_id)
    streak = campaigns.count_refusal(campaign_id=campaign_id)
    if streak >= defaults.UNREADY_STREAK_HOLDS:
        campaigns.hold(
            campaign_id=campaign_id,
            reason=f"The carrier did not take {streak} calls in a row. Dialing resumes by itself.",
            release_after=timedelta(minutes=2),
        )


def hang_up(*, call_id: UUID, telephony: Telephony, rooms: Rooms, our_fault: bool = False) -> None:
    """End a call at the carrier and in its room, whatever stage it is in; done twice is fine."""
    if cancel_before_dial(
        call_id=call_id, code="canceled", reason="Ended before the dial.", only_preparing=False
    ):
        close_room(call_id=call_id, rooms=rooms)
        return
    now = clock.now()
    open_call = Call.objects.filter(pk=call_id).open()
    open_call.update(hangup_at=now)
    if our_fault:
        open_call.filter(end_received_at=None).update(our_fault=True)
    sid = Call.objects.values_list("twilio_sid", flat=True).get(pk=call_id)
    if sid is not None:
        try:
            telephony.end_call(sid)
        except TelephonyError:
            logger.warning("hang-up not taken; the sweep asks again", extra={"call_id": str(call_id)})
    close_room(call_id=call_id, rooms=rooms)


def close_room(*, call_id: UUID, rooms: Rooms) -> None:
    """Delete the call's room, and with it every leg in it; a failure is left to the room's own time-outs."""
    try:
        rooms.delete_room(f"call-{call_id}")
    except TelephonyUnavailable:
        logger.warning("room not deleted", extra={"call_id": str(call_id)})


def close_room_of_ended(*, call_id: UUID, rooms: Rooms) -> None:
    """Delete the room of a call that ended without ringing; Alex waits in it for nobody."""
    if Call.objects.filter(pk=call_id, ended_at__isnull=False).exists():
        close_room(call_id=call_id, rooms=rooms)
