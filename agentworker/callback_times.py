"""When a person may be called back: read the time that they named, check it, propose another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from outreach.domain.contracts import Interval

SOONEST = timedelta(minutes=2)
"""A time sooner than this cannot be kept any more."""
LATEST = timedelta(days=60)
_LOOK_AHEAD_DAYS = 14


@dataclass(frozen=True)
class Agreed:
    """The time is fine: the moment in UTC, and how to read it back to the person."""

    at: datetime
    spoken: str


@dataclass(frozen=True)
class Refused:
    """The time is not possible; `reason` says why and names what is."""

    reason: str


def check_time(
    when: str, *, now: datetime, zone: ZoneInfo, hours: Sequence[Interval], closed: Sequence[str]
) -> Agreed | Refused:
    """Return whether the person can be called back at the local ISO time `when`.

    A time without an offset is the person's own; of two equal hours in an autumn night the first is meant,
    and an hour that spring skips is refused.
    """
    proposals = _proposals(now=now, zone=zone, hours=hours, closed=closed)
    try:
        named = datetime.fromisoformat(when.strip())
    except ValueError:
        return Refused(f"That is not a date and time like 2026-03-24T15:00. {proposals}")
    local = named.replace(tzinfo=zone) if named.tzinfo is None else named.astimezone(zone)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        return Refused(f"That time does not exist there, the clocks change. {proposals}")
    if at < now + SOONEST:
        return Refused(f"That time is past. Now it is {_spoken(now.astimezone(zone))}. {proposals}")
    if at > now + LATEST:
        return Refused(f"That is too far ahead. {proposals}")
    if not _is_open(local, hours=hours, closed=closed):
        return Refused(f"We may not call at that time. {proposals}")
    return Agreed(at=at, spoken=_spoken(local))


def next_times(
    *, now: datetime, zone: ZoneInfo, hours: Sequence[Interval], closed: Sequence[str], count: int = 2
) -> list[datetime]:
    """Return the next `count` openings after `now`, in the person's zone."""
    openings: list[datetime] = []
    for opens_at, closes_at in _openings(now=now, zone=zone, hours=hours, closed=closed):
        start = max(opens_at, _round_up(now.astimezone(zone) + timedelta(minutes=30)))
        if start < closes_at:
            openings.append(start)
        if len(openings) == count:
            break
    return openings


def _openings(
    *, now: datetime, zone: ZoneInfo, hours: Sequence[Interval], closed: Sequence[str]
) -> Iterator[tuple[datetime, datetime]]:
    today = now.astimezone(zone).date()
    for day in (today + timedelta(days=ahead) for ahead in range(_LOOK_AHEAD_DAYS)):
        if day.isoformat() in closed:
            continue
        for interval in sorted((i for i in hours if i.weekday == day.weekday()), key=lambda i: i.opens):
            yield _moment(day, interval.opens, zone), _moment(day, interval.closes, zone)


def _proposals(*, now: datetime, zone: ZoneInfo, hours: Sequence[Interval], closed: Sequence[str]) -> str:
    times = next_times(now=now, zone=zone, hours=hours, closed=closed)
    if not times:
        return "There is no time in the next two weeks."
    return "Possible from " + " or from ".join(_spoken(at) for at in times) + "."


def _is_open(local: datetime, *, hours: Sequence[Interval], closed: Sequence[str]) -> bool:
    if local.date().isoformat() in closed:
        return False
    clock = local.strftime("%H:%M")
    return any(i.weekday == local.weekday() and i.opens <= clock < i.closes for i in hours)


def _moment(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == "24:00":
        return datetime.combine(day + timedelta(days=1), time(), zone)
    return datetime.combine(day, time.fromisoformat(clock), zone)


def _round_up(local: datetime) -> datetime:
    return local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _spoken(local: datetime) -> str:
    return f"{local:%A} {local.day} {local:%B} at {local:%H:%M} your time ({local.tzname()})"
