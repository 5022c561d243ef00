"""A telephone's earpiece: hears that Alex speaks, which words, and when he pauses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from livekit import rtc

from sandbox.legs import AlexSaid, AlexSpeaking
from sandbox.voice_box import Samples
from sandbox.voice_prints import Ears, Match

RATE = 16_000
FRAME_MS = 20
PAUSE = 0.5
"""Seconds of quiet after which a person takes it that Alex has finished."""
LOUD = 120.0
"""Mean amplitude of 16 bits above which a frame is sound."""
UNDERSTAND_EVERY = 0.2
LEAST_SOUND = 0.4
"""Seconds of sound without which nothing is understood, unless it ends before."""
CLOSE = 0.8
"""Seconds of the latest sound from which it is told whether what was understood goes on."""
LONGEST = 20.0
NOT_UNDERSTOOD = "…"

Heard = AlexSpeaking | AlexSaid


class Earpiece:
    """Turns sound into words. Times in `sound` count samples, so a late frame changes nothing."""

    def __init__(self, *, ears: Ears, tell: Callable[[Heard], None]) -> None:
        """Understand with `ears`, and `tell` what was heard."""
        self._ears = ears
        self._tell = tell
        self.sounds_at: list[float] = []
        """When each stretch of sound began, on the monotonic clock."""
        self.last_sound_at = 0.0
        self._utterance = 0
        self._sound: list[Samples] = []
        self._length = self._quiet = self._tried_at = 0.0
        self._match: Match | None = None
        self._told_until = 0.0
        self._words: list[str] = []

    async def listen(self, track: rtc.Track) -> None:
        """Listen to `track` until it ends."""
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=FRAME_MS)
        try:
            async for event in stream:
                await self.take(np.frombuffer(event.frame.data, dtype=np.int16))
        finally:
            await stream.aclose()

    async def take(self, samples: Samples) -> None:
        """Take one frame of sound."""
        seconds = len(samples) / RATE
        loud = float(np.abs(samples.astype(np.int32)).mean()) > LOUD
        if loud:
            self.last_sound_at = time.monotonic()
        if not self._sound:
            if not loud:
                return
            self.sounds_at.append(self.last_sound_at)
            self._begin()
        self._sound.append(samples.copy())
        self._length += seconds
        self._quiet = 0.0 if loud else self._quiet + seconds
        if self._is_time_to_understand():
            await self._understand()
        if self._match is not None:
            self._tell_words(self._match)
        if self._quiet >= PAUSE or self._length > LONGEST:
            self.finish()

    def finish(self) -> None:
        """Tell that Alex has paused, or that the line is dead; in the middle of an utterance if so."""
        if not self._sound:
            return
        sounded = self._length - self._quiet > LEAST_SOUND
        if self._match is None and sounded and not self._words:
            self._words.append(NOT_UNDERSTOOD)
        text = " ".join(self._words)
        self._tell(AlexSaid(self._utterance, text, interrupted=self._match is not None))
        self._sound, self._match = [], None
        self._length = self._quiet = 0.0

    def _begin(self) -> None:
        self._utterance += 1
        self._words = []
        self._start_over(keep=0.0)

    def _start_over(self, *, keep: float) -> None:
        """Forget the sound but for the last `keep` seconds, and what it was taken for."""
        whole = np.concatenate(self._sound) if self._sound and keep > 0 else np.zeros(0, dtype=np.int16)
        kept = whole[max(0, len(whole) - round(keep * RATE)) :] if keep > 0 else whole[:0]
        self._sound = [kept] if len(kept) else []
        self._length = self._tried_at = len(kept) / RATE
        self._tried_at = 0.0
        self._match, self._told_until = None, 0.0

    def _is_time_to_understand(self) -> bool:
        """Tell whether to listen closely: every now and then, and once in every silence.

        Sound that was lost on the way, or another sentence without a pause, is noticed so.
        """
        sounded = self._length - self._quiet
        if self._quiet >= UNDERSTAND_EVERY:
            return self._tried_at < sounded
        every = UNDERSTAND_EVERY if self._match is None else CLOSE / 2
        return sounded >= LEAST_SOUND and self._length - self._tried_at >= every

    async def _understand(self) -> None:
        """Find out what is being said; while that is known, whether it goes on or something else began."""
        self._tried_at = self._length
        sound = np.concatenate(self._sound)
        if self._match is None:
            self._match = await asyncio.to_thread(self._ears.recognise, sound, RATE)
            return
        since = max(0, len(sound) - round((CLOSE + self._quiet) * RATE))
        at, latest, match = since / RATE, sound[since:], self._match
        if await asyncio.to_thread(self._ears.follows, latest, RATE, match=match, at=at):
            return
        found = await asyncio.to_thread(self._ears.recognise, latest, RATE)
        if found is not None:
            self._match = replace(found, offset=found.offset - at)
            self._told_until = max(self._told_until, at) if found.speech is match.speech else at

    def _tell_words(self, match: Match) -> None:
        """Tell the words that have sounded since the last time; at the utterance's end listen anew."""
        ends_at = match.speech.seconds - match.offset
        over = self._length >= ends_at
        words = match.words_between(self._told_until, self._length + (1.0 if over else 0.0))
        if words:
            self._told_until = self._length
            self._words.append(words)
            self._tell(AlexSpeaking(self._utterance, words + " "))
        if over:
            quiet = self._quiet
            self._start_over(keep=max(self._length - ends_at, 0.02))
            self._quiet = quiet
