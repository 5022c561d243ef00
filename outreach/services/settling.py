"""Deciding what happens to a person after a call, once, in the transaction that ends the call."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from outreach.domain import defaults
from outreach.domain.call_status import TERMINAL, CallStatus
from outreach.domain.call_window import DayPart, UnknownZone, day_part, zones_of
from outreach.domain.disposition import AnsweredBy, Disposition, EndedBy
from outreach.domain.gate import Refuse, caps_end_at
from outreach.domain.retry_policy import (
    Close,
    Ending,
    RetryAt,
    RetryPolicy,
    counts_as_attempt,
    decide_next,
    ending_of,
)
from outreach.domain.standing import CallKind, Standing
from outreach.models import Call, Callback, CallbackState, Facilitator
from outreach.services import callbacks
from outreach.services.gating import candidate_of, histories_of, record_refusal, rules_of

#: What the carrier says of numbers that do not exist: Twilio's codes and SIP's.
DEAD_NUMBER_CODES = frozenset({"21211", "21214", "21217", "13224", "404", "410", "484", "604"})

#: Why a person is held whose answered call has no `end`: ours to explain, so nobody is redialled.
NEVER_ENDED = "The agent never said how this call ended; read what is stored and decide."

_STANDING_OF: dict[Ending, Standing] = {
    Ending.INTERESTED: Standing.INTERESTED,
    Ending.NOT_INTERESTED: Standing.NOT_INTERESTED,
    Ending.WRONG_PERSON: Standing.NEEDS_REVIEW,
    Ending.DO_NOT_CALL: Standing.SUPPRESSED,
}
_UNREACHED = {Ending.BUSY, Ending.NO_ANSWER, Ending.VOICEMAIL, Ending.FAILED}
_PROMISE_STANDS = {Ending.CALLBACK, Ending.INTERESTED, Ending.HUNG_UP, Ending.NO_OUTCOME, Ending.OUR_FAULT}
_BACK_TO: dict[str, Standing] = {
    CallKind.FIRST.value: Standing.WAITING,
    CallKind.RETRY.value: Standing.RETRY_DUE,
    CallKind.CALLBACK.value: Standing.CALLBACK_DUE,
}


def settle(call: Call, *, now: datetime, late: bool = False) -> bool:
    """Settle `call` if its outcome is known; return whether it is settled now.

    The caller holds the call's row lock in a transaction. Unanswered calls settle at their terminal
    event; answered ones when Alex's `end` is there, or when `late` says that its deadline passed.
    """
    if CallStatus(call.status) not in TERMINAL or call.settled_at is not None:
        return False
    if call.answered_at is not None and call.end_received_at is None and not late:
        return False
    person = Facilitator.objects.select_for_update().get(pk=call.facilitator_id)
    if call.answered_at is not None and call.end_received_at is None:
        call.our_fault = True
    elif call.answered_at is not None and not call.disposition:
        call.disposition = _default_disposition(call).value
    ending = _ending(call)
    call.counts = counts_as_attempt(ending)
    call.settled_at = now
    call.deadline_at = None
    call.save(update_fields=["our_fault", "disposition", "counts", "settled_at", "deadline_at"])
    _move_on(call, person, ending, now=now, late=late)
    _apply_wish(person)
    person.updated_at = now
    person.save()
    return True


def settle_later_word(call: Call, *, ended: bool, now: datetime) -> None:
    """Let a fact that comes after the settling reach the person, who may only move towards "stop".

    A late `end` also releases a person who was held for the want of it. The caller holds the call's row lock.
    """
    person = Facilitator.objects.select_for_update().get(pk=call.facilitator_id)
    if ended and person.standing == Standing.HELD.value and person.standing_reason == NEVER_ENDED:
        call.settled_at = None
        call.our_fault = False
        call.save(update_fields=["settled_at", "our_fault"])
        settle(call, now=now)
        return
    ending = _ending(call)
    if ending not in _STANDING_OF or person.standing == Standing.SUPPRESSED.value:
        return
    if person.standing == Standing.IN_CALL.value:
        person.wish = _STANDING_OF[ending].value
    else:
        _close(person, Close(standing=_STANDING_OF[ending], reason="Said in an earlier call."))
    person.save(update_fields=["wish", "standing", "standing_reason", "next_call_at"])


def settle_untouched(call: Call, *, refusal: Refuse | None, next_call_at: datetime, now: datetime) -> None:
    """Settle a call that never reached the carrier for a reason that is not the person's.

    The caller holds the call's row lock and has moved it to a terminal status. Costs no attempt;
    `refusal` is the gate's, when it was the gate that changed its mind between claim and dial.
    """
    person = Facilitator.objects.select_for_update().get(pk=call.facilitator_id)
    call.settled_at = now
    call.deadline_at = None
    call.save(update_fields=["settled_at", "deadline_at"])
    person.standing = _standing_before(call, person).value
    person.next_call_at = next_call_at
    person.updated_at = now
    if refusal is not None:
        record_refusal(person, refusal, now=now)
    _apply_wish(person)
    person.save()


def _standing_before(call: Call, person: Facilitator) -> Standing:
    before = _BACK_TO.get(call.kind)
    if before is None or (before is Standing.CALLBACK_DUE and not _open_callback(person)):
        return Standing.RETRY_DUE if person.attempts_made else Standing.WAITING
    return before


def _default_disposition(call: Call) -> Disposition:
    """Return what an answered call achieved when Alex marked nothing."""
    return Disposition.HUNG_UP if call.ended_by == EndedBy.CALLEE.value else Disposition.NO_OUTCOME


def _ending(call: Call) -> Ending:
    return ending_of(
        status=CallStatus(call.status),
        disposition=Disposition(call.disposition) if call.disposition else None,
        answered_by=AnsweredBy(call.answered_by) if call.answered_by else None,
        our_fault=call.our_fault,
        number_dead=call.failure_code in DEAD_NUMBER_CODES,
    )


def _move_on(call: Call, person: Facilitator, ending: Ending, *, now: datetime, late: bool) -> None:
    person.not_called_code = person.not_called_reason = person.standing_reason = ""
    person.attempts_made += int(call.counts)
    person.our_faults = person.our_faults + 1 if ending in (Ending.OUR_FAULT, Ending.NOT_ATTEMPTED) else 0
    if ending is Ending.DO_NOT_CALL:
        callbacks.close(person.pk, CallbackState.CANCELED, now=now)
    if late:
        return _close(person, Close(standing=Standing.HELD, reason=NEVER_ENDED))
    callback = _open_callback(person)
    if callback is not None and callback.agreed_in_id == call.pk and ending in _PROMISE_STANDS:
        person.callbacks_unkept = 0
        return _await_callback(person, callback)
    if (
        call.kind == CallKind.CALLBACK.value
        and ending in _UNREACHED
        and _try_promise_again(call, person, now=now)
    ):
        return None
    return _retry_or_close(call, person, ending, now=now)


def _open_callback(person: Facilitator) -> Callback | None:
    return Callback.objects.filter(facilitator=person, state=CallbackState.PROMISED).first()


def _await_callback(person: Facilitator, callback: Callback) -> None:
    if callback.by == "human":
        _close(
            person, Close(standing=Standing.NEEDS_REVIEW, reason="They asked for a person: see the callback.")
        )
        return
    person.standing = Standing.CALLBACK_DUE.value
    person.next_call_at = callback.promised_at


def _try_promise_again(call: Call, person: Facilitator, *, now: datetime) -> bool:
    """Promise the next such slot after a first callback that did not reach them; return whether we did."""
    person.callbacks_unkept += 1
    if (
        person.callbacks_unkept >= defaults.CALLBACKS_UNKEPT_BEFORE_RETRY
        or person.attempts_made >= call.campaign.max_attempts
    ):
        return False
    rules = rules_of(call.campaign)
    kept = call.callback
    slot = None
    if kept is not None:
        slot = callbacks.same_time_later(
            kept.promised_at, person=person, window=rules.callback_window, after=now, margin=rules.margin
        )
    if kept is None or slot is None:
        return False
    Callback.objects.create(
        facilitator=person,
        agreed_in=kept.agreed_in,
        promised_at=slot,
        time_zone=kept.time_zone,
        reason=kept.reason,
        caller_id=kept.caller_id,
        evidence_seq=kept.evidence_seq,
        created_at=now,
    )
    person.standing = Standing.CALLBACK_DUE.value
    person.next_call_at = slot
    return True


def _retry_or_close(call: Call, person: Facilitator, ending: Ending, *, now: datetime) -> None:
    campaign = call.campaign
    try:
        zones = zones_of(time_zone=person.time_zone, country=person.country)
    except UnknownZone as unknown:
        _close(person, Close(standing=Standing.HELD, reason=str(unknown)[:300]))
        return
    rules = rules_of(campaign)
    following = decide_next(
        ending=ending,
        policy=RetryPolicy.parse(campaign.retry_policy),
        attempts_made=person.attempts_made,
        max_attempts=campaign.max_attempts,
        our_faults=person.our_faults,
        now=now,
        window=rules.window,
        zones=zones,
        country=person.country,
        tried_parts=_tried_parts(person, zones[0], now),
        min_gap=timedelta(hours=campaign.min_gap_hours),
        margin=rules.margin,
        jitter=random.random(),  # noqa: S311  (spreads load, protects nothing)
        not_before=caps_end_at(
            candidate=candidate_of(person, CallKind.RETRY),
            history=histories_of([person.number], now=now)[person.number],
            rules=rules,
            now=now,
        ),
    )
    if isinstance(following, RetryAt):
        person.standing = (
            Standing.RETRY_DUE.value if person.attempts_made else _standing_before(call, person).value
        )
        person.next_call_at = following.at
        person.not_called_code = "retry"
        person.not_called_reason = following.reason[:300]
    else:
        _close(person, following)


def _tried_parts(person: Facilitator, zone: str, now: datetime) -> frozenset[DayPart]:
    since = now - timedelta(days=30)
    tried = Call.objects.filter(facilitator=person, dialing_at__gte=since, counts=True)
    return frozenset(
        day_part(at, zone) for at in tried.values_list("dialing_at", flat=True) if at is not None
    )


def _close(person: Facilitator, close: Close) -> None:
    person.standing = close.standing.value
    person.standing_reason = close.reason[:300]
    person.next_call_at = None


def _apply_wish(person: Facilitator) -> None:
    """Give the standing that an operator asked for while the person was in a call."""
    if person.wish and person.standing != Standing.SUPPRESSED.value:
        person.standing = person.wish
        person.standing_reason = "Asked for by an operator during a call."
        person.next_call_at = None
    person.wish = ""
