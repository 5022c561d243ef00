"""The voice and the ears of a rehearsal with real audio: every word is really spoken and really heard."""

from __future__ import annotations

import io
import wave

import numpy as np

from sandbox.voice_box import speak
from sandbox.voice_prints import Ears


class RealVoice:
    """Speaks as Alex, and understands what people say.

    Both sides are spoken here, so each is recognised by its sound (`voice_prints`): whoever plays a person
    teaches `people`, and hears Alex with `alex`.
    """

    def __init__(self) -> None:
        self.people = Ears()
        """Understands people; behind the transcription endpoint."""
        self.alex = Ears()
        """Understands Alex; the ears of the people who are called."""

    def speak(self, text: str) -> bytes:
        """Return `text` as a WAV file."""
        speech = speak(text)
        self.alex.learn(speech)
        return speech.wav()

    def transcribe(self, audio: bytes) -> str:
        """Return the words in a WAV file, mono, 16 bit."""
        with wave.open(io.BytesIO(audio)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
            return self.people.transcribe(samples, file.getframerate())
