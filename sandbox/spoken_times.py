"""Times as people say them ("tomorrow at three pm", "in two hours"), resolved from their local time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

NUMBERS = {
    word: number
    for number, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"], 1
    )
} | {"a": 1, "an": 1, "fifteen": 15, "twenty": 20, "thirty": 30, "forty-five": 45}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
PARTS = {"morning": 10, "noon": 12, "lunchtime": 12, "afternoon": 15, "evening": 18}

_NUMBER = r"(\d{1,2}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)) + r")"
_AHEAD = re.compile(rf"\bin (?:about )?(half an|{_NUMBER}) (minute|hour|day|week)s?\b")
_CLOCK = re.compile(
    rf"\b(?:at|by|around|half past|quarter past)? ?\b{_NUMBER}(?::(\d\d))? ?"
    r"(a\.?m\b|p\.?m\b|o'?clock|in the (?:morning|afternoon|evening))?"
)
_DATE = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({'|'.join(MONTHS)})\b")
_STEPS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_OFFICE_OPENS = 8
"""An hour below it without am or pm is meant in the afternoon."""


def named_time(said: str, *, now: datetime) -> datetime | None:
    """Return the local time that was named, None when none was (a day without an hour is none)."""
    text = said.lower()
    if (ahead := _AHEAD.search(text)) is not None:
        amount = 0.5 if ahead[1].startswith("half") else _number(ahead[2])
        return (now + amount * _STEPS[ahead[3]]).replace(second=0, microsecond=0)
    day, rest = _day(text, now=now)
    hour_minute = _clock(rest)
    if hour_minute is None:
        return None
    hour, minute = hour_minute
    at = (day or now).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at + timedelta(days=1) if day is None and at <= now else at


def names_a_day(said: str) -> bool:
    """Tell whether a day was named, with or without an hour."""
    return bool(re.search(r"today|tomorrow|next week|" + "|".join(WEEKDAYS), said.lower()))


def _number(word: str) -> int:
    return int(word) if word.isdigit() else NUMBERS[word]


def _day(text: str, *, now: datetime) -> tuple[datetime | None, str]:
    """Return the day that was named, and the text without it."""
    if (date := _DATE.search(text)) is not None:
        month, day = MONTHS.index(date[2]) + 1, int(date[1])
        year = now.year + ((month, day) < (now.month, now.day))
        return now.replace(year=year, month=month, day=day), text.replace(date[0], " ")
    for words, ahead in (("day after tomorrow", 2), ("tomorrow", 1), ("today", 0), ("next week", 7)):
        if words in text:
            return now + timedelta(days=ahead), text.replace(words, " ")
    for weekday, name in enumerate(WEEKDAYS):
        if name in text:
            return now + timedelta(days=(weekday - now.weekday() - 1) % 7 + 1), text.replace(name, " ")
    return None, text


def _clock(text: str) -> tuple[int, int] | None:
    """Return hour and minute; a bare number counts only with "at", ":" or a half of the day."""
    for found in _CLOCK.finditer(text):
        number, minutes, half = found[1], found[2], found[3] or ""
        lead = found[0].lstrip()
        if not (minutes or half or re.match(r"(at|by|around|half|quarter)\b", lead)):
            continue
        if number in {"a", "an"}:
            continue
        hour = _number(number)
        minute = int(minutes or 0) or (
            30 if lead.startswith("half") else 15 if lead.startswith("quarter") else 0
        )
        later = half.startswith("p") or "noon" in half or "evening" in half
        vague = not minutes and (not half or "clock" in half)
        if hour < 12 and (later or (vague and hour < _OFFICE_OPENS)):
            hour += 12
        return (hour, minute) if hour < 24 and minute < 60 else None
    part = next((hour for word, hour in PARTS.items() if re.search(rf"\b{word}\b", text)), None)
    return None if part is None else (part, 0)
