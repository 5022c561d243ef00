"""A telephone's microphone in a LiveKit room: speech when somebody speaks, else the faint noise of a line."""

from __future__ import annotations

import asyncio
import time

import numpy as np
from livekit import rtc

from sandbox.voice_box import SAMPLE_RATE, Samples, Speech

FRAME = SAMPLE_RATE // 50
"""Samples of one frame, 20 ms as on a telephone line."""
AHEAD_MS = 60
"""How much sound is handed over before it is due."""
_NOISE = 6


class Microphone:
    """Sends without a break, as a line does. `run` feeds it."""

    def __init__(self) -> None:
        self.source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=AHEAD_MS)
        self.quiet_since = 0.0
        """When the last word of the last speech had been sent, on the monotonic clock."""
        self._noise = np.random.default_rng(0).integers(-_NOISE, _NOISE, FRAME, dtype=np.int16)
        self._speech: Samples = np.zeros(0, dtype=np.int16)
        self._spoken: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            samples, ends = self._next_frame()
            frame = rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, FRAME)
            await self.source.capture_frame(frame)
            if ends:
                self.quiet_since = time.monotonic() + self.source.queued_duration
                self._stop_speaking()

    async def say(self, speech: Speech) -> None:
        """Return when `speech` has been sent, or was cut short by `cut`."""
        self.cut()
        self._speech = _without_silence_after(speech.samples)
        self._spoken = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._spoken)
        await asyncio.sleep(max(0.0, self.quiet_since - time.monotonic()))

    def cut(self) -> None:
        """Fall silent in the middle of a word."""
        self._speech = self._speech[:0]
        self._stop_speaking()

    def _next_frame(self) -> tuple[Samples, bool]:
        """Return what is sent next, and whether it ends a speech."""
        if self._spoken is None:
            return self._noise, False
        samples = np.zeros(FRAME, dtype=np.int16)
        taken, self._speech = self._speech[:FRAME], self._speech[FRAME:]
        samples[: len(taken)] = taken
        return samples, not len(self._speech)

    def _stop_speaking(self) -> None:
        spoken, self._spoken = self._spoken, None
        if spoken is not None and not spoken.done():
            spoken.set_result(None)


def _without_silence_after(samples: Samples) -> Samples:
    """Return `samples` up to their last sound: what is measured from there begins when it is really quiet."""
    loud = np.flatnonzero(np.abs(samples) > _QUIET)
    return samples[: loud[-1] + 1] if len(loud) else samples


_QUIET = 200
