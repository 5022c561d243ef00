"""How each number that we call from is doing, against itself: carriers may show it as spam any day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Sum

from outreach.domain.tally import Thing, What
from outreach.models import CallerId, Tally
from outreach.services import caller_ids

WEEK = timedelta(days=7)
#: Weeks before the last seven days, together the baseline.
BASELINE_WEEKS = 8
#: Calls in the last seven days, and in the baseline, below which nothing is said.
ENOUGH = 200
#: How much of its baseline an answer rate may lose, relatively, before we warn.
DROP = 0.4
_WANTED = (What.DIALLED.value, What.HUMAN.value, What.HUNG_UP_EARLY.value)


@dataclass(kw_only=True)
class Week:
    """What a number did in seven days."""

    dialled: int = 0
    human: int = 0
    early: int = 0

    @property
    def answer_rate(self) -> float | None:
        """Calls a person answered ÷ calls dialled."""
        return self.human / self.dialled if self.dialled else None

    @property
    def early_rate(self) -> float | None:
        """Calls over within six seconds ÷ calls a person answered."""
        return self.early / self.human if self.human else None


@dataclass(kw_only=True)
class NumberHealth:
    """One number's weeks, the last seven days first, and what it did today."""

    weeks: list[Week] = field(default_factory=lambda: [Week() for _ in range(BASELINE_WEEKS + 1)])
    used_today: int = 0

    @property
    def last(self) -> Week:
        """The last seven days, today among them."""
        return self.weeks[0]

    @property
    def baseline(self) -> Week:
        """The eight weeks before those."""
        before = self.weeks[1:]
        return Week(
            dialled=sum(week.dialled for week in before),
            human=sum(week.human for week in before),
            early=sum(week.early for week in before),
        )

    @property
    def drop(self) -> float | None:
        """How much of its baseline the answer rate has lost, relatively; None while too little is known."""
        now, before = self.last.answer_rate, self.baseline.answer_rate
        if self.last.dialled < ENOUGH or self.baseline.dialled < ENOUGH or now is None or not before:
            return None
        return 1 - now / before

    @property
    def warning(self) -> str:
        """What is wrong, and what to do; empty: nothing."""
        drop = self.drop
        if drop is None or drop < DROP:
            return ""
        return (
            f"Its answer rate fell by {drop:.0%} against its own eight weeks before: carriers may show it as "
            "spam. Rest it, and have it registered with the carriers (Voice Integrity, branded calling)."
        )


def health_of(numbers: Iterable[str], now: datetime) -> Mapping[str, NumberHealth]:
    """Return how these numbers are doing, in two questions."""
    wanted = sorted(set(numbers))
    found = {number: NumberHealth() for number in wanted}
    today = now.date()
    rows = Tally.objects.filter(
        day__gt=today - WEEK * (BASELINE_WEEKS + 1),
        thing=Thing.CALLS.value,
        key__in=_WANTED,
        caller_id__in=wanted,
    )
    for number, day, key, n in (
        rows.order_by().values_list("caller_id", "day", "key").annotate(times=Sum("n"))
    ):
        week = found[number].weeks[(today - day).days // 7 if day <= today else 0]
        _add(week, key, n)
    for number, n in caller_ids.used_today(wanted, now).items():
        found[number].used_today = n
    return found


def _add(week: Week, key: str, n: int) -> None:
    if key == What.DIALLED:
        week.dialled += n
    elif key == What.HUMAN:
        week.human += n
    else:
        week.early += n


def rests(row: CallerId, now: datetime) -> bool:
    """Tell whether a number rests."""
    return row.rests_until is not None and row.rests_until > now


def weeks_shown(health: NumberHealth) -> Sequence[Week]:
    """Return the weeks, the oldest first, as they are drawn."""
    return list(reversed(health.weeks))
