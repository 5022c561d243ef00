"""One line of the story that a terminal tells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that happened; `source` names who says it: dialer, phone, alex, person, browser or next."""

    source: str
    text: str
