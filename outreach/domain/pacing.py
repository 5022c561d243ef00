"""How many calls may start now, and who gets the places: callbacks, retries, new people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from outreach.domain import defaults
from outreach.domain.standing import CallKind


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """How many places of one tick go to whom."""

    callbacks: int
    retries: int
    new: int


def refill(*, tokens: float, refilled_at: datetime, now: datetime, rate: float, burst: float = 1.0) -> float:
    """Return the tokens of a bucket that gains `rate` a second and holds `burst` at most.

    A clock that went backwards adds nothing.
    """
    elapsed = max(0.0, (now - refilled_at).total_seconds())
    return min(burst, tokens + elapsed * rate)


def capacity(
    *,
    agent_places_free: int,
    calls_preparing: int,
    global_open: int,
    global_max: int,
    model_budget: int | None,
    open_in_all: int,
) -> int:
    """Return how many more calls may be open: the tightest of agent places, global limit and model budget.

    :param agent_places_free: places that workers report free; calls being prepared have not taken theirs yet.
    :param model_budget: calls that the model's rate limits carry at once; None means no limit.
    """
    limits = [agent_places_free - calls_preparing, global_max - global_open]
    if model_budget is not None:
        limits.append(model_budget - open_in_all)
    return max(0, min(limits))


def allocate(
    *,
    free: int,
    capacity: int,
    callbacks_due: int,
    retries_due: int,
    new_due: int,
    retries_open: int,
    latest: Sequence[CallKind] = (),
    share: float = defaults.RETRY_SHARE,
) -> Allocation:
    """Share `free` places: callbacks first, then new people, with a share of `capacity` kept for due retries.

    Retries also take what new people leave. A single place cannot be divided, so it is kept in time: after
    as many calls without a retry as the share leaves to others (four for a fifth).

    :param capacity: how many calls may be open at once, the ones that are open included.
    :param retries_open: retries that are open already, so part of the kept share is in use.
    :param latest: kinds of the campaign's last calls, newest first: `calls_between_retries` of them at least.
    """
    free = max(0, free)
    callbacks = min(free, callbacks_due)
    left = free - callbacks
    share_of_capacity = _kept_places(capacity, latest, share)
    kept = min(left, retries_due, max(0, share_of_capacity - retries_open))
    new = min(left - kept, new_due)
    retries = min(left - new, retries_due)
    return Allocation(callbacks=callbacks, retries=retries, new=new)


def calls_between_retries(share: float = defaults.RETRY_SHARE) -> int:
    """Return how many calls a single place makes for others before one for a due retry."""
    return math.ceil(1 / share - 1e-9) - 1


def _kept_places(capacity: int, latest: Sequence[CallKind], share: float) -> int:
    if share <= 0:
        return 0
    if capacity > 1:
        # The epsilon undoes float noise such as 5 * 0.6 = 2.9999….
        return max(1, math.floor(capacity * share + 1e-9))
    others = latest[: calls_between_retries(share)]
    return int(len(others) == calls_between_retries(share) and CallKind.RETRY not in others)
