"""When a person may be called: the window's local hours in every zone in which they may be.

All arithmetic is on UTC seconds. A local interval is turned into UTC per stretch of constant offset, so a
night on which clocks change neither opens an hour that the wall clock skips nor closes one that it repeats.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from outreach.domain.public_holidays import closed_dates, is_public_holiday
from outreach.domain.window_hours import CallWindow, InvalidCallWindow, seconds_of_day
from outreach.domain.zones import UnknownZone, zones_of

__all__ = [
    "CallWindow", "DayPart", "InvalidCallWindow", "UnknownZone", "closed_dates", "day_part", "is_open",
    "next_open", "next_open_in_other_part", "zones_of",
]  # fmt: skip

SEARCH_DAYS = 370
OTHER_PART_WITHIN = timedelta(days=7)

_DAY = 86400
_EPOCH = date(1970, 1, 1).toordinal()
#: Local times differ from UTC by −12 to +14 hours, so a local date lies within these seconds of its UTC date.
_EARLIEST, _LATEST = -14 * 3600, _DAY + 12 * 3600

Span = tuple[int, int]


class DayPart(StrEnum):
    """The part of a day in which somebody was tried: until 12:00, until 17:00, and later."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


_PART_STARTS = {DayPart.MORNING: time(0), DayPart.AFTERNOON: time(12), DayPart.EVENING: time(17)}


def is_open(
    *,
    window: CallWindow,
    zones: tuple[str, ...],
    country: str,
    at: datetime,
    margin: timedelta = timedelta(0),
) -> bool:
    """Tell whether calling is allowed in every zone at `at` and without a break until `at + margin`."""
    moment = _seconds(at)
    day = int(moment // _DAY)
    for opens, closes in _open_spans(window, zones, country, day):
        if opens <= moment < closes:
            needed = moment + margin.total_seconds()
            return needed < _true_close(window, zones, country, day, closes, needed)
    return False


def next_open(
    *,
    window: CallWindow,
    zones: tuple[str, ...],
    country: str,
    after: datetime,
    margin: timedelta = timedelta(0),
) -> datetime | None:
    """Return the first moment from `after` on at which `is_open`, in UTC; None: none in 370 days."""
    start = _seconds(after)
    ahead = margin.total_seconds()
    first_day = int(start // _DAY)
    for day in range(first_day, first_day + SEARCH_DAYS):
        for opens, closes in _open_spans(window, zones, country, day):
            moment = max(opens, start)
            if moment >= closes:
                continue
            if moment + ahead < _true_close(window, zones, country, day, closes, moment + ahead):
                return after.astimezone(UTC) if moment == start else datetime.fromtimestamp(moment, UTC)
    return None


def day_part(at: datetime, zone: str) -> DayPart:
    """Return the part of the day that it is in a zone."""
    hour = at.astimezone(ZoneInfo(zone)).hour
    if hour < 12:
        return DayPart.MORNING
    return DayPart.AFTERNOON if hour < 17 else DayPart.EVENING


def next_open_in_other_part(
    *,
    window: CallWindow,
    zones: tuple[str, ...],
    country: str,
    after: datetime,
    tried: frozenset[DayPart],
    margin: timedelta = timedelta(0),
) -> datetime | None:
    """Return the first open moment within 7 days in a part of the day not tried yet, else the first open one.

    The part is read off the clock of the first zone.
    """
    first = next_open(window=window, zones=zones, country=country, after=after, margin=margin)
    if first is None or not tried or tried >= frozenset(DayPart):
        return first
    for moment in _part_starts(after, zones[0]):
        found = next_open(window=window, zones=zones, country=country, after=moment, margin=margin)
        if found is not None and found < after + OTHER_PART_WITHIN and day_part(found, zones[0]) not in tried:
            return found
    return first


def _part_starts(after: datetime, zone: str) -> Iterator[datetime]:
    """Yield `after` and then every start of a part of the day in the next 7 days."""
    yield after
    local = ZoneInfo(zone)
    today = after.astimezone(local).date()
    for ahead in range(OTHER_PART_WITHIN.days + 1):
        for starts in _PART_STARTS.values():
            moment = datetime.combine(today + timedelta(days=ahead), starts, local).astimezone(UTC)
            if after < moment < after + OTHER_PART_WITHIN:
                yield moment


def _seconds(moment: datetime) -> float:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone is no moment")
    return moment.timestamp()


def _true_close(
    window: CallWindow, zones: tuple[str, ...], country: str, day: int, closes: int, needed: float
) -> int:
    """Follow a span that is only cut by the UTC day into the next days, as far as `needed`."""
    while closes <= needed and closes == (day + 1) * _DAY:
        day += 1
        spans = _open_spans(window, zones, country, day)
        if not spans or spans[0][0] != closes:
            break
        closes = spans[0][1]
    return closes


@lru_cache(maxsize=65536)
def _open_spans(window: CallWindow, zones: tuple[str, ...], country: str, day: int) -> tuple[Span, ...]:
    """Return the spans of one UTC day (days since 1970) that are open in every zone, touching ones joined."""
    spans = [(day * _DAY, (day + 1) * _DAY)]
    for zone in zones:
        around = [
            span for near in (day - 1, day, day + 1) for span in _local_spans(window, zone, country, near)
        ]
        spans = _joined(
            (max(a, opens), min(b, closes))
            for a, b in spans
            for opens, closes in around
            if max(a, opens) < min(b, closes)
        )
    return tuple(spans)


def _joined(spans: Iterator[Span]) -> list[Span]:
    joined: list[Span] = []
    for opens, closes in sorted(spans):
        if joined and joined[-1][1] == opens:
            joined[-1] = (joined[-1][0], closes)
        else:
            joined.append((opens, closes))
    return joined


@lru_cache(maxsize=65536)
def _local_spans(window: CallWindow, zone: str, country: str, day: int) -> tuple[Span, ...]:
    """Return one local date's intervals (days since 1970) as UTC spans."""
    local_date = date.fromordinal(_EPOCH + day)
    hours = window.hours.get(local_date.weekday(), ())
    if not hours or (window.skip_public_holidays and is_public_holiday(country, local_date)):
        return ()
    midnight = day * _DAY
    spans = []
    for starts, ends, offset in _stretches(ZoneInfo(zone), midnight + _EARLIEST, midnight + _LATEST):
        for opens, closes in hours:
            span_start = max(starts, midnight + seconds_of_day(opens) - offset)
            span_end = min(ends, midnight + seconds_of_day(closes, closing=True) - offset)
            if span_start < span_end:
                spans.append((span_start, span_end))
    return tuple(sorted(spans))


def _stretches(zone: ZoneInfo, starts: int, ends: int) -> list[tuple[int, int, int]]:
    """Cut [starts, ends) where the clock changes; a zone changes at most once in so short a time."""

    def offset_at(moment: int) -> int:
        offset = datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    before, after = offset_at(starts), offset_at(ends)
    if before == after:
        return [(starts, ends, before)]
    changed = starts + bisect_right(range(starts, ends), 0, key=lambda moment: offset_at(moment) != before)
    cuts = [starts, changed, ends]
    return [(a, b, offset_at(a)) for a, b in pairwise(cuts)]
