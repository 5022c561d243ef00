"""What the page of statistics shows: rates, lengths, attempts, hours and hang-ups of a choice of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from outreach.desk.badges import words_of
from outreach.desk.days import Day, day_of
from outreach.domain.tally import Thing, What
from outreach.models import ScriptVersion
from outreach.services import statistics
from outreach.services.statistics import Scope, Tallied

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: Lengths that are shown together, by where each group begins, in seconds.
LENGTHS = (0, 5, 10, 20, 30, 60, 120, 180, 300, 600)
#: Calls in an hour below which its answer rate says little, so it is shown pale.
FEW = 20


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a distribution."""

    label: str
    n: int
    percent: float
    """Its share of all, in percent."""


@dataclass(frozen=True, kw_only=True)
class HourCell:
    """One weekday's hour on the clocks of the people."""

    dialled: int
    human: int
    depth: int
    """How good the hour is, from 0 (nothing known) to 5 (the best)."""
    few: bool

    @property
    def percent(self) -> int:
        """The answer rate in percent."""
        return round(100 * self.human / self.dialled) if self.dialled else 0


@dataclass(frozen=True, kw_only=True)
class Heat:
    """The best hours: rows are hours, columns weekdays."""

    rows: Sequence[tuple[int, Sequence[HourCell]]]
    best: str
    """The best hour in words; empty while too little is known."""


@dataclass(frozen=True, kw_only=True)
class HungUp:
    """Where people hung up on one version of a script."""

    script: str
    talked: int
    stages: Sequence[Bar]
    n: int


class Choice(NamedTuple):
    """What the page was asked for, and what of it is shown."""

    scope: Scope
    whole: Day
    days: Mapping[date, Day]
    lengths: Sequence[Bar]
    attempts: Sequence[Bar]
    heat: Heat
    hung_up: Sequence[HungUp]


def read(scope: Scope) -> Choice:
    """Return everything that the page shows of a choice of calls, in a constant number of questions."""
    pending = statistics.pending_calls()
    counted = statistics.tallied(scope, pending=pending)
    per_day = statistics.by_day(scope, things=(Thing.CALLS, Thing.TALK, Thing.COST), pending=pending)
    return Choice(
        scope=scope,
        whole=day_of(counted),
        days={day: day_of(per_day[day]) for day in sorted(per_day)},
        lengths=lengths_of(counted),
        attempts=attempts_of(counted),
        heat=heat_of(counted),
        hung_up=_hung_up(scope, pending),
    )


def lengths_of(counted: Tallied) -> list[Bar]:
    """Return how many conversations were how long."""
    talks = counted.talks
    whole = sum(talks.values())
    ends = [*LENGTHS[1:], None]
    found = []
    for begin, end in zip(LENGTHS, ends, strict=True):
        n = sum(times for step, times in talks.items() if step >= begin and (end is None or step < end))
        found.append(Bar(label=_length(begin, end), n=n, percent=_percent(n, whole)))
    return found


def _length(begin: int, end: int | None) -> str:
    def short(seconds: int) -> str:
        return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"

    return f"{short(begin)} or more" if end is None else f"{short(begin)} – {short(end)}"


def attempts_of(counted: Tallied) -> list[Bar]:
    """Return which attempt reached how many people."""
    by_attempt = {int(key): n for key, n in counted.by_key(Thing.ATTEMPT).items()}
    whole = sum(by_attempt.values())
    return [
        Bar(label=f"Attempt {n}", n=by_attempt.get(n, 0), percent=_percent(by_attempt.get(n, 0), whole))
        for n in range(1, max(by_attempt, default=0) + 1)
    ]


def heat_of(counted: Tallied) -> Heat:
    """Return how often somebody picked up, by weekday and hour on the clocks of those who were called."""
    cells: dict[tuple[int, int], dict[str, int]] = {}
    for key, n in counted.by_key(Thing.HOUR).items():
        moment, what = key.split(" ")
        weekday, hour = (int(part) for part in moment.split("-"))
        cells.setdefault((weekday, hour), {})[what] = n
    rates = {at: cell.get("human", 0) / cell["dialled"] for at, cell in cells.items() if cell.get("dialled")}
    sure = {at: rate for at, rate in rates.items() if cells[at]["dialled"] >= FEW}
    top = max(rates.values(), default=0.0)
    hours = sorted({hour for _weekday, hour in cells})
    rows = [
        (hour, [_cell(cells.get((weekday, hour), {}), top) for weekday in range(7)])
        for hour in (range(hours[0], hours[-1] + 1) if hours else ())
    ]
    best = max(sure, key=lambda at: (sure[at], at), default=None)
    said = ""
    if best is not None and sure[best]:
        said = f"{WEEKDAYS[best[0]]} {best[1]:02d}:00–{best[1] + 1:02d}:00, {sure[best]:.0%} answered"
    return Heat(rows=rows, best=said)


def _cell(counted: Mapping[str, int], top: float) -> HourCell:
    dialled, human = counted.get("dialled", 0), counted.get("human", 0)
    depth = 1 + round(4 * human / dialled / top) if dialled and top else int(bool(dialled))
    return HourCell(dialled=dialled, human=human, depth=depth, few=0 < dialled < FEW)


def _hung_up(scope: Scope, pending: statistics.Pending) -> list[HungUp]:
    """Return where people hung up, the newest version first."""
    per_script = statistics.by_script(scope, things=(Thing.CALLS, Thing.STAGE), pending=pending)
    names = {
        row.pk: str(row)
        for row in ScriptVersion.objects.filter(pk__in=list(per_script)).only("name", "version")
    }
    found = []
    for pk in sorted(per_script, reverse=True):
        stages = per_script[pk].by_key(Thing.STAGE)
        talked = per_script[pk].calls(What.HUMAN)
        bars = [Bar(label=words_of(stage), n=n, percent=_percent(n, talked)) for stage, n in stages.items()]
        if talked:
            found.append(
                HungUp(script=names.get(pk, str(pk)), talked=talked, stages=bars, n=sum(stages.values()))
            )
    return found


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
