"""What one Groq organisation has used of its limits, by model.

A rehearsal talks without the pauses of speech, so only the free plan is held to its requests; the headers
tell the limits of either. https://console.groq.com/docs/rate-limits
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from outreach.domain.model_budget import PLANS, Limits, Plan
from sandbox.accounts import GroqStanding

MINUTE = 60.0
DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Exceeded:
    """A limit that is reached."""

    words: str
    """As Groq words it: "requests per minute (RPM)"."""
    limit: int
    retry_after: int
    """Seconds."""


@dataclass(kw_only=True)
class GroqUsage:
    """Counts requests against the plan."""

    standing: GroqStanding
    monotonic: Callable[[], float] = time.monotonic
    _asked: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def limits(self, model: str) -> Limits:
        """Return the limits of one model."""
        return PLANS[Plan(self.standing.plan)].get(model, Limits())

    def today(self, model: str) -> int:
        """Return how many requests of the last day count."""
        return len(self._asked[model])

    def spend(self, model: str) -> Exceeded | None:
        """Count one request, or return the limit that it would exceed."""
        now, asked, limits = self.monotonic(), self._asked[model], self.limits(model)
        while asked and asked[0] <= now - DAY:
            asked.popleft()
        if self.standing.plan == Plan.FREE:
            for words, limit, span in (
                ("requests per minute (RPM)", limits.requests_a_minute, MINUTE),
                ("requests per day (RPD)", limits.requests_a_day, DAY),
            ):
                within = [at for at in asked if at > now - span]
                if limit is not None and len(within) >= limit:
                    return Exceeded(words=words, limit=limit, retry_after=1 + int(within[0] + span - now))
        asked.append(now)
        return None
