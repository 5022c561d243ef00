"""The voice of a rehearsal in which words are text: it hums for as long as speaking would take."""

from __future__ import annotations

import io
import math
import struct
import wave
from typing import Protocol

SAMPLE_RATE = 24_000
CHARACTERS_PER_SECOND = 15.0
LEAST_SECONDS = 0.3


class Voice(Protocol):
    """What speaks and hears behind Groq's speech endpoints."""

    def speak(self, text: str) -> bytes:
        """Return `text` as a WAV file, 24 kHz, mono, 16 bit."""

    def transcribe(self, audio: bytes) -> str:
        """Return the words in a WAV file, "" when there are none."""


class Humming:
    """Speaks no words and understands none."""

    def speak(self, text: str) -> bytes:
        """Return a hum as long as saying `text` would take."""
        out = io.BytesIO()
        with wave.open(out, "wb") as wav:
            wav.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            wav.writeframes(_tone(seconds=max(LEAST_SECONDS, len(text) / CHARACTERS_PER_SECOND)))
        return out.getvalue()

    def transcribe(self, audio: bytes) -> str:
        """Return nothing."""
        del audio
        return ""


def _tone(*, seconds: float, hertz: float = 200.0, loudness: int = 3000) -> bytes:
    samples = [
        int(loudness * math.sin(2 * math.pi * hertz * n / SAMPLE_RATE)) for n in range(SAMPLE_RATE // 10)
    ]
    tenth = struct.pack(f"<{len(samples)}h", *samples)
    return tenth * max(1, round(seconds * 10))
