"""How a callee uses a leg: listen until Alex pauses, think, speak, hang up. Never a fixed sleep."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from random import Random
from types import TracebackType
from typing import Self

from sandbox.ear import Ear
from sandbox.legs import AlexSaid, AlexSpeaking, Leg, LegEnded, LegEvent

THINK_SECONDS = (0.02, 0.2)
"""How long a person thinks before speaking; `pace` scales it."""
PATIENCE_SECONDS = 45.0
"""A person who hears nothing for so long hangs up (not scaled: it only bounds a broken call)."""
LAST_WORDS_SECONDS = 2.0
"""How long the last pieces of Alex's words may still arrive after the callee hung up."""


class CallOver(Exception):
    """The leg ended while the callee wanted something of it."""


class Phone:
    """One callee's receiver during one call. Use it as a context manager."""

    def __init__(self, *, leg: Leg, ear: Ear, dice: Random, pace: float = 1.0) -> None:
        self._leg = leg
        self._ear = ear
        self._dice = dice
        self._pace = pace
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self._ended = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._reader: asyncio.Task[None] = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def listen(self, *, patience: float = PATIENCE_SECONDS) -> str:
        """Return what Alex said until a pause.

        Raises `CallOver` when the leg ended and `TimeoutError` when he says nothing for `patience` seconds.
        """
        heard: list[str] = []
        speaking = False
        while True:
            try:
                event = await self._next(seconds=self._thought() if heard and not speaking else patience)
            except TimeoutError:
                if speaking or not heard:
                    raise
                return " ".join(heard)
            speaking = isinstance(event, AlexSpeaking)
            if isinstance(event, AlexSaid) and event.text:
                heard.append(event.text)

    async def until_speaking(self, *, pieces: int) -> None:
        """Wait until Alex is in the middle of an utterance: `pieces` of it heard, or a second one begun."""
        heard, said = 0, False
        while heard < pieces:
            event = await self._next(seconds=PATIENCE_SECONDS)
            if isinstance(event, AlexSpeaking):
                heard += pieces if said else 1
            else:
                heard, said = 0, True

    async def listen_or_quiet(self, *, seconds: float) -> str:
        """Return what Alex said, or "" when he said nothing for so long."""
        try:
            return await self.listen(patience=seconds)
        except TimeoutError:
            return ""

    def pick(self, options: Sequence[str]) -> str:
        """Return one of several ways to say the same."""
        return self._dice.choice(options)

    async def think(self) -> None:
        """Take the moment that a person takes before speaking."""
        await asyncio.sleep(self._thought())

    async def say(self, text: str) -> None:
        """Speak one utterance; raise `CallOver` when the leg has ended."""
        if self._ended.is_set():
            raise CallOver
        await self._leg.send_speaking()
        await asyncio.sleep(self._thought() / 2)
        if await self._leg.say(text):
            self._ear.spoke(text)

    async def hang_up(self) -> None:
        """Hang up, and still count what was on its way to the ear."""
        await self._leg.hang_up()
        await self.until_ended(seconds=LAST_WORDS_SECONDS)

    async def until_ended(self, *, seconds: float | None = None) -> None:
        """Hold the line until the other side ends it, or for so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), seconds)

    def _thought(self) -> float:
        return self._dice.uniform(*THINK_SECONDS) * self._pace

    async def _next(self, *, seconds: float) -> LegEvent:
        event = await asyncio.wait_for(self._events.get(), seconds)
        if isinstance(event, LegEnded):
            self._events.put_nowait(event)
            raise CallOver
        return event

    async def _read(self) -> None:
        try:
            async for event in self._leg:
                self._ear.hear(event)
                self._events.put_nowait(event)
                if isinstance(event, LegEnded):
                    return
        finally:
            self._ended.set()
            self._events.put_nowait(LegEnded("over"))
