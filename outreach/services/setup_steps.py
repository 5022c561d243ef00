"""What setting up an account takes: one step per thing that calls need, and what only a hand can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Doing(StrEnum):
    """What a step does."""

    KEEP = "keep"
    CREATE = "create"
    CHANGE = "change"
    BLOCKED = "blocked"


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that calls need, and what is to be done about it."""

    what: str
    doing: Doing
    says: str
    """What is so, or what is wrong, in a sentence."""
    changes: tuple[str, ...] = ()
    """What would be set, one phrase each."""
    carry_out: Callable[[], None] = field(default=_nothing, repr=False)

    @property
    def is_pending(self) -> bool:
        """Tell whether carrying it out changes something."""
        return self.doing in (Doing.CREATE, Doing.CHANGE)


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """Something that no API offers."""

    says: str
    page: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that calls need of the accounts."""

    steps: tuple[Step, ...]
    remarks: tuple[str, ...] = ()
    """What is not ours, but worth a look."""
    by_hand: tuple[ByHand, ...] = ()

    @property
    def pending(self) -> list[Step]:
        """The steps that change something."""
        return [step for step in self.steps if step.is_pending]

    @property
    def blocked(self) -> list[Step]:
        """The steps that somebody has to make possible first."""
        return [step for step in self.steps if step.doing is Doing.BLOCKED]
