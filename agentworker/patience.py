"""How long Alex waits: for an answer, for a machine to finish its greeting, for the end of the call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from livekit.agents import AgentSession

from agentworker import sentences
from outreach.domain.contracts import Limits
from outreach.domain.disposition import EndedBy

LOOK_EVERY = 0.1
ENDLESS_SPEECH = 30.0
"""Seconds after which a person who is said to be speaking is taken for noise."""
GREETING_OVER = 1.5
"""Seconds of quiet after which a mailbox's greeting is over."""
GREETING_LASTS = 20.0
GOODBYE_NEEDS = 10.0
"""Seconds that are kept for the goodbye before the hard end."""


class Patience:
    """Wall-clock timers of one conversation; LiveKit has none for its length and a shaky one for silence."""

    def __init__(
        self, *, session: AgentSession[None], limits: Limits, end: Callable[[EndedBy, str], None]
    ) -> None:
        self._session = session
        self._limits = limits
        self._end = end
        self._quiet_since = time.monotonic()
        self._speaking_since: float | None = None
        self._prompts = 0

    def person_speaking(self) -> None:
        """Note that the person speaks."""
        self._speaking_since = time.monotonic()

    def person_quiet(self) -> None:
        """Note that the person stopped; silence starts anew, the prompts count on."""
        self._speaking_since = None
        self._quiet_since = time.monotonic()

    def person_said(self) -> None:
        """Note that the person said something: they are there."""
        self.person_quiet()
        self._prompts = 0

    def alex_said(self) -> None:
        """Note that Alex stopped speaking; now it is the person's turn."""
        self._quiet_since = time.monotonic()

    async def watch_silence(self) -> None:
        """Ask whether the person is still there, and end the call when nobody answers."""
        while True:
            await asyncio.sleep(min(LOOK_EVERY, self._limits.silence / 2))
            if self._is_busy():
                self._quiet_since = time.monotonic()
            elif time.monotonic() - self._quiet_since >= self._limits.silence:
                if self._prompts >= self._limits.silence_prompts:
                    self._end(EndedBy.SILENCE, sentences.SILENCE_GOODBYE)
                    return
                self._say(sentences.still_there(self._prompts))
                self._prompts += 1
                self._quiet_since = time.monotonic()

    async def watch_length(self, *, goodbye: str = "") -> None:
        """Announce the end at `closing_at` and end the call before `max_duration` is over."""
        started = time.monotonic()
        await asyncio.sleep(self._limits.closing_at)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._until_idle(), GOODBYE_NEEDS)
        self._say(sentences.TIME_IS_SHORT)
        needs = min(GOODBYE_NEEDS, (self._limits.max_duration - self._limits.closing_at) / 2)
        await asyncio.sleep(max(0.0, started + self._limits.max_duration - needs - time.monotonic()))
        self._end(EndedBy.MAX_DURATION, goodbye)

    async def until_greeting_is_over(self) -> None:
        """Return when a greeting is over, or has lasted too long."""
        deadline = time.monotonic() + GREETING_LASTS
        while time.monotonic() < deadline:
            if self._speaking_since is None and time.monotonic() - self._quiet_since >= GREETING_OVER:
                return
            await asyncio.sleep(LOOK_EVERY)

    async def _until_idle(self) -> None:
        while self._is_busy():
            await asyncio.sleep(LOOK_EVERY)

    def _is_busy(self) -> bool:
        speaking = self._speaking_since
        if speaking is not None and time.monotonic() - speaking < ENDLESS_SPEECH:
            return True
        return self._session.current_speech is not None or self._session.agent_state in {
            "thinking",
            "speaking",
        }

    def _say(self, sentence: str) -> None:
        # A session that is closing refuses; then the call is ending anyway.
        with suppress(RuntimeError):
            self._session.say(sentence)
