"""Recognising speech that was spoken here before, from its sound alone.

There is no small recogniser for free speech that works offline, but everything that is said in a rehearsal
is spoken by our own voices: what each utterance sounds like is remembered, and a stretch of sound is
found again in it, at its place. So the words that an ear hears are those that really sounded: half an
utterance gives half of its words, and whatever nobody spoke is not understood. Which call a stretch comes
from plays no part, since equal words sound equal.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sandbox.voice_box import SAMPLE_RATE, Samples, Speech

Features = npt.NDArray[np.float64]

HOP = 0.02
"""Seconds of one step."""
REMEMBERED = 256
"""Utterances that an ear knows at most; the oldest is forgotten first."""
ALIKE = 0.72
"""How alike a stretch and its place must be: 1 is equal; two different sentences reach 0.5."""
ALIKE_NEXT = 0.6
"""How alike the next short stretch must be to count as a continuation."""
_DRIFT = 0.3
"""Seconds by which sound may have come sooner or later than it was spoken."""
_BANDS = 12
_LOWEST, _HIGHEST = 150.0, 5000.0
_WINDOW = 0.032
_COMMON = 0.8
"""How much of what all sound has in common is left out of the comparison."""
_LOUDNESS = 0.3
"""Power by which energies are compressed, or a loud vowel would outweigh everything else."""
_SILENT = 1e-4
_FAINT = 1e-3
"""Share of the loudest step's energy below which a step counts as silence."""
_LEAST = 1e-3
_UNHEARD = 0.02
"""How much less alike a longer utterance is, of which only a part was heard."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """Which utterance sounds like a stretch, and where in it the stretch begins (seconds; may be below 0)."""

    speech: Speech
    offset: float
    alike: float

    def words_between(self, start: float, end: float) -> str:
        """Return the words that sounded between two moments of the stretch, in seconds."""
        first, last = start + self.offset, end + self.offset
        heard = [word.text for word in self.speech.words if first <= word.middle <= last]
        return " ".join(heard)


class Ears:
    """Remembers what was spoken, and recognises it."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Speech, Features]] = OrderedDict()

    def learn(self, speech: Speech) -> None:
        """Remember how `speech` sounds."""
        if not speech.text.strip():
            return
        known = self._known.pop(speech.text, None) or (speech, features(speech.samples, SAMPLE_RATE))
        self._known[speech.text] = known
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def recognise(self, samples: Samples, rate: int) -> Match | None:
        """Return the utterance that `samples` are a part of, or None when they sound like nothing known."""
        heard = features(samples, rate)
        matches = [found for found in self._matches(heard) if found.alike >= ALIKE]
        return max(matches, key=lambda match: match.alike, default=None)

    def follows(self, samples: Samples, rate: int, *, match: Match, at: float) -> bool:
        """Tell whether `samples` are what comes next in `match`, `at` seconds of its stretch; silence is."""
        heard = features(samples, rate)
        if not heard.any():
            return True
        known = self._known.get(match.speech.text)
        if known is None:
            return False
        place, alike = _place_in(known[1], heard)
        return alike >= ALIKE_NEXT and abs(place * HOP - match.offset - at) <= _DRIFT

    def best(self, samples: Samples, rate: int) -> Match | None:
        """Return the most similar utterance however little similar it is."""
        return max(self._matches(features(samples, rate)), key=lambda match: match.alike, default=None)

    def transcribe(self, samples: Samples, rate: int) -> str:
        """Return the words in `samples`, "" when they are not understood."""
        match = self.recognise(samples, rate)
        return match.words_between(0.0, len(samples) / rate) if match is not None else ""

    def _matches(self, heard: Features) -> Iterator[Match]:
        if heard.any():
            for speech, known in self._known.values():
                place, alike = _place_in(known, heard)
                yield Match(speech=speech, offset=place * HOP, alike=alike)


def features(samples: Samples, rate: int) -> Features:
    """Return the shape of sound: a row of compressed band energies for every step."""
    hop, window = round(rate * HOP), round(rate * _WINDOW)
    steps = max(1, math.ceil(len(samples) / hop))
    padded = np.zeros((steps - 1) * hop + window + hop)
    padded[: len(samples)] = samples / 32768
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:steps]
    power = np.abs(np.fft.rfft(frames * np.hanning(window), axis=1)) ** 2
    at = np.fft.rfftfreq(window, 1 / rate)
    edges = np.geomspace(_LOWEST, _HIGHEST, _BANDS + 1)
    bands = [power[:, (at >= low) & (at < high)].sum(axis=1) for low, high in pairwise(edges)]
    shape: Features = np.stack(bands, axis=1) ** _LOUDNESS
    loudness = power.sum(axis=1)
    shape[loudness < max(_SILENT, loudness.max() * _FAINT)] = 0.0
    return shape


def _place_in(known: Features, heard: Features) -> tuple[int, float]:
    """Return where in `known` `heard` begins (in steps), and how alike they are there.

    All that is heard has to be in `known`; of `known` only the part counts beside which something is heard.
    """
    length = len(known) + len(heard)
    left, right = _centred(known), _centred(heard)
    product = np.fft.irfft(
        (np.fft.rfft(left, length, axis=0) * np.conj(np.fft.rfft(right, length, axis=0))).sum(axis=1), length
    )
    energy = np.concatenate([[0.0], np.cumsum((left**2).sum(axis=1))])
    lags = np.arange(-len(heard) + 1, len(known))
    begins, ends = np.clip(lags, 0, len(known)), np.clip(lags + len(heard), 0, len(known))
    beside = np.sqrt(np.maximum(energy[ends] - energy[begins], 1e-12)) * np.sqrt((right**2).sum())
    alike = product[lags] / np.maximum(beside, _LEAST)
    alike -= _UNHEARD * (1 - (energy[ends] - energy[begins]) / max(energy[-1], _LEAST))
    best = int(alike.argmax())
    return int(lags[best]), float(alike[best])


def _centred(shape: Features) -> Features:
    """Return what differs from the average sound; silence stays nothing."""
    loud = np.flatnonzero(shape.sum(axis=1) > 0)
    centred = np.zeros_like(shape)
    if len(loud):
        centred[loud] = shape[loud] - _COMMON * shape[loud].mean(axis=0)
    return centred
