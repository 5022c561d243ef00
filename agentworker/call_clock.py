"""The time of one call: what the brief said plus what a monotonic clock has counted since."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta


class CallClock:
    """Tells the time of a call. The machine's own clock is never asked: the brief's may be a rehearsal's."""

    def __init__(self, *, now_at: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now_at = now_at
        self._monotonic = monotonic
        self._started = monotonic()

    def now(self) -> datetime:
        """Return the call's time, aware."""
        return self._now_at + timedelta(seconds=self.elapsed())

    def elapsed(self) -> float:
        """Return the seconds since the brief was read."""
        return self._monotonic() - self._started
