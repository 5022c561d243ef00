"""What a conversation achieved, and which of two claims about it wins.

A disposition may be said more than once (a tool, the phrase list, a late pass over the last words,
an operator). It only ever moves towards "stop calling": a later "interested" never undoes a "stop".
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Disposition(StrEnum):
    """What the conversation achieved."""

    INTERESTED = "interested"
    CALLBACK_REQUESTED = "callback_requested"
    NOT_INTERESTED = "not_interested"
    DO_NOT_CALL = "do_not_call"
    WRONG_PERSON = "wrong_person"
    LEFT_VOICEMAIL = "left_voicemail"
    HUNG_UP = "hung_up"
    NO_OUTCOME = "no_outcome"


class AnsweredBy(StrEnum):
    """Who or what picked up. `uncertain` is treated as a person."""

    HUMAN = "human"
    VOICEMAIL = "voicemail"
    IVR = "ivr"
    SCREENING = "screening"
    UNAVAILABLE = "unavailable"
    UNCERTAIN = "uncertain"


class EndedBy(StrEnum):
    """Why a conversation ended, as Alex saw it."""

    ALEX = "alex"
    CALLEE = "callee"
    SILENCE = "silence"
    MAX_DURATION = "max_duration"
    OPT_OUT = "opt_out"
    MACHINE = "machine"
    NOBODY_CAME = "nobody_came"
    LLM_FAILURE = "llm_failure"
    STT_FAILURE = "stt_failure"
    TTS_FAILURE = "tts_failure"
    ROOM_CLOSED = "room_closed"
    WORKER_STOPPED = "worker_stopped"
    BAD_BRIEF = "bad_brief"


#: Endings of an answered call that are our fault: the attempt is not the person's to lose.
OUR_FAULTS: frozenset[EndedBy] = frozenset(
    {
        EndedBy.NOBODY_CAME,
        EndedBy.LLM_FAILURE,
        EndedBy.STT_FAILURE,
        EndedBy.TTS_FAILURE,
        EndedBy.ROOM_CLOSED,
        EndedBy.WORKER_STOPPED,
        EndedBy.BAD_BRIEF,
    }
)

#: The failure code of a call that an operator ended in the middle of it.
OPERATOR_HUNG_UP: Final = "operator_hung_up"
#: What Alex sees of a call that is hung up from outside: no fault where an operator wanted it.
SEEN_OF_A_HANG_UP: frozenset[EndedBy] = frozenset({EndedBy.ROOM_CLOSED, EndedBy.NOBODY_CAME})

PRECEDENCE: dict[Disposition, int] = {
    Disposition.NO_OUTCOME: 0,
    Disposition.HUNG_UP: 1,
    Disposition.LEFT_VOICEMAIL: 2,
    Disposition.CALLBACK_REQUESTED: 3,
    Disposition.INTERESTED: 4,
    Disposition.NOT_INTERESTED: 5,
    Disposition.WRONG_PERSON: 6,
    Disposition.DO_NOT_CALL: 7,
}


def stronger(stored: Disposition | None, new: Disposition) -> Disposition:
    """Return the one of two dispositions that stands: the one nearer to "stop calling"."""
    if stored is None or PRECEDENCE[new] > PRECEDENCE[stored]:
        return new
    return stored


def weaker_than(new: Disposition) -> list[str]:
    """Return the stored values that `new` may replace, sorted, for a compare-and-set."""
    return sorted(d.value for d in Disposition if PRECEDENCE[d] < PRECEDENCE[new])
