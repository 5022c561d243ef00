"""What follows a call: when to try again, or why not to.

We decide on a retry; they ask for a callback. Delays grow per kind of ending, with a die so that people
called together are not all due together, and always land in an open window.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.domain import defaults
from outreach.domain.backoff import Backoff, InvalidRetryPolicy, RetryPolicy
from outreach.domain.call_window import CallWindow, DayPart, next_open, next_open_in_other_part
from outreach.domain.ending import Ending, counts_as_attempt, ending_of
from outreach.domain.standing import Standing

__all__ = [
    "Backoff", "Close", "Ending", "InvalidRetryPolicy", "RetryAt", "RetryPolicy", "counts_as_attempt",
    "decide_next", "ending_of",
]  # fmt: skip


@dataclass(frozen=True)
class RetryAt:
    """Call again at this moment, which is in an open window."""

    at: datetime
    reason: str


@dataclass(frozen=True)
class Close:
    """Do not call again; the person stands here now."""

    standing: Standing
    reason: str


_CLOSED: dict[Ending, Close] = {
    Ending.INTERESTED: Close(Standing.INTERESTED, "They are interested."),
    Ending.NOT_INTERESTED: Close(Standing.NOT_INTERESTED, "They said no."),
    Ending.DO_NOT_CALL: Close(Standing.SUPPRESSED, "They asked never to be called again."),
    Ending.WRONG_PERSON: Close(Standing.NEEDS_REVIEW, "Somebody else answered: check the number."),
    Ending.NUMBER_DEAD: Close(
        Standing.NEEDS_REVIEW, "The carrier says that this number cannot be reached: check it."
    ),
}

_IN_WORDS: dict[Ending, str] = {
    Ending.BUSY: "Busy",
    Ending.NO_ANSWER: "No answer",
    Ending.VOICEMAIL: "A machine answered",
    Ending.HUNG_UP: "They hung up without an answer",
    Ending.NO_OUTCOME: "The conversation had no outcome",
    Ending.FAILED: "The network could not connect the call",
    Ending.OUR_FAULT: "The call failed by our own fault",
    Ending.NOT_ATTEMPTED: "The call was never placed",
}

#: Endings after which another part of the day may find them.
_ANOTHER_PART = frozenset({Ending.NO_ANSWER, Ending.VOICEMAIL})


def decide_next(
    *,
    ending: Ending,
    policy: RetryPolicy,
    attempts_made: int,
    max_attempts: int,
    our_faults: int,
    now: datetime,
    window: CallWindow,
    zones: tuple[str, ...],
    country: str,
    tried_parts: frozenset[DayPart],
    min_gap: timedelta,
    margin: timedelta,
    jitter: float,
    not_before: datetime | None = None,
) -> RetryAt | Close:
    """Return when to call again after this ending, or where the person stands now.

    :param attempts_made: attempts that count, this one included.
    :param our_faults: calls in a row that did not count, this one included.
    :param jitter: a die in [0, 1) that moves the delay by up to ±20 %.
    :param not_before: when caps end (`gate.caps_end_at`), so that the part of the day is chosen after it.
    :raises ValueError: for CALLBACK, whose time the person chose.
    """
    if ending is Ending.CALLBACK:
        raise ValueError("a callback is due when the person said, not when a policy says")
    if ending in _CLOSED:
        return _CLOSED[ending]
    counted = counts_as_attempt(ending)
    if counted and attempts_made >= max_attempts:
        return Close(Standing.EXHAUSTED, f"{_IN_WORDS[ending]}; all {max_attempts} attempts are made.")
    if not counted and our_faults >= defaults.OUR_FAULTS_BOUND:
        return Close(
            Standing.HELD, f"{_IN_WORDS[ending]}, {our_faults} times in a row: mend it, then release."
        )
    delay = policy.delay(ending=ending, nth=attempts_made if counted else our_faults, jitter=jitter)
    # A call that did not count disturbed nobody, so the gap between attempts is no reason to wait.
    earliest = now + (max(delay, min_gap) if counted else delay)
    after = max(earliest, not_before) if not_before else earliest
    tried = tried_parts if ending in _ANOTHER_PART else frozenset()
    at = _open_moment(window, zones, country, after, tried, margin)
    if at is None:
        return Close(Standing.HELD, "Within the next year no moment is inside the calling hours.")
    count = f"attempt {attempts_made} of {max_attempts}" if counted else f"{our_faults} in a row, not counted"
    return RetryAt(at, f"{_IN_WORDS[ending]} ({count}).")


def _open_moment(
    window: CallWindow,
    zones: tuple[str, ...],
    country: str,
    after: datetime,
    tried: frozenset[DayPart],
    margin: timedelta,
) -> datetime | None:
    if tried:
        return next_open_in_other_part(
            window=window, zones=zones, country=country, after=after, tried=tried, margin=margin
        )
    return next_open(window=window, zones=zones, country=country, after=after, margin=margin)
