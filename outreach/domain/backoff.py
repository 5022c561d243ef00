"""How long to wait before the next attempt, per ending, as an operator writes it in a campaign."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from outreach.domain import defaults
from outreach.domain.ending import Ending

#: The endings that a policy must cover; `not_attempted` waits like `our_fault`.
RETRIED = (
    Ending.BUSY,
    Ending.NO_ANSWER,
    Ending.VOICEMAIL,
    Ending.HUNG_UP,
    Ending.NO_OUTCOME,
    Ending.FAILED,
    Ending.OUR_FAULT,
)

_FIELDS = ("base_hours", "factor", "cap_hours")
_LARGEST = {"base_hours": 24.0 * 30, "factor": 10.0, "cap_hours": 24.0 * 90}


class InvalidRetryPolicy(ValueError):
    """The policy cannot be meant; the sentence names the ending and the field."""


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """`base`, then each time `factor` times longer, up to `cap`."""

    base: timedelta
    factor: float
    cap: timedelta

    def delay(self, *, nth: int, jitter: float) -> timedelta:
        """Return the wait after the `nth` time (from 1), moved by up to ±20 % by a die `jitter` in [0, 1)."""
        growth = self.factor ** min(max(nth, 1) - 1, 100)
        seconds = min(self.base.total_seconds() * growth, self.cap.total_seconds())
        return timedelta(seconds=seconds * (1 + defaults.RETRY_JITTER * (2 * jitter - 1)))


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """One backoff per ending that is retried."""

    backoffs: Mapping[Ending, Backoff]

    @classmethod
    def parse(cls, raw: object) -> RetryPolicy:
        """Read the stored form, the shape of `defaults.RETRY_POLICY`.

        :raises InvalidRetryPolicy: when an ending is missing or never retried, or a field is wrong.
        """
        if not isinstance(raw, Mapping):
            raise InvalidRetryPolicy('A retry policy is a table such as {"busy": {"base_hours": 4, …}, …}.')
        unknown = [str(key) for key in raw if key not in RETRIED]
        if unknown:
            raise InvalidRetryPolicy(
                f"{unknown[0]!r} is no ending that is retried: use {', '.join(RETRIED)}."
            )
        return cls(
            backoffs=MappingProxyType({ending: _backoff(ending, raw.get(ending)) for ending in RETRIED})
        )

    def delay(self, *, ending: Ending, nth: int, jitter: float) -> timedelta:
        """Return the wait after the `nth` time in this ending."""
        key = Ending.OUR_FAULT if ending is Ending.NOT_ATTEMPTED else ending
        return self.backoffs[key].delay(nth=nth, jitter=jitter)


def _backoff(ending: Ending, fields: object) -> Backoff:
    if not isinstance(fields, Mapping):
        raise InvalidRetryPolicy(f"{ending}: give base_hours, factor and cap_hours.")
    unknown = [str(key) for key in fields if key not in _FIELDS]
    if unknown:
        raise InvalidRetryPolicy(f"{ending}: {unknown[0]!r} is not a field; use {', '.join(_FIELDS)}.")
    base, factor, cap = (_number(ending, name, fields.get(name)) for name in _FIELDS)
    if base <= 0:
        raise InvalidRetryPolicy(f"{ending}: base_hours must be more than 0.")
    if factor < 1:
        raise InvalidRetryPolicy(f"{ending}: factor must be at least 1, so that waits never shrink.")
    if cap < base:
        raise InvalidRetryPolicy(f"{ending}: cap_hours must be at least base_hours.")
    return Backoff(base=timedelta(hours=base), factor=factor, cap=timedelta(hours=cap))


def _number(ending: Ending, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidRetryPolicy(f"{ending}: {name} must be a number, not {value!r}.")
    if value > _LARGEST[name]:
        raise InvalidRetryPolicy(f"{ending}: {name} must be at most {_LARGEST[name]:g}.")
    return float(value)
