"""A real voice that needs no network: eSpeak NG from the wheel espeakng-loader, with every word's time."""

from __future__ import annotations

import ctypes
import io
import re
import threading
import wave
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

SAMPLE_RATE = 24_000
"""Samples a second of all speech; Orpheus speaks so, too."""
ALEX = "en-us"
PERSON = "en-gb"
_WORDS_A_MINUTE = 185
_SYNCHRONOUS = 2
_RATE = 1
_UTF8 = 1
_WORD_EVENT = 1


class NoVoice(Exception):
    """There is no voice on this machine; the sentence says what to install."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word and when it is heard, in seconds from the beginning."""

    text: str
    start: float
    end: float

    @property
    def middle(self) -> float:
        """Return the moment by which half of it was heard."""
        return (self.start + self.end) / 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Speech:
    """A text, spoken."""

    text: str
    samples: Samples
    words: tuple[Word, ...]

    @property
    def seconds(self) -> float:
        """Return how long it takes to say."""
        return len(self.samples) / SAMPLE_RATE

    def wav(self) -> bytes:
        """Return it as a WAV file, mono, 16 bit."""
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes(self.samples.tobytes())
        return out.getvalue()


@lru_cache(maxsize=512)
def speak(text: str, *, voice: str = ALEX) -> Speech:
    """Return `text` spoken by `voice`; some ten milliseconds of work for a sentence.

    :raises NoVoice: when espeakng-loader is not installed.
    """
    return _espeak().speak(text, voice)


class _Event(ctypes.Structure):
    """eSpeak's event, as speak_lib.h declares it."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Espeak:
    """The library; it holds one utterance at a time, so it is used by one thread at a time."""

    def __init__(self) -> None:
        try:
            loader = import_module("espeakng_loader")
        except ImportError:
            raise NoVoice("There is no voice here: install requirements-dev.txt (espeakng-loader).") from None
        self._library: Any = ctypes.CDLL(loader.get_library_path())
        data = str(loader.get_data_path()).encode()
        self._rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        if self._rate <= 0:
            raise NoVoice("eSpeak NG does not find its data: install requirements-dev.txt again.")
        self._lock = threading.Lock()
        self._pieces: list[Samples] = []
        self._starts: list[tuple[int, float]] = []
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_SetParameter(_RATE, _WORDS_A_MINUTE, 0)

    def speak(self, text: str, voice: str) -> Speech:
        """Return `text` spoken."""
        with self._lock:
            self._pieces, self._starts = [], []
            self._library.espeak_SetVoiceByName(voice.encode())
            encoded = text.encode() + b"\0"
            self._library.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8, None, None)
            spoken = np.concatenate(self._pieces) if self._pieces else np.zeros(1, dtype=np.int16)
            samples = _resampled(spoken, self._rate)
            words = _words(text, self._starts, seconds=len(samples) / SAMPLE_RATE)
        return Speech(text=text, samples=samples, words=words)

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if samples and count:
            self._pieces.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        position = 0
        while events[position].type:
            event = events[position]
            if event.type == _WORD_EVENT:
                self._starts.append((event.text_position - 1, event.audio_position / 1000))
            position += 1
        return 0


def _resampled(samples: Samples, rate: int) -> Samples:
    """Return `samples` at our rate; a straight line between two of them is good enough for a telephone."""
    length = len(samples) * SAMPLE_RATE // rate
    at = np.arange(length) * (rate / SAMPLE_RATE)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.int16)


def _words(text: str, starts: list[tuple[int, float]], *, seconds: float) -> tuple[Word, ...]:
    """Return the words between spaces; eSpeak's own may be parts of them, or several in one event."""
    tokens = [(found.start(), found.end(), found.group()) for found in re.finditer(r"\S+", text)]
    begun: list[float] = []
    for first, end, _ in tokens:
        inside = [at for position, at in starts if first <= position < end]
        begun.append(inside[0] if inside else (begun[-1] if begun else 0.0))
    ends = [*begun[1:], seconds]
    return tuple(
        Word(text=token, start=start, end=end)
        for (_, _, token), start, end in zip(tokens, begun, ends, strict=True)
    )


@lru_cache(maxsize=1)
def _espeak() -> _Espeak:
    return _Espeak()
