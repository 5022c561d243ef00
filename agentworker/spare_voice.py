"""The sentence that must be heard when the voice is down: spoken before the phone rings, and kept.

It is the proof as well that the voice works: who could only be silent must not have a phone ring.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import APIConnectOptions, APIError, tts

from agentworker import sentences

logger = logging.getLogger(__name__)

PREPARE_WITHIN = 4.0
"""Seconds: the product waits for `ready`, and nobody else does."""
_ONCE_MORE = APIConnectOptions(max_retry=1, timeout=2.0, retry_interval=0.3)


class SpareVoice:
    """Holds the apology as sound."""

    def __init__(self, voice: tts.TTS[Any] | None) -> None:
        self._voice = voice
        self._frames: list[rtc.AudioFrame] = []
        self.is_tried = False
        """Whether the voice is being tried right now: a failure is nobody's to hear."""

    async def prepare(self) -> bool:
        """Have the apology spoken; return whether the voice works. A line without sound needs none."""
        if self._voice is None:
            return True
        self.is_tried = True
        try:
            async with asyncio.timeout(PREPARE_WITHIN):
                async with self._voice.synthesize(sentences.APOLOGY, conn_options=_ONCE_MORE) as speech:
                    self._frames = [spoken.frame async for spoken in speech]
        except (APIError, TimeoutError) as problem:
            logger.warning("the voice does not work", extra={"reason": type(problem).__name__})
        finally:
            self.is_tried = False
        return bool(self._frames)

    def sound_of(self, text: str) -> AsyncIterator[rtc.AudioFrame] | None:
        """Return the kept sound of `text`, None when the voice has to speak it."""
        return self._play() if self._frames and text == sentences.APOLOGY else None

    async def _play(self) -> AsyncIterator[rtc.AudioFrame]:
        for frame in self._frames:
            yield frame
