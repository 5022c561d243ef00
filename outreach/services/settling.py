"""Settling a call: once, in the transaction that ends it; what follows is `next_steps`' to decide."""

from __future__ import annotations

from datetime import datetime

from outreach.domain.call_status import TERMINAL, CallStatus
from outreach.domain.disposition import (
    OPERATOR_HUNG_UP,
    OUR_FAULTS,
    SEEN_OF_A_HANG_UP,
    AnsweredBy,
    Disposition,
    EndedBy,
)
from outreach.domain.gate import Refuse
from outreach.domain.retry_policy import Close, Ending, counts_as_attempt, ending_of
from outreach.domain.standing import Standing
from outreach.models import Call, CallbackState, Facilitator
from outreach.services import callbacks, hook_events
from outreach.services.gating import record_refusal
from outreach.services.hearing import note_heard
from outreach.services.interests import note_interest
from outreach.services.next_steps import (
    NEVER_ENDED,
    apply_wish,
    await_promise_of,
    back_in_the_queue,
    close_person,
    follow_up,
    stood_closed,
)

#: What the carrier says of numbers that do not exist or that it never calls: Twilio's codes and SIP's.
DEAD_NUMBER_CODES = frozenset(
    {"13223", "13224", "13225", "13226", "21211", "21214", "21216", "21217", "21421", "21610"}
) | {"404", "410", "484", "604"}

_STANDING_OF: dict[Ending, Standing] = {
    Ending.INTERESTED: Standing.INTERESTED,
    Ending.NOT_INTERESTED: Standing.NOT_INTERESTED,
    Ending.WRONG_PERSON: Standing.NEEDS_REVIEW,
    Ending.DO_NOT_CALL: Standing.SUPPRESSED,
}
_STOPPED = frozenset({Standing.SUPPRESSED.value})
_NEARER_TO_STOP = {
    Ending.INTERESTED: _STOPPED | {Standing.NOT_INTERESTED.value, Standing.NEEDS_REVIEW.value},
}
_WAITS_FOR_US = frozenset({Standing.WAITING.value, Standing.RETRY_DUE.value})


def settle(call: Call, *, now: datetime, late: bool = False) -> bool:
    """Settle `call` if its outcome is known; return whether it is settled now.

    The caller holds the call's row lock in a transaction. Unanswered calls settle at their terminal
    event; answered ones when Alex's `end` is there, or when `late` says that its deadline passed.
    """
    if CallStatus(call.status) not in TERMINAL or call.settled_at is not None:
        return False
    if call.answered_at is not None and call.end_received_at is None and not late:
        return False
    if not call.is_phone_call:
        _settle_talk(call, now=now)
        if call.rings:
            note_heard(call)
        return True
    person = Facilitator.objects.select_for_update().get(pk=call.person_id)
    if call.answered_at is not None:
        _judge_conversation(call)
    ending = _ending(call)
    call.counts = counts_as_attempt(ending)
    call.settled_at = now
    call.deadline_at = None
    call.save(update_fields=["our_fault", "disposition", "counts", "settled_at", "deadline_at"])
    wished_for = person.standing_reason
    follow_up(call, person, ending, now=now, late=late)
    apply_wish(person, reason=wished_for)
    person.updated_at = now
    person.save()
    hook_events.note_settled(call, person, interested=ending is Ending.INTERESTED, now=now)
    if ending is Ending.INTERESTED:
        note_interest(call, now=now)
    return True


def _settle_talk(call: Call, *, now: datetime) -> None:
    """Settle what was for trial, in the browser or on an operator's phone: nothing follows from it."""
    if call.answered_at is not None:
        _judge_conversation(call)
    call.settled_at = now
    call.deadline_at = None
    call.save(update_fields=["our_fault", "disposition", "settled_at", "deadline_at"])


def settle_later_word(call: Call, *, ended: bool, now: datetime) -> None:
    """Let a fact that comes after the settling reach the person, who may only move towards "stop".

    A late promise is kept in mind, and the first `end` (`ended`) releases a person who was held for the want
    of it. The caller holds the call's row lock.
    """
    if not call.is_phone_call:
        return
    person = Facilitator.objects.select_for_update().get(pk=call.person_id)
    never_ended = person.standing == Standing.HELD.value and person.standing_reason == NEVER_ENDED
    if ended and never_ended and call.answered_at is not None:
        call.settled_at = None
        call.our_fault = False
        call.save(update_fields=["settled_at", "our_fault"])
        settle(call, now=now)
        return
    ending = _ending(call)
    if ending is Ending.CALLBACK and person.standing in _WAITS_FOR_US:
        await_promise_of(call, person)
        person.save(update_fields=["standing", "standing_reason", "next_call_at"])
    if ending not in _STANDING_OF or person.standing in _NEARER_TO_STOP.get(ending, _STOPPED):
        return
    if person.standing == Standing.IN_CALL.value:
        person.wish = _STANDING_OF[ending].value
    else:
        close_person(person, Close(standing=_STANDING_OF[ending], reason="Said in an earlier call."))
        callbacks.close(person.pk, CallbackState.CANCELED, now=now)
    person.save(update_fields=["wish", "standing", "standing_reason", "next_call_at"])
    if ending is Ending.INTERESTED:
        note_interest(call, now=now)
        hook_events.note_interested(call, person, now=now)


def settle_untouched(call: Call, *, refusal: Refuse | None, next_call_at: datetime, now: datetime) -> None:
    """Settle a call that never reached the carrier for a reason that is not the person's.

    The caller holds the call's row lock and has moved it to a terminal status. Costs no attempt;
    `refusal` is the gate's, when it was the gate that changed its mind between claim and dial.
    """
    if not call.is_phone_call:
        _settle_talk(call, now=now)
        return
    person = Facilitator.objects.select_for_update().get(pk=call.person_id)
    call.settled_at = now
    call.deadline_at = None
    call.save(update_fields=["settled_at", "deadline_at"])
    wished_for, person.standing_reason = person.standing_reason, ""
    callbacks.reopen(call)
    back_in_the_queue(call, person, at=next_call_at, now=now)
    person.updated_at = now
    # A refusal for a while is no news of somebody who waits for nothing.
    if refusal is not None and (refusal.standing is not None or not stood_closed(call)):
        record_refusal(person, refusal, now=now)
    apply_wish(person, reason=wished_for)
    person.save()


def _judge_conversation(call: Call) -> None:
    """Set whose fault a call without an outcome is, and what it achieved where nothing was marked."""
    undecided = call.disposition in ("", Disposition.HUNG_UP.value, Disposition.NO_OUTCOME.value)
    wanted = call.failure_code == OPERATOR_HUNG_UP
    faults = OUR_FAULTS - SEEN_OF_A_HANG_UP if wanted else OUR_FAULTS
    if call.end_received_at is None or (undecided and EndedBy(call.ended_by) in faults):
        call.our_fault = True
    if not call.disposition and call.end_received_at is not None:
        hung_up = call.ended_by == EndedBy.CALLEE.value and not wanted
        call.disposition = (Disposition.HUNG_UP if hung_up else Disposition.NO_OUTCOME).value


def _ending(call: Call) -> Ending:
    return ending_of(
        status=CallStatus(call.status),
        disposition=Disposition(call.disposition) if call.disposition else None,
        answered_by=AnsweredBy(call.answered_by) if call.answered_by else None,
        our_fault=call.our_fault,
        number_dead=call.failure_code in DEAD_NUMBER_CODES,
    )
