"""What became of the one POST to the carrier: taken, refused, never sent, or nobody knows."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from outreach.domain import defaults
from outreach.domain.account_rules import rule_of
from outreach.domain.call_status import TERMINAL, CallStatus
from outreach.integrations.telephony import Fault, ProviderCall, TelephonyRefused
from outreach.models import Call, Facilitator
from outreach.services import campaigns, clock
from outreach.services.progress import apply_status
from outreach.services.rows import locked_call
from outreach.services.settling import settle, settle_untouched

logger = logging.getLogger(__name__)


def accepted(call_id: UUID, placed: ProviderCall) -> bool:
    """Note the carrier's name for the call; return whether it must be ended: we gave it up meanwhile."""
    with transaction.atomic():
        call = locked_call(pk=call_id)
        now = clock.now()
        if call.twilio_sid is None:
            call.twilio_sid = placed.sid
        call.placed_at = call.placed_at or now
        call.save(update_fields=["twilio_sid", "placed_at"])
        campaigns.end_streak(campaign=call.campaign, streak="refused_streak")
        if placed.status in TERMINAL:
            apply_status(call, status=placed.status, sid=placed.sid, now=now)
    logger.info("call placed", extra={"call_id": str(call_id)})
    return call.hangup_at is not None and placed.status not in TERMINAL


def unknown(call_id: UUID) -> None:
    """Keep the call open: the phone may ring. The sweep asks the carrier; nobody dials again."""
    now = clock.now()
    Call.objects.filter(pk=call_id, twilio_sid=None).move(
        CallStatus.UNKNOWN, deadline_at=now + timedelta(seconds=defaults.EMPTY_LISTS_APART / 2)
    )
    _count_refusal(call_id)
    logger.warning("dial outcome unknown", extra={"call_id": str(call_id)})


def never_left(call_id: UUID) -> None:
    """Note that no connection to the carrier came about."""
    _not_placed(call_id, code="carrier_unreachable", reason="The carrier could not be reached.")
    _count_refusal(call_id)


def held_back(call_id: UUID) -> None:
    """Note that the POST was not made: between the intent and it too much time passed, or a stop came."""
    _not_placed(call_id, code="held_back", reason="Stopped or too late at the last moment.")


def refused(call_id: UUID, refusal: TelephonyRefused) -> None:
    """Apply a definite no: to the person, to the pace or to the campaign, by whose fault it is."""
    if refusal.fault is Fault.NUMBER:
        with transaction.atomic():
            call = locked_call(pk=call_id)
            now = clock.now()
            call.status = CallStatus.FAILED.value
            call.ended_at = now
            call.failure_code = refusal.code
            call.failure_reason = "The carrier does not take this number."
            call.save()
            settle(call, now=now)
        return
    _not_placed(call_id, code=refusal.code, reason=str(refusal))
    if refusal.fault is Fault.PACE:
        _count_refusal(call_id)
        return
    _hold_for_account(call_id, refusal.code)


def _hold_for_account(call_id: UUID, code: str) -> None:
    """Hold the call's campaign for what the account does not allow; by itself only if time mends it."""
    rule = rule_of(code)
    reason = f"The carrier refuses our calls (error {code}). Mend the account, then resume."
    minutes = rule.release_minutes if rule else None
    campaigns.hold(
        campaign_id=Call.objects.values_list("campaign_id", flat=True).get(pk=call_id),
        reason=rule.sentence if rule else reason,
        release_after=timedelta(minutes=minutes) if minutes is not None else None,
    )


def _not_placed(call_id: UUID, *, code: str, reason: str) -> None:
    """Note that the carrier definitely placed nothing: not an attempt, due again with growing patience."""
    with transaction.atomic():
        call = locked_call(pk=call_id)
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
        if not call.is_phone_call:
            return
        waiting = Facilitator.objects.filter(pk=call.person_id, next_call_at__isnull=False)
        waiting.update(
            not_called_code="not_placed",
            not_called_reason=f"The call was not placed ({code}); tried again soon.",
        )


def _count_refusal(call_id: UUID) -> None:
    """Count a refusal in a row; a streak of five holds the campaign for two minutes. Trials do not count."""
    campaign_id = Call.objects.by_phone().filter(pk=call_id).values_list("campaign_id", flat=True).first()
    if campaign_id is None:
        return
    streak = campaigns.count_refusal(campaign_id=campaign_id)
    if streak >= defaults.UNREADY_STREAK_HOLDS:
        campaigns.hold(
            campaign_id=campaign_id,
            reason=f"The carrier did not take {streak} calls in a row. Dialing resumes by itself.",
            release_after=timedelta(minutes=2),
        )
