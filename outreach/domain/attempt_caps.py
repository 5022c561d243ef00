"""How often a number may be tried: per day of the person, in 30 days, and how far apart.

Counted per number across campaigns, and only attempts that count: our own faults are bounded elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTH = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One earlier call to the number; `counted` is False when it does not count against the person."""

    at: datetime
    was_busy: bool
    counted: bool


@dataclass(frozen=True, kw_only=True)
class CapRules:
    """A campaign's limits on attempts."""

    max_attempts_a_day: int
    max_attempts_a_day_after_busy: int
    min_gap: timedelta
    max_attempts_in_30_days: int


@dataclass(frozen=True)
class Wait:
    """A refusal that time cures: its code, why, and when it ends."""

    code: str
    reason: str
    until: datetime


def cap_waits(
    *,
    attempts: Sequence[Attempt],
    rules: CapRules,
    zones: tuple[str, ...],
    now: datetime,
    month_capped: bool,
    gap_applies: bool,
    they_rang: bool = False,
) -> list[Wait]:
    """Return every cap that refuses at `now`, with its end; ended, a cap stays so until the next attempt.

    :param they_rang: whether they rang us and asked for this call: that they are there, as a busy line says.
    """
    counted = sorted((attempt for attempt in attempts if attempt.counted), key=lambda attempt: attempt.at)
    waits = [_day_wait(counted, rules, zones, now, they_rang=they_rang)]
    if month_capped:
        waits.append(_month_wait(counted, rules, now))
    if gap_applies and counted and counted[-1].at + rules.min_gap > now:
        hours = rules.min_gap / timedelta(hours=1)
        waits.append(Wait("cooling_gap", f"Called less than {hours:g} h ago", counted[-1].at + rules.min_gap))
    return [wait for wait in waits if wait]


def _day_wait(
    counted: list[Attempt], rules: CapRules, zones: tuple[str, ...], now: datetime, *, they_rang: bool
) -> Wait | None:
    """Return the wait until no zone's date has seen too many; a busy first one allows more."""
    ends = []
    cap = rules.max_attempts_a_day
    for name in zones:
        zone = ZoneInfo(name)
        today = now.astimezone(zone).date()
        on_date = [attempt for attempt in counted if attempt.at.astimezone(zone).date() == today]
        if not on_date:
            continue
        is_there = on_date[0].was_busy or they_rang
        of_day = max(rules.max_attempts_a_day, rules.max_attempts_a_day_after_busy if is_there else 0)
        if len(on_date) >= of_day:
            cap = of_day
            ends.append(_start_of(today + timedelta(days=1), zone))
    if not ends:
        return None
    return Wait("daily_cap", f"Called today already (at most {cap} a day)", max(ends))


def _month_wait(counted: list[Attempt], rules: CapRules, now: datetime) -> Wait | None:
    """Return the wait until fewer than the allowed attempts lie within 30 days."""
    recent = [attempt for attempt in counted if attempt.at + MONTH > now]
    limit = rules.max_attempts_in_30_days
    if len(recent) < limit:
        return None
    return Wait(
        "thirty_day_cap",
        f"Called {len(recent)} times in 30 days (at most {limit})",
        recent[-limit].at + MONTH,
    )


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a local date; for a midnight that the clock skips, the change itself."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)
