"""The local hours of a call window, as an operator writes them: `{"0": [["10:00", "13:00"]], …}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from itertools import pairwise
from types import MappingProxyType

from outreach.domain.contracts import Interval

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: A close of 24:00; `time` has no such value, and no interval may close at the day's first moment.
END_OF_DAY = time(0)

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)

Hours = tuple[tuple[time, time], ...]


class InvalidCallWindow(ValueError):
    """The hours cannot be meant; the sentence names the weekday and the interval."""


@dataclass(frozen=True, kw_only=True)
class CallWindow:
    """Per weekday (Monday 0) the local intervals [opens, closes) in which calling is allowed.

    A close of 24:00 is held as `END_OF_DAY`. Hashable, since windows are keys of caches.
    """

    hours: Mapping[int, Hours]
    skip_public_holidays: bool
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Freeze the hours and hash them once."""
        object.__setattr__(self, "hours", MappingProxyType(dict(self.hours)))
        key = (tuple(sorted(self.hours.items())), self.skip_public_holidays)
        object.__setattr__(self, "_hash", hash(key))

    def __hash__(self) -> int:
        """Return the hash of the hours."""
        return self._hash

    @classmethod
    def parse(cls, raw: object, *, skip_public_holidays: bool) -> CallWindow:
        """Read the stored form.

        :raises InvalidCallWindow: when a weekday or time is wrong, intervals overlap, or none is given.
        """
        if not isinstance(raw, Mapping):
            raise InvalidCallWindow(
                'Call hours must be a table such as {"0": [["10:00", "13:00"]]}, Monday being 0.'
            )
        hours: dict[int, Hours] = {}
        for key, spans in raw.items():
            weekday = _weekday(key)
            if weekday in hours:
                raise InvalidCallWindow(f"{DAY_NAMES[weekday]} is given twice.")
            hours[weekday] = _hours_of_day(DAY_NAMES[weekday], spans)
        open_days = {weekday: hours[weekday] for weekday in sorted(hours) if hours[weekday]}
        if not open_days:
            raise InvalidCallWindow("Call hours need at least one interval on one weekday.")
        return cls(hours=open_days, skip_public_holidays=skip_public_holidays)

    def intervals(self) -> list[Interval]:
        """Return the intervals in the wire's form, by weekday and time."""
        return [
            Interval(weekday=weekday, opens=f"{opens:%H:%M}", closes=_closing_text(closes))
            for weekday in sorted(self.hours)
            for opens, closes in self.hours[weekday]
        ]

    def describe_day(self, weekday: int) -> str:
        """Return a day's hours for an operator, e.g. "10:00–13:00, 14:00–19:00"; empty when closed."""
        spans = self.hours.get(weekday, ())
        return ", ".join(f"{opens:%H:%M}–{_closing_text(closes)}" for opens, closes in spans)


def seconds_of_day(moment: time, *, closing: bool = False) -> int:
    """Return the seconds since local midnight by the clock on the wall; a closing 00:00 is 24:00."""
    if closing and moment == END_OF_DAY:
        return 86400
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _closing_text(closes: time) -> str:
    return "24:00" if closes == END_OF_DAY else f"{closes:%H:%M}"


def _weekday(key: object) -> int:
    text = str(key)
    if isinstance(key, bool) or text not in {"0", "1", "2", "3", "4", "5", "6"}:
        raise InvalidCallWindow(f"{key!r} is no weekday: use 0 for Monday to 6 for Sunday.")
    return int(text)


def _hours_of_day(day: str, spans: object) -> Hours:
    if not isinstance(spans, list | tuple):
        raise InvalidCallWindow(f'{day}: give a list of intervals such as [["10:00", "13:00"]].')
    hours = sorted((_interval(day, span) for span in spans), key=lambda span: seconds_of_day(span[0]))
    for earlier, later in pairwise(hours):
        if seconds_of_day(earlier[1], closing=True) > seconds_of_day(later[0]):
            raise InvalidCallWindow(f"{day}: {_span_text(*earlier)} and {_span_text(*later)} overlap.")
    return tuple(hours)


def _interval(day: str, span: object) -> tuple[time, time]:
    if not isinstance(span, list | tuple) or len(span) != 2:
        raise InvalidCallWindow(
            f'{day}: {span!r} is no interval; write two times such as ["10:00", "13:00"].'
        )
    opens, closes = _clock(day, span[0], closing=False), _clock(day, span[1], closing=True)
    if seconds_of_day(opens) >= seconds_of_day(closes, closing=True):
        raise InvalidCallWindow(f"{day}: {_span_text(opens, closes)} does not open before it closes.")
    return opens, closes


def _clock(day: str, text: object, *, closing: bool) -> time:
    if closing and text == "24:00":
        return END_OF_DAY
    if not isinstance(text, str) or not _CLOCK.fullmatch(text):
        raise InvalidCallWindow(f"{day}: {text!r} is no time of day; write it as 09:30.")
    moment = time.fromisoformat(text)
    if closing and moment == END_OF_DAY:
        raise InvalidCallWindow(f"{day}: an interval that closes at midnight closes at 24:00.")
    return moment


def _span_text(opens: time, closes: time) -> str:
    return f"{opens:%H:%M}–{_closing_text(closes)}"
