"""Words are heard where they sounded, whole or in part; what nobody spoke is not understood."""

from __future__ import annotations

import numpy as np
import pytest

from sandbox.earpiece import RATE, Earpiece, Heard
from sandbox.legs import AlexSaid
from sandbox.voice_box import PERSON, SAMPLE_RATE, Samples, speak
from sandbox.voice_prints import Ears

pytestmark = pytest.mark.unit

LINES = (
    "Hello?",
    "Hello? I'm on the line now. What is this about?",
    "Please stop calling me. Take me off your list.",
    "No thank you, I'm not interested.",
)


def on_the_line(samples: Samples, *, gain: float = 0.4) -> Samples:
    """Return sound as it comes over a line: another rate, fainter, with noise."""
    length = len(samples) * RATE // SAMPLE_RATE
    heard = np.interp(np.arange(length) * SAMPLE_RATE / RATE, np.arange(len(samples)), samples) * gain
    noise = np.random.default_rng(7).normal(0, 8, length)
    return (heard + noise).astype(np.int16)


def silence(seconds: float) -> Samples:
    """Return nothing to hear."""
    return np.zeros(round(seconds * SAMPLE_RATE), dtype=np.int16)


@pytest.fixture(scope="module")
def ears() -> Ears:
    """Ears that know the lines."""
    found = Ears()
    for line in LINES:
        found.learn(speak(line, voice=PERSON))
    return found


class TestEars:
    @pytest.mark.parametrize("line", LINES)
    def test_understand_a_whole_line_between_silences(self, ears: Ears, line: str) -> None:
        sound = np.concatenate([silence(0.4), speak(line, voice=PERSON).samples, silence(0.3)])
        assert ears.transcribe(on_the_line(sound), RATE) == line

    def test_understand_only_the_words_that_sounded(self, ears: Ears) -> None:
        speech = speak(LINES[2], voice=PERSON)
        until = next(word.end for word in speech.words if word.text == "me.")
        assert ears.transcribe(on_the_line(speech.samples[: round(until * SAMPLE_RATE)]), RATE) == (
            "Please stop calling me."
        )

    def test_understand_nothing_that_nobody_spoke(self, ears: Ears) -> None:
        assert ears.transcribe(on_the_line(speak("What a lovely morning for a walk.").samples), RATE) == ""
        assert ears.transcribe(np.zeros(RATE, dtype=np.int16), RATE) == ""


class TestEarpiece:
    async def listen(self, *sounds: Samples) -> list[AlexSaid]:
        ears = Ears()
        heard: list[Heard] = []
        for line in ("Good morning, this is Alex. May I ask you something?", "Thank you and goodbye."):
            ears.learn(speak(line))
        earpiece = Earpiece(ears=ears, tell=heard.append)
        sound = on_the_line(np.concatenate(sounds))
        for start in range(0, len(sound), RATE // 50):
            await earpiece.take(sound[start : start + RATE // 50])
        earpiece.finish()
        return [event for event in heard if isinstance(event, AlexSaid)]

    async def test_hears_what_alex_says_until_he_pauses(self) -> None:
        first = speak("Good morning, this is Alex. May I ask you something?")
        last = speak("Thank you and goodbye.")
        said = await self.listen(silence(0.3), first.samples, silence(1.0), last.samples, silence(0.2))
        assert [(event.text, event.interrupted) for event in said] == [
            (first.text, False),
            (last.text, False),
        ]

    async def test_notices_that_he_broke_off(self) -> None:
        speech = speak("Good morning, this is Alex. May I ask you something?")
        said = await self.listen(speech.samples[: round(1.4 * SAMPLE_RATE)], silence(1.0))
        assert len(said) == 1
        assert said[0].interrupted
        assert said[0].text.startswith("Good morning, this is")
        assert "something" not in said[0].text

    async def test_notices_another_sentence_without_a_pause(self) -> None:
        speech = speak("Good morning, this is Alex. May I ask you something?")
        said = await self.listen(
            speech.samples[: round(1.2 * SAMPLE_RATE)], speak("Thank you and goodbye.").samples, silence(1.0)
        )
        assert said[-1].text.endswith("goodbye.")
        assert "something" not in said[-1].text
