"""What a person says while Alex opens the call: a hello is no question, anything else is answered after."""

from __future__ import annotations

import asyncio
import re
import time

TURN_TAKEN_WITHIN = 2.0
"""Seconds after its words in which a turn is over for certain; the longest endpointing and a little."""

_MERE_HELLO = re.compile(
    r"\W*((hello|hi|hey|yes|yeah|yep|speaking|hola|bueno|good (morning|afternoon|evening)"
    r"|who is (this|there|it|calling)|who's (this|there|calling)|this is \w+|\w+ speaking)\W*)+",
    re.IGNORECASE,
)
"""What whoever picks up says, and what the opening line answers."""


class WordsBeside:
    """The words that were spoken beside the opening line and that no turn has taken up."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._last_at = 0.0

    def said(self, text: str) -> None:
        """Take what the person said."""
        self._words.append(text)
        self._last_at = time.monotonic()

    def taken_up(self, turn: str) -> None:
        """Forget what a turn contains: it is answered, or remembered, as every turn is."""
        self._words = [words for words in self._words if words not in turn]

    async def left_over(self) -> list[str]:
        """Return what no turn took up, once none can any more."""
        if self._words:
            await asyncio.sleep(max(0.0, self._last_at + TURN_TAKEN_WITHIN - time.monotonic()))
        left, self._words = self._words, []
        return left


def is_mere_hello(text: str) -> bool:
    """Tell whether somebody only says that they are there."""
    return _MERE_HELLO.fullmatch(text) is not None
