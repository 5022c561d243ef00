"""How one Groq organisation stands: its plan, the terms it has accepted, and what it has used of its limits.

A rehearsal talks without the pauses of speech, so only the free plan is held to its requests; the headers
tell the limits of either. https://console.groq.com/docs/rate-limits
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from outreach.domain.model_budget import PLANS, Limits, Plan

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
class GroqStanding:
    """What the organisation's admin has done, and what its keys have used."""

    plan: Plan = Plan.DEVELOPER
    terms_wanted: set[str] = field(default_factory=set)
    """Models whose terms nobody has accepted yet."""
    withdrawn: set[str] = field(default_factory=set)
    """Models that the organisation may not use, or that are no more."""
    monotonic: Callable[[], float] = time.monotonic
    _asked: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def limits(self, model: str) -> Limits:
        """Return the limits of one model."""
        return PLANS[self.plan].get(model, Limits())

    def used_today(self, model: str) -> int:
        """Return how many requests of the last day count."""
        return len(self._asked[model])

    def spend(self, model: str) -> Exceeded | None:
        """Count one request, or return the limit that it would exceed."""
        now, asked, limits = self.monotonic(), self._asked[model], self.limits(model)
        while asked and asked[0] <= now - DAY:
            asked.popleft()
        if self.plan is Plan.FREE:
            for words, limit, span in (
                ("requests per minute (RPM)", limits.requests_a_minute, MINUTE),
                ("requests per day (RPD)", limits.requests_a_day, DAY),
            ):
                within = [at for at in asked if at > now - span]
                if limit is not None and len(within) >= limit:
                    wait = 1 + int(within[0] + span - now)
                    return Exceeded(words=words, limit=limit, retry_after=wait)
        asked.append(now)
        return None
