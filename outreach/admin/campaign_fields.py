"""The fields of a campaign's form that are typed line by line: hours, waits, numbers."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

from outreach.domain.backoff import RETRIED

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NUMBER = re.compile(r"\+[1-9]\d{5,14}")
_WAIT = re.compile(r"(\w[\w ]*?)\s*:\s*([\d.]+)\s*h\s*,\s*[×x*]\s*([\d.]+)\s*,\s*at most\s*([\d.]+)\s*h")
_SPAN = re.compile(r"(\d{1,2}:\d\d)\s*[-–]\s*(\d{1,2}:\d\d)")


class HoursField(forms.Field):
    """Local hours per weekday, one line a day: "Mon 10:00-13:00, 14:00-19:00"; a day left out is closed."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 7, "class": "desk-mono"})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        lines = []
        for key, spans in sorted(value.items()):
            lines.append(f"{WEEKDAYS[int(key)]} " + ", ".join(f"{opens}-{closes}" for opens, closes in spans))
        return "\n".join(lines)

    def to_python(self, value: Any) -> dict[str, list[list[str]]]:
        hours: dict[str, list[list[str]]] = {}
        for line in str(value or "").splitlines():
            if not line.strip():
                continue
            day, _, rest = line.strip().partition(" ")
            weekday = day[:3].capitalize()
            if weekday not in WEEKDAYS:
                raise ValidationError(f"“{line.strip()}” does not start with a weekday (Mon, Tue, …).")
            hours[str(WEEKDAYS.index(weekday))] = _spans(rest, line)
        return hours

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class PolicyField(forms.Field):
    """Waits per ending, one line each: "busy: 4 h, ×2, at most 24 h"."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": len(RETRIED), "class": "desk-mono"})

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        known = [ending.value for ending in RETRIED]
        lines = []
        for ending in sorted(value, key=lambda name: known.index(name) if name in known else len(known)):
            wait = value[ending]
            base, factor, cap = wait["base_hours"], wait["factor"], wait["cap_hours"]
            lines.append(f"{ending.replace('_', ' ')}: {base:g} h, ×{factor:g}, at most {cap:g} h")
        return "\n".join(lines)

    def to_python(self, value: Any) -> dict[str, dict[str, float]]:
        policy: dict[str, dict[str, float]] = {}
        for line in filter(None, (line.strip() for line in str(value or "").splitlines())):
            found = _WAIT.fullmatch(line)
            if found is None:
                raise ValidationError(f"“{line}”: write it as “busy: 4 h, ×2, at most 24 h”.")
            base, factor, cap = (float(number) for number in found.groups()[1:])
            policy[found[1].replace(" ", "_")] = {"base_hours": base, "factor": factor, "cap_hours": cap}
        return policy

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class NumbersField(forms.Field):
    """Phone numbers with + and country code, one a line; kept in E.164."""

    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3, "class": "desk-mono"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        written = filter(None, (part.strip() for part in re.split(r"[\n,;]+", str(value or ""))))
        return [international(number) for number in written]

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


def international(written: str) -> str:
    """Return a number in E.164, of whatever people put between its digits.

    :raises ValidationError: when it does not begin with + and a country code.
    """
    number = re.sub(r"[\s().\-/]", "", written)
    if not _NUMBER.fullmatch(number):
        raise ValidationError(f"“{written}” has no country code: write it as +1 415 555 0100.")
    return number


def _spans(text: str, line: str) -> list[list[str]]:
    spans = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        found = _SPAN.fullmatch(part)
        if found is None:
            raise ValidationError(f"“{line.strip()}”: write intervals as 10:00-13:00, 14:00-19:00.")
        spans.append([clock_time.zfill(5) for clock_time in found.groups()])
    return spans
