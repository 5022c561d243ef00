"""When a campaign will be through: its people dialled hour by hour, by their hours, the pace and the answers.

A model of crowds, not of people: whoever does not answer comes back after a wait, as often as allowed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.domain.call_window import CallWindow, is_open

HORIZON = timedelta(days=120)
_STEP = timedelta(hours=1)
#: Fewer people than this are nobody: a crowd's last fraction never ends.
_NOBODY = 0.5


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """People of one place who are due at one moment and have equally many attempts left."""

    n_people: float
    due_at: datetime
    attempts_left: int
    zones: tuple[str, ...]
    country: str


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How fast calls may be made."""

    open_calls: int
    calls_per_second: float
    seconds_per_call: float
    """How long a call keeps its place, from the room to the end, answered or not, on average."""

    @property
    def calls_per_hour(self) -> float:
        """Calls that fit into one hour."""
        return min(self.calls_per_second * 3600, self.open_calls * 3600 / self.seconds_per_call)


@dataclass(frozen=True, kw_only=True)
class Finish:
    """When everybody is through, and after how many calls."""

    at: datetime | None
    """None: not within `HORIZON`, or never at this pace."""
    calls: float


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share that was counted, with the range in which it truly lies nine times in ten."""

    low: float
    likely: float
    high: float


def share_of(*, hits: int, tries: int, assumed: Share) -> Share:
    """Return the share of hits (Wilson's interval at 90 %), or what is assumed while there are few tries."""
    if tries < 20:
        return assumed
    z = 1.645
    p = min(1.0, hits / tries)
    middle = (p + z * z / (2 * tries)) / (1 + z * z / tries)
    half = z * math.sqrt(p * (1 - p) / tries + z * z / (4 * tries * tries)) / (1 + z * z / tries)
    return Share(low=max(0.0, middle - half), likely=p, high=min(1.0, middle + half))


class Forecaster:
    """Plays a campaign ahead; several plays share what was found out about opening hours."""

    def __init__(
        self, *, crowds: Sequence[Crowd], window: CallWindow, waits: Sequence[timedelta], now: datetime
    ) -> None:
        """Take who is left.

        :param waits: how long somebody who was not reached waits after their first, second, … attempt; the
            last one holds for all further ones.
        """
        self._crowds = crowds
        self._window = window
        self._waits = [max(1, math.ceil(wait / _STEP)) for wait in waits] or [24]
        self._now = now
        self._open: dict[tuple[int, tuple[str, ...], str], bool] = {}

    def finish(self, *, pace: Pace, answer_rate: float, reach_share: float = 1.0) -> Finish:
        """Return when all are through.

        :param answer_rate: of the calls, how many reach a person.
        :param reach_share: of those reached, how many need no further call.
        """
        due: dict[int, dict[_Kind, float]] = defaultdict(lambda: defaultdict(float))
        for crowd in self._crowds:
            at = max(0, math.floor((crowd.due_at - self._now) / _STEP))
            due[at][(crowd.zones, crowd.country, max(1, crowd.attempts_left), 0)] += crowd.n_people
        ready: dict[_Kind, float] = defaultdict(float)
        calls = 0.0
        for step in range(int(HORIZON / _STEP)):
            for kind, n_people in due.pop(step, {}).items():
                ready[kind] += n_people
            callable_now = {kind: n for kind, n in ready.items() if self._is_open(step, kind)}
            waiting = sum(callable_now.values())
            share = min(1.0, pace.calls_per_hour / waiting) if waiting else 0.0
            for kind, n_people in callable_now.items():
                calls += n_people * share
                ready[kind] -= n_people * share
                self._come_back(due, kind, n_people * share * (1 - answer_rate * reach_share), step)
            left = sum(ready.values()) + sum(sum(later.values()) for later in due.values())
            if left < _NOBODY:
                used = waiting / pace.calls_per_hour if waiting else 0.0
                return Finish(at=self._now + (step + min(1.0, used)) * _STEP, calls=calls)
        return Finish(at=None, calls=calls)

    def _come_back(self, due: dict[int, dict[_Kind, float]], kind: _Kind, n_people: float, step: int) -> None:
        zones, country, left, made = kind
        if left > 1 and n_people > 0:
            wait = self._waits[min(made, len(self._waits) - 1)]
            due[step + wait][(zones, country, left - 1, made + 1)] += n_people

    def _is_open(self, step: int, kind: _Kind) -> bool:
        zones, country, _left, _made = kind
        key = (step, zones, country)
        if key not in self._open:
            middle = self._now + (step + 0.5) * _STEP
            self._open[key] = is_open(window=self._window, zones=zones, country=country, at=middle)
        return self._open[key]


#: Zones, country, attempts left, attempts made in this play.
_Kind = tuple[tuple[str, ...], str, int, int]
