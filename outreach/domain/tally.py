"""What one call adds to the statistics: a list of things that happened, each counted once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outreach.domain.disposition import AnsweredBy, Disposition

#: Seconds of talk below which somebody who picked up hung up at once.
EARLY = 6
#: Talks are counted by length in steps of `STEP` seconds, from `LONG` seconds on in steps of `LONG_STEP`.
STEP, LONG, LONG_STEP = 5, 300, 15
#: An answer that is uncertain, or not judged yet, counts as a person's.
PERSON = frozenset({AnsweredBy.HUMAN.value, AnsweredBy.UNCERTAIN.value, ""})


class Thing(StrEnum):
    """What a row of the tallies counts; its keys in brackets."""

    CALLS = "calls"
    """What became of calls (see `What`)."""
    STATUS = "status"
    """How calls ended on the network (a status)."""
    OUTCOME = "outcome"
    """What conversations achieved (a disposition)."""
    FAULT = "fault"
    """Our own faults (what went wrong)."""
    TALK = "talk"
    """Conversations with a person by length (the step that it falls in); the amount is seconds."""
    STAGE = "stage"
    """Calls that people hung up without an outcome (the stage they were at)."""
    HOUR = "hour"
    """Calls by their clock ("weekday-hour dialled" and "weekday-hour human", Monday 0)."""
    PACE = "pace"
    """Calls dialled by the hour in UTC ("14")."""
    ATTEMPT = "attempt"
    """People reached (the number of the attempt that reached them)."""
    COST = "cost"
    """Calls that cost something (the currency); the amount is money."""


class What(StrEnum):
    """What became of calls."""

    BEGUN = "begun"
    DIALLED = "dialled"
    """The amount is the seconds from the dial to the end."""
    ANSWERED = "answered"
    HUMAN = "human"
    REACHED = "reached"
    """Calls by which a person was reached for the first time in their campaign: so many people."""
    INTERESTED = "interested"
    """Calls in which a person became interested for the first time: so many people."""
    REACHED_INTERESTED = "reached_interested"
    """Calls that reached a person first who became interested, then or later: so many of those reached."""
    CALLBACK = "callback"
    REFUSED = "refused"
    OPT_OUT = "opt_out"
    HUNG_UP_EARLY = "hung_up_early"
    OUR_FAULT = "our_fault"


@dataclass(frozen=True, kw_only=True)
class CallOutcome:
    """What is known of one phone call that the statistics ask for."""

    begun_at: datetime
    dialled: bool
    answered: bool
    by_person: bool
    status: str
    disposition: str
    stage: str
    time_zone: str
    """The person's; empty when it is not known."""
    held_seconds: float
    talk_seconds: int | None
    our_fault: bool
    fault: str
    cost: Decimal | None
    currency: str
    attempt: int
    """The number of this attempt among those to this person that the carrier took."""
    first_reach: bool
    first_interest: bool
    ever_interested: bool
    """Whether this person became interested in this call or in any other."""


@dataclass(frozen=True, order=True)
class Entry:
    """One thing that happened once."""

    thing: str
    key: str
    amount: Decimal = Decimal(0)


def entries_of(call: CallOutcome) -> list[Entry]:
    """Return everything that a call adds."""
    entries = [Entry(Thing.CALLS.value, what.value, _amount(what, call)) for what in _what(call)]
    entries.append(Entry(Thing.STATUS.value, call.status))
    if call.disposition:
        entries.append(Entry(Thing.OUTCOME.value, call.disposition))
    if call.our_fault:
        entries.append(Entry(Thing.FAULT.value, call.fault[:24] or "unexplained"))
    if call.by_person and call.talk_seconds is not None:
        length = str(step_of(call.talk_seconds))
        entries.append(Entry(Thing.TALK.value, length, Decimal(call.talk_seconds)))
    if call.by_person and call.disposition == Disposition.HUNG_UP:
        entries.append(Entry(Thing.STAGE.value, call.stage or "unknown"))
    if call.dialled:
        entries.append(Entry(Thing.PACE.value, f"{call.begun_at:%H}"))
        entries += _hours(call)
    if call.first_reach:
        entries.append(Entry(Thing.ATTEMPT.value, str(call.attempt)))
    if call.cost is not None and call.currency:
        entries.append(Entry(Thing.COST.value, call.currency, call.cost))
    return entries


def _what(call: CallOutcome) -> list[What]:
    early = call.by_person and not call.our_fault and (call.talk_seconds or 0) < EARLY
    happened = {
        What.BEGUN: True,
        What.DIALLED: call.dialled,
        What.ANSWERED: call.answered,
        What.HUMAN: call.by_person,
        What.REACHED: call.first_reach,
        What.INTERESTED: call.first_interest,
        What.REACHED_INTERESTED: call.first_reach and call.ever_interested,
        What.CALLBACK: call.disposition == Disposition.CALLBACK_REQUESTED,
        What.REFUSED: call.disposition == Disposition.NOT_INTERESTED,
        What.OPT_OUT: call.disposition == Disposition.DO_NOT_CALL,
        What.HUNG_UP_EARLY: early and call.talk_seconds is not None,
        What.OUR_FAULT: call.our_fault,
    }
    return [what for what, so in happened.items() if so]


def _amount(what: What, call: CallOutcome) -> Decimal:
    return Decimal(round(call.held_seconds)) if what is What.DIALLED else Decimal(0)


def _hours(call: CallOutcome) -> list[Entry]:
    try:
        local = call.begun_at.astimezone(ZoneInfo(call.time_zone)) if call.time_zone else None
    except (ZoneInfoNotFoundError, ValueError):
        local = None
    if local is None:
        return []
    hour = f"{local.weekday()}-{local.hour}"
    entries = [Entry(Thing.HOUR.value, f"{hour} dialled")]
    return [*entries, Entry(Thing.HOUR.value, f"{hour} human")] if call.by_person else entries


def step_of(seconds: int) -> int:
    """Return the shortest length that is counted with a talk of so many seconds."""
    step = STEP if seconds < LONG else LONG_STEP
    return seconds - seconds % step


def median_of(talks: Mapping[int, int]) -> float | None:
    """Return the median length of talks counted by step, in seconds: right to half a step."""
    n = sum(talks.values())
    if not n:
        return None
    middle = [_length_at(talks, place) for place in ((n - 1) // 2, n // 2)]
    return sum(middle) / 2


def _length_at(talks: Mapping[int, int], place: int) -> float:
    before = 0
    for step in sorted(talks):
        before += talks[step]
        if place < before:
            return step + (STEP if step < LONG else LONG_STEP) // 2
    raise IndexError(place)
