"""How one call ended for the person: the network's status and the conversation's outcome in one word."""

from __future__ import annotations

from enum import StrEnum

from outreach.domain.call_status import CallStatus
from outreach.domain.disposition import AnsweredBy, Disposition


class Ending(StrEnum):
    """What decides whether and when the person is called again."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    HUNG_UP = "hung_up"
    NO_OUTCOME = "no_outcome"
    FAILED = "failed"
    OUR_FAULT = "our_fault"
    NOT_ATTEMPTED = "not_attempted"
    NUMBER_DEAD = "number_dead"
    CALLBACK = "callback"
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    DO_NOT_CALL = "do_not_call"
    WRONG_PERSON = "wrong_person"


_SAID: dict[Disposition, Ending] = {
    Disposition.INTERESTED: Ending.INTERESTED,
    Disposition.CALLBACK_REQUESTED: Ending.CALLBACK,
    Disposition.NOT_INTERESTED: Ending.NOT_INTERESTED,
    Disposition.DO_NOT_CALL: Ending.DO_NOT_CALL,
    Disposition.WRONG_PERSON: Ending.WRONG_PERSON,
    Disposition.LEFT_VOICEMAIL: Ending.VOICEMAIL,
}

_UNANSWERED: dict[CallStatus, Ending] = {
    CallStatus.BUSY: Ending.BUSY,
    CallStatus.NO_ANSWER: Ending.NO_ANSWER,
    CallStatus.FAILED: Ending.FAILED,
    CallStatus.CANCELED: Ending.NOT_ATTEMPTED,
    CallStatus.NOT_PLACED: Ending.NOT_ATTEMPTED,
}

_MACHINES = frozenset({AnsweredBy.VOICEMAIL, AnsweredBy.IVR, AnsweredBy.SCREENING, AnsweredBy.UNAVAILABLE})

_NOT_COUNTED = frozenset({Ending.OUR_FAULT, Ending.NOT_ATTEMPTED, Ending.CALLBACK})


def ending_of(
    *,
    status: CallStatus,
    disposition: Disposition | None,
    answered_by: AnsweredBy | None,
    our_fault: bool,
    number_dead: bool,
) -> Ending:
    """Return how a call ended. What a person said outweighs the network's word, and both outweigh our fault.

    An answered call may still be IN_PROGRESS when its conversation is over: the network says so later.

    :raises ValueError: when nothing was said and the call has not been answered or ended yet.
    """
    if disposition in _SAID:
        return _SAID[disposition]
    if number_dead:
        return Ending.NUMBER_DEAD
    if our_fault:
        return Ending.OUR_FAULT
    if status in _UNANSWERED:
        return _UNANSWERED[status]
    if status not in {CallStatus.COMPLETED, CallStatus.IN_PROGRESS}:
        raise ValueError(f"a call that is {status} has not ended")
    if answered_by in _MACHINES:
        return Ending.VOICEMAIL
    return Ending.HUNG_UP if disposition is Disposition.HUNG_UP else Ending.NO_OUTCOME


def counts_as_attempt(ending: Ending) -> bool:
    """Tell whether a call with this ending uses up one of the person's attempts."""
    return ending not in _NOT_COUNTED
