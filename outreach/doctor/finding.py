"""A check, what it looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from outreach.models import Campaign, CheckStatus

#: Seconds that a check may take, unless it says otherwise.
USUAL_LIMIT = 15.0


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the checks are made for."""

    campaign: Campaign | None = None
    """The campaign that is to be called; None: every campaign."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found."""

    status: CheckStatus
    says: str
    """What is so, in a sentence."""
    remedy: str = ""
    """What to do, in a sentence; empty when nothing is to be done."""
    page: str = ""
    """The address to open for that."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One fact that can be looked at."""

    name: str
    """`area.fact`, unique: under it the last result is kept."""
    examine: Callable[[Surroundings], Finding]
    after: str = ""
    """The check without whose success this one makes no sense."""
    seconds: float = USUAL_LIMIT
    """How long it may take."""
    of_campaign: bool = False
    """Whether the finding depends on the campaign; it is then kept once per campaign."""

    @property
    def area(self) -> str:
        """The vendor or place that the check looks at."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One check, done."""

    check: Check
    finding: Finding
    seconds: float
    """How long it took."""

    @property
    def failed(self) -> bool:
        """Whether this stands in the way of a call."""
        return self.finding.status is CheckStatus.FAIL


def ok(says: str) -> Finding:
    """Return that all is well."""
    return Finding(status=CheckStatus.OK, says=says)


def warn(says: str, *, remedy: str, page: str = "") -> Finding:
    """Return that calls are possible, but this is worth a look."""
    return Finding(status=CheckStatus.WARN, says=says, remedy=remedy, page=page)


def fail(says: str, *, remedy: str, page: str = "") -> Finding:
    """Return that this stands in the way of a call."""
    return Finding(status=CheckStatus.FAIL, says=says, remedy=remedy, page=page)


def skipped(says: str) -> Finding:
    """Return that it was not looked at, and why."""
    return Finding(status=CheckStatus.SKIPPED, says=says)
