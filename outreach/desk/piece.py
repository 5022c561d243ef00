"""One piece of the machinery, as the dashboard says how it does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One piece of the machinery: well, or not and what to do."""

    name: str
    well: bool
    says: str
    known: bool = True
    """Whether anybody has looked; what is not known is neither well nor wrong."""


def ago(age: timedelta) -> str:
    """Return how long ago something was, in its greatest unit: "3 hours ago"."""
    return f"{span(age)} ago" if age >= timedelta(seconds=30) else "just now"


def span(length: timedelta) -> str:
    """Return a length of time in its greatest unit: "3 hours"."""
    minutes = max(1, round(length.total_seconds() / 60))
    units = ((minutes // 1440, "day"), (minutes // 60, "hour"), (minutes, "minute"))
    n, unit = next(found for found in units if found[0])
    return f"{n} {unit}{'s' * (n > 1)}"
