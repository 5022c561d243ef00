"""The rehearsal's time: the machine's clock and how far the rehearsal has jumped ahead of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class RehearsalClock:
    """Tells the outside world's time. It jumps forward on command and never runs faster."""

    def __init__(self, *, ahead_seconds: float = 0.0) -> None:
        self.ahead_seconds = ahead_seconds

    def now(self) -> datetime:
        """Return the rehearsal's time, aware UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead_seconds)
