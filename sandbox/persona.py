"""What a persona is: an answer of the network per attempt, and a way of talking once it picked up."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from sandbox.ear import Ear
from sandbox.legs import Leg
from sandbox.phone import CallOver, Phone


@dataclass(frozen=True)
class Pickup:
    """It rings for so many seconds, then somebody or something answers."""

    ring_seconds: float = 0.2


@dataclass(frozen=True)
class Busy:
    """The line is engaged; the network says so after so many seconds."""

    after: float = 0.1


@dataclass(frozen=True)
class NoAnswer:
    """It rings until the caller gives up; the network may say so after so many seconds already."""

    after: float = 0.6


@dataclass(frozen=True)
class NotInService:
    """No such subscriber (SIP 404)."""

    after: float = 0.1


@dataclass(frozen=True, kw_only=True)
class RingsBack:
    """Whoever missed a call rings the number that it came from, after so many seconds, and wants something.

    `presses` a key, or `says` a word, once they have heard that it may be pressed or said.
    """

    presses: str = ""
    says: str = ""
    after: float = 3.0

    @property
    def stops(self) -> bool:
        """Tell whether they wish never to be called again."""
        return self.presses == "9" or "stop" in self.says.lower()


Answer = Pickup | Busy | NoAnswer | NotInService
Talk = Callable[[Phone], Awaitable[None]]
"""How somebody talks on the phone; it is hung up when this returns."""


@dataclass(frozen=True, kw_only=True)
class Persona:
    """Somebody who can be called.

    `intended` is how it may end for them: the disposition of their last conversation, or who answered
    (voicemail, ivr, screening, unavailable) where no person did, or the last call's status where
    nobody answered.
    `stops` means that they must never be called again after their first conversation.
    """

    name: str
    intended: frozenset[str]
    behaviour: Talk
    answers: tuple[Answer, ...] = (Pickup(),)
    stops: bool = False
    rings_back: RingsBack | None = None
    """What they do once when they have missed their first call."""
    number: str = ""
    seed: int = 0
    pace: float = 1.0

    def pickup(self, attempt: int) -> Answer:
        """Return what the network does at this attempt (1 is the first); the last answer repeats."""
        return self.answers[min(attempt, len(self.answers)) - 1]

    async def talk(self, leg: Leg, *, attempt: int, ear: Ear) -> None:
        """Hold this person's side of the call; return when it is over, hung up in any case."""
        dice = Random(f"{self.seed}:{self.number}:{attempt}")
        async with Phone(leg=leg, ear=ear, dice=dice, pace=self.pace) as phone:
            # Over already, or Alex said nothing for longer than a person's patience lasts.
            with contextlib.suppress(CallOver, TimeoutError):
                await self.behaviour(phone)
            await phone.hang_up()
