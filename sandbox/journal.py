"""What happens in the outside world, one JSON line per thing, for the terminal that watches it."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from sandbox.clock import RehearsalClock

_SHOWN_START = 2
_SHOWN_END = 2


def mask(number: str) -> str:
    """Return `number` with all but its first and last two characters hidden."""
    hidden = len(number) - _SHOWN_START - _SHOWN_END
    if hidden <= 0:
        return "*" * len(number)
    return f"{number[:_SHOWN_START]}{'*' * hidden}{number[-_SHOWN_END:]}"


class Journal:
    """Writes what happens to a stream, each line at once."""

    def __init__(self, *, clock: RehearsalClock, stream: TextIO | None = None) -> None:
        self._clock = clock
        self._stream = stream or sys.stdout

    def note(self, source: str, event: str, **details: Any) -> None:
        """Write one line; numbers in `details` must be masked already."""
        line = {"at": self._clock.now().isoformat(timespec="milliseconds"), "source": source, "event": event}
        self._stream.write(json.dumps(line | details, ensure_ascii=False) + "\n")
        self._stream.flush()
