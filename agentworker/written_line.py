"""A line on which words are text. The session has no voice models; an utterance is spoken piece by piece."""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod

from livekit.agents import Agent, AgentSession
from livekit.agents.voice.io import TextOutput

from agentworker.line import Line, LineJob
from agentworker.listener import Listener

WORDS_A_PIECE = 4
_PIECE = re.compile(rf"(?:\s*\S+\s+){{{WORDS_A_PIECE}}}")
"""A few words that are certainly whole, since a space follows."""


class WrittenLine(Line):
    """What all written lines share: Alex's speech in pieces, each really delivered before it counts."""

    seconds_a_piece: float = 0.02
    """How long a piece takes to say; short enough for a rehearsal, long enough to be interrupted."""

    def __init__(self, job: LineJob) -> None:
        super().__init__(job)
        self._listener: Listener | None = None
        self._joined = asyncio.Event()
        self._closed = False

    @property
    def listener(self) -> Listener:
        """Whoever listens; there is one as soon as the line is open."""
        if self._listener is None:
            raise RuntimeError("the line is not open")
        return self._listener

    async def open(self, *, session: AgentSession[None], agent: Agent, listener: Listener) -> None:
        """Start the session without audio and connect."""
        self._listener = listener
        session.output.transcription = _Mouth(self, session)
        await session.start(agent, record=False)
        await self.connect()

    async def wait_for_person(self) -> None:
        """Return when the person is on the line."""
        await self._joined.wait()

    def person_joined(self) -> None:
        """Note that the person is on the line."""
        self._joined.set()

    @abstractmethod
    async def connect(self) -> None:
        """Join the room.

        :raises LineUnavailable: when there is none.
        """

    @abstractmethod
    def deliver(self, *, utterance: int, text: str) -> bool:
        """Put a piece on the line; return whether the line is still there."""

    @abstractmethod
    def delivered(self, *, utterance: int, text: str, interrupted: bool) -> None:
        """Tell the other side that an utterance is over."""


class _Mouth(TextOutput):
    """Speaks on a written line: holds tokens until they make a piece, then says it."""

    def __init__(self, line: WrittenLine, session: AgentSession[None]) -> None:
        super().__init__(label="written line", next_in_chain=None)
        self._line = line
        self._session = session
        self._utterance = 0
        self._held = ""
        self._said = ""

    async def capture_text(self, text: str) -> None:
        """Say what makes a whole piece; cancelled in between when the person interrupts."""
        self._held += text
        while (piece := _PIECE.match(self._held)) is not None:
            self._held = self._held[piece.end() :]
            self._say(piece.group())
            await asyncio.sleep(self._line.seconds_a_piece)

    def flush(self) -> None:
        """Say the rest, unless interrupted, and end the utterance with what really got through."""
        speech = self._session.current_speech
        interrupted = speech is not None and speech.interrupted
        rest, self._held = self._held, ""
        if rest.strip() and not interrupted:
            self._say(rest)
        said, self._said = self._said, ""
        if said:
            self._line.delivered(utterance=self._utterance, text=said, interrupted=interrupted)
            self._line.listener.alex_said(said, interrupted=interrupted)

    def _say(self, piece: str) -> None:
        first = not self._said
        if not self._line.deliver(utterance=self._utterance + first, text=piece):
            return
        self._utterance += first
        self._said += piece
        self._line.listener.alex_speaking(piece)
