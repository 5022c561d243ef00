"""What the statistics say of days: the funnel, the rates, the hours, and each figure's formula."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from outreach.domain.tally import EARLY, Thing, What
from outreach.services import statistics
from outreach.services.statistics import Scope, Tallied

FORTNIGHT = 14
#: What a day's figures are read from.
THINGS = (Thing.CALLS, Thing.TALK, Thing.COST, Thing.PACE)

FORMULAS: dict[str, str] = {
    "due": "People who are due at this moment + calls dialled today.",
    "promised": "Callbacks that are promised for the next 24 hours, or earlier and not kept yet.",
    "standings": "How the people of all campaigns stand at this moment; finished campaigns are counted, too.",
    "done": "People about whom nothing is left to do, for Alex or for you ÷ all people of the campaign.",
    "air": "Calls that are claimed and not over: being prepared, dialled, ringing or talking.",
    "due_now": "People of running campaigns whose time has come: they are called as lines get free.",
    "waiting": (
        "People who may be called, by why they were not when they were last looked at; those who are due now "
        "are among them. Counted with every change of a person."
    ),
    "held": "People whom nobody calls until an operator decides, by why.",
    "dialled": "Calls that the carrier took. A day is a UTC day, here and in every figure.",
    "answered": "Calls that somebody or something picked up; beside it, ÷ calls dialled.",
    "talked": (
        "Calls that a person picked up; the answer rate is these ÷ calls dialled. An answer that is "
        "uncertain, or not judged yet, counts as a person's."
    ),
    "reached": "People whom a call reached for the first time in their campaign.",
    "interested": (
        "People who became interested. Each counts once in a campaign, on the day on which it happened first."
    ),
    "success": (
        "Success rate: of the people whom a call reached for the first time on the day, or the days, how "
        "many became interested, then or in a later call."
    ),
    "callbacks": "Conversations in which another time was agreed.",
    "refused": "Conversations that ended in “no” or “never call again”.",
    "talk": "Average of the seconds from picking up to hanging up, of calls that a person picked up.",
    "median": (
        "Half of the conversations were shorter. Read off lengths that are counted in steps of 5 seconds, "
        "from 5 minutes on of 15."
    ),
    "cost": "What settled calls cost: the carrier's own price where it is known, else the rates'.",
    "early": f"Calls that a person picked up and that were over within {EARLY} seconds.",
    "our_faults": "Calls that failed by our own fault; they cost nobody an attempt.",
    "pace": "Calls dialled in the last complete hour, and in the running one.",
    "hours": "Calls dialled, by the hour in which they were, on your own clock.",
    "fortnight": "Calls dialled, calls that a person picked up, people who became interested; by UTC day.",
    "capacity": (
        "Calls an hour that are possible: the smaller of the calls per second × 3,600, and of the calls open "
        "at once × 3,600 ÷ the average seconds from dial to end."
    ),
}


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day's figures, or those of several together."""

    begun: int
    dialled: int
    answered: int
    talked: int
    reached: int
    interested: int
    reached_interested: int
    """Of those reached, how many became interested, then or later."""
    callbacks: int
    refused: int
    opt_outs: int
    early: int
    our_faults: int
    talk_average: float | None
    talk_median: float | None
    held_average: float | None
    cost: Mapping[str, Decimal]
    hours: Mapping[int, int]
    """Calls dialled, by the hour in UTC."""

    @property
    def said_no(self) -> int:
        """Conversations that ended in a "no", for now or for ever."""
        return self.refused + self.opt_outs


def day_of(counted: Tallied) -> Day:
    """Return the figures of what was counted."""
    return Day(
        begun=counted.calls(What.BEGUN),
        dialled=counted.calls(What.DIALLED),
        answered=counted.calls(What.ANSWERED),
        talked=counted.calls(What.HUMAN),
        reached=counted.calls(What.REACHED),
        interested=counted.calls(What.INTERESTED),
        reached_interested=counted.calls(What.REACHED_INTERESTED),
        callbacks=counted.calls(What.CALLBACK),
        refused=counted.calls(What.REFUSED),
        opt_outs=counted.calls(What.OPT_OUT),
        early=counted.calls(What.HUNG_UP_EARLY),
        our_faults=counted.calls(What.OUR_FAULT),
        talk_average=counted.talk_average,
        talk_median=counted.talk_median,
        held_average=counted.held_average,
        cost=counted.money(),
        hours={int(hour): n for hour, n in counted.by_key(Thing.PACE).items()},
    )


def fortnight(now: datetime, pending: statistics.Pending) -> dict[date, Day]:
    """Return each of the last fourteen days, today last: a day of rest is a day of noughts."""
    days = [now.date() - timedelta(days=n) for n in reversed(range(FORTNIGHT))]
    counted = statistics.by_day(Scope(since=days[0]), things=THINGS, pending=pending)
    return {day: day_of(counted.get(day, Tallied())) for day in days}


def any_call(days: Iterable[Day]) -> bool:
    """Tell whether anything happened on these days."""
    return any(day.begun for day in days)
