"""What the head of a page calls its row: a name or a time, never a database key."""

from __future__ import annotations

from typing import Any


class Titled:
    """A row under another name, for the head of its page; everything else is the row's own."""

    def __init__(self, row: Any, title: str) -> None:
        """Call `row` by `title`."""
        self._row = row
        self._title = title

    def __getattr__(self, name: str) -> Any:
        """Return what the row has."""
        return getattr(self._row, name)

    def __str__(self) -> str:
        """Return the title."""
        return self._title
