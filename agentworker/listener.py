"""What happens on a line, told to whoever holds the conversation."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Whoever wants to know what happens on the line. Called on the event loop, never blocks."""

    def person_speaking(self) -> None:
        """The person has begun to speak."""

    def person_quiet(self) -> None:
        """The person has stopped speaking; words may follow."""

    def person_said(self, text: str) -> None:
        """The person said something, and it is final."""

    def alex_speaking(self, text: str) -> None:
        """A piece of what Alex says has reached the line."""

    def alex_said(self, text: str, *, interrupted: bool) -> None:
        """An utterance of Alex's is over; `text` is what was really spoken."""

    def person_left(self) -> None:
        """The person hung up, or their connection broke."""

    def room_closed(self) -> None:
        """The line is gone, not by our own hanging up."""
