"""Reading a moment as an operator types it: "20m", "2h", "15:00", "tomorrow 9:30", "mon 10:00", a date."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from outreach.domain.window_hours import DAY_NAMES

HOW = 'Type for example "30m", "2h", "3d", "15:00", "tomorrow 9:30", "mon 10:00" or "2026-03-04 15:00".'

SHORTEST_DAY = 3
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"(?:in )?(\d{1,4}) ?(m|h|d)(?:ins?|inutes?|ours?|ays?)?", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)


class UnclearMoment(ValueError):
    """Nobody can say which moment is meant, or it has passed."""


def parse_moment(text: str, *, now: datetime, zone: str) -> datetime:
    """Return the moment that is meant, on the clock of `zone`; always after `now`.

    :raises UnclearMoment: with a sentence that says what can be typed.
    """
    typed = " ".join(text.lower().split())
    if spoken := _SPAN.fullmatch(typed):
        moment = now + timedelta(**{_UNITS[spoken[2]]: int(spoken[1])})
    else:
        moment = _on_their_clock(typed, now.astimezone(ZoneInfo(zone))).astimezone(now.tzinfo)
    if moment <= now:
        raise UnclearMoment(f"That moment has passed. {HOW}")
    return moment


def _on_their_clock(typed: str, local: datetime) -> datetime:
    day, _, rest = typed.rpartition(" ")
    if not _CLOCK.fullmatch(rest):
        day, rest = typed, ""
    at = _clock(rest) if rest else local.time()
    if not typed:
        raise UnclearMoment(HOW)
    if not day:
        moment = datetime.combine(local, at, local.tzinfo)
        return moment if moment > local else moment + timedelta(days=1)
    return datetime.combine(_day(day, local), at, local.tzinfo)


def _clock(typed: str) -> time:
    found = _CLOCK.fullmatch(typed)
    if found is None:
        raise UnclearMoment(HOW)
    return time(int(found[1]), int(found[2]))


def _day(typed: str, local: datetime) -> datetime:
    if typed in ("today", "tomorrow"):
        return local + timedelta(days=typed == "tomorrow")
    for number, name in enumerate(DAY_NAMES):
        if len(typed) >= SHORTEST_DAY and name.lower().startswith(typed):
            return local + timedelta(days=(number - local.weekday() - 1) % 7 + 1)
    if found := _DATE.fullmatch(typed):
        try:
            return local.replace(year=int(found[1]), month=int(found[2]), day=int(found[3]))
        except ValueError:
            raise UnclearMoment(f"There is no such date. {HOW}") from None
    raise UnclearMoment(HOW)
