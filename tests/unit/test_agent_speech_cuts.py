"""No request to the voice is longer than it accepts, and no word is lost in cutting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentworker.speech_cuts import LIMIT, SpeechCutter, cut

pytestmark = pytest.mark.unit

WORDS = st.lists(st.text(alphabet="abcdefg,.!?", min_size=1, max_size=25), max_size=120)


def words_of(pieces: list[str]) -> list[str]:
    """Return the words of all pieces."""
    return " ".join(pieces).split()


class TestCut:
    @given(WORDS)
    def test_joins_back_to_the_same_words(self, words: list[str]) -> None:
        assert words_of(cut(" ".join(words))) == words

    @given(st.text(max_size=900))
    def test_never_makes_a_piece_that_the_voice_refuses(self, text: str) -> None:
        assert all(0 < len(piece) <= LIMIT for piece in cut(text))

    def test_prefers_the_end_of_a_sentence(self) -> None:
        first = "We pay within two weeks, every time. "
        assert cut(first + "x" * 180) == [first.strip(), "x" * 180]

    def test_falls_back_to_a_clause_then_to_a_word(self) -> None:
        clause = "word " * 20 + "end, "
        assert cut(clause + "word " * 30)[0].endswith("end,")
        assert all(len(piece) <= LIMIT for piece in cut("word " * 100))

    def test_cuts_within_a_word_that_is_too_long(self) -> None:
        assert cut("a" * 400) == ["a" * LIMIT, "a" * LIMIT, "a" * 20]


class TestSpeechCutter:
    @given(WORDS, st.integers(1, 40))
    def test_loses_no_word_however_the_text_arrives(self, words: list[str], step: int) -> None:
        text, cutter, pieces = " ".join(words), SpeechCutter(), []
        for start in range(0, len(text), step):
            pieces += cutter.push(text[start : start + step])
        pieces += cutter.finish()
        assert words_of(pieces) == words
        assert all(len(piece) <= LIMIT for piece in pieces)

    def test_speaks_a_sentence_before_the_next_one_is_there(self) -> None:
        cutter = SpeechCutter()
        assert cutter.push("We look for people who lead workshops. And ") == [
            "We look for people who lead workshops."
        ]
        assert cutter.finish() == ["And"]
