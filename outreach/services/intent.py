"""The dial intent: one transaction with the whole gate again, committed before the carrier is asked.

It locks the control row and the campaign FOR SHARE, the same rows that the kill switch and a pause
update: whoever's click has returned is obeyed, since an intent either committed before or sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from outreach.domain import defaults
from outreach.domain.call_status import CallStatus
from outreach.domain.gate import Refuse, decide
from outreach.domain.standing import CallKind
from outreach.integrations.telephony import CallOrder
from outreach.models import Call, Campaign, DialingControl, Facilitator
from outreach.services import callbacks, clock
from outreach.services.caller_ids import why_closed
from outreach.services.gating import candidate_of, histories_of, rang_and_asked, rules_of
from outreach.services.locks import lock_number
from outreach.services.own_phone import refuse_own_phone
from outreach.services.pacing_buckets import seconds_until_token
from outreach.services.rows import row_of
from outreach.services.settling import settle_untouched


@dataclass(frozen=True, kw_only=True)
class NotYet:
    """No pacing token is free; one will be in `seconds`."""

    seconds: float


@transaction.atomic
def commit_intent(*, call_id: UUID) -> CallOrder | NotYet | None:
    """Commit the intent to place this call now; None when it must not, or not any more, be placed.

    A reason that is not the person's own (switch, pause, our number) cancels the attempt at no cost.
    """
    # FOR SHARE: intents do not wait for each other, a click waits for them.
    control = row_of(DialingControl, "id", 1, locking="FOR SHARE")
    campaign = row_of(Campaign, "id", _campaign_of(call_id), locking="FOR SHARE")
    call = row_of(Call, "id", call_id, locking="FOR UPDATE")
    if control is None or campaign is None or call is None:
        return None
    call.facilitator = row_of(Facilitator, "id", call.facilitator_id)
    now = clock.now()
    if not call.rings or call.status != CallStatus.PREPARING.value or not _is_fresh(call, now):
        return None
    stop = _stopped(control, campaign, call, now)
    if stop:
        _withdraw(call, code="stopped", reason=stop, refusal=None, now=now)
        return None
    lock_number(call.number)
    refusal = _refusal(call, campaign, now)
    if refusal is not None:
        _withdraw(call, code=refusal.code.value, reason=refusal.reason, refusal=refusal, now=now)
        return None
    closed = why_closed(call.caller_id, now=now) if call.is_phone_call else ""
    if closed:
        _withdraw(call, code="caller_id_closed", reason=closed, refusal=None, now=now)
        return None
    wait = seconds_until_token(control=control, campaign=campaign, now=now)
    if wait > 0:
        return NotYet(seconds=wait)
    return _order(call, campaign, now)


def _order(call: Call, campaign: Campaign, now: datetime) -> CallOrder:
    """Write the intent down, and return what the carrier is asked for."""
    call.status = CallStatus.DIALING.value
    call.dialing_at = now
    call.deadline_at = now + timedelta(seconds=defaults.PROVIDER_QUEUE + campaign.ring_timeout + 30)
    call.save(update_fields=["status", "dialing_at", "deadline_at"])
    callbacks.dialled(call, now=now)
    return CallOrder(
        call_id=call.pk,
        token=call.token,
        to=call.number,
        from_=call.caller_id,
        ring_timeout=campaign.ring_timeout,
        max_duration=campaign.max_duration + campaign.ring_timeout,
    )


def _campaign_of(call_id: UUID) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaign_id FROM outreach_call WHERE id = %s", [call_id])
        found = cursor.fetchone()
    return found[0] if found else None


def may_still_dial(*, call_id: UUID) -> bool:
    """Tell, as the last thing before the POST, whether a committed intent still holds.

    A dialer that was frozen after its commit may wake up hours later: outside the hours, with nobody in
    the room, after a stop. Asked over the connection that holds the call's lock, so it also fails when
    the lock is lost.
    """
    now = clock.now()
    since = now - timedelta(seconds=defaults.READY_FRESH)
    call = row_of(Call, "id", call_id)
    if call is None or call.status != CallStatus.DIALING.value or call.hangup_at is not None:
        return False
    if call.dialing_at is None or call.dialing_at < since:
        return False
    control, campaign = row_of(DialingControl, "id", 1), row_of(Campaign, "id", call.campaign_id)
    return control is not None and campaign is not None and not _stopped(control, campaign, call, now)


def _is_fresh(call: Call, now: datetime) -> bool:
    """Tell whether Alex said moments ago that he is in the room."""
    return call.ready_at is not None and now - call.ready_at <= timedelta(seconds=defaults.READY_FRESH)


def _stopped(control: DialingControl, campaign: Campaign, call: Call, now: datetime) -> str:
    """Return why nobody is dialled now, or an empty string; a trial needs no campaign that runs."""
    if control.mode != settings.DIALING.value:
        return f"This database belongs to DIALING={control.mode}."
    if control.stopped:
        return "All dialing is stopped."
    if not call.is_phone_call:
        return ""
    return campaign.why_not(CallKind(call.kind), now=now)


def _refusal(call: Call, campaign: Campaign, now: datetime) -> Refuse | None:
    if not call.is_phone_call:
        return refuse_own_phone(call.number, but_not=call.pk, now=now)
    may_be_promised = call.kind in (CallKind.CALLBACK.value, CallKind.MANUAL.value)
    asked = rang_and_asked([call.person_id]) if may_be_promised else {}
    verdict = decide(
        candidate=candidate_of(call.person, CallKind(call.kind), asked_at=asked.get(call.person_id)),
        history=histories_of([call.number], now=now, but_not=call.pk)[call.number],
        rules=rules_of(campaign),
        now=now,
    )
    return verdict if isinstance(verdict, Refuse) else None


def _withdraw(call: Call, *, code: str, reason: str, refusal: Refuse | None, now: datetime) -> None:
    call.status = CallStatus.CANCELED.value
    call.ended_at = now
    call.failure_code = code
    call.failure_reason = reason[:300]
    call.save(update_fields=["status", "ended_at", "failure_code", "failure_reason"])
    settle_untouched(call, refusal=refusal, next_call_at=now, now=now)
