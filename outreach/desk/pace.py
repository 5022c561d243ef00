"""How many calls an hour there are, against how many there could be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.desk.days import Day
from outreach.models import Campaign, DialingControl
from outreach.services import capacity
from outreach.services.model_limits import model_budget

HOUR = 3600
#: Seconds from dial to end that a call is taken to last before any was made.
USUAL_CALL = 60.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Calls an hour, and what limits them."""

    last_hour: int
    this_hour: int
    possible: int
    limit: str
    """What the limit is, as a half-sentence."""

    @property
    def percent(self) -> int:
        """The last hour's calls of those possible, in percent."""
        return min(100, round(100 * self.last_hour / self.possible)) if self.possible else 0


def pace_of(now: datetime, *, today: Day, yesterday: Day, running: Sequence[Campaign]) -> Pace:
    """Return how fast calls are made and could be made."""
    before = now - timedelta(hours=1)
    earlier = today if before.date() == now.date() else yesterday
    possible, limit = _possible(now, running, today.held_average or yesterday.held_average or USUAL_CALL)
    return Pace(
        last_hour=earlier.hours.get(before.hour, 0),
        this_hour=today.hours.get(now.hour, 0),
        possible=possible,
        limit=limit,
    )


def _possible(now: datetime, running: Sequence[Campaign], seconds: float) -> tuple[int, str]:
    if not running:
        return 0, "no campaign is running"
    control = DialingControl.objects.get(pk=1)
    if control.stopped:
        return 0, "all dialing is stopped"
    _free, places = capacity.agent_places(now)
    budget = model_budget(control)
    limits = [
        (places, f"{places} places of Alex" if places else "no agent worker reports"),
        (control.max_open_calls, f"{control.max_open_calls} calls at once in all"),
        (sum(c.max_open_calls for c in running), "the campaigns' calls at once"),
        *([(budget, f"models that carry {budget} calls")] if budget is not None else []),
    ]
    at_once, why = min(limits, key=lambda limit: limit[0])
    by_places = round(at_once * HOUR / max(1.0, seconds))
    by_rate = round(min(control.calls_per_second, sum(c.calls_per_second for c in running)) * HOUR)
    return (by_places, why) if by_places <= by_rate else (by_rate, "the calls per second")
