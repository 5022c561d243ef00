"""A hello beside the opening line is no question; anything else that no turn took up is answered after."""

from __future__ import annotations

import pytest

from agentworker import opening
from agentworker.opening import WordsBeside, is_mere_hello

pytestmark = pytest.mark.unit


class TestMereHello:
    @pytest.mark.parametrize(
        "words",
        [
            "Hello?",
            "Yes, hello?",
            "Hello, who is this?",
            "Hi.",
            "¿Bueno?",
            "This is Mia",
            "Good morning, hello?",
        ],
    )
    def test_is_what_people_say_at_picking_up(self, words: str) -> None:
        assert is_mere_hello(words)

    @pytest.mark.parametrize(
        "words",
        ["I'm not interested.", "Hello, please call me later.", "Who gave you my number?", "Yes, go on."],
    )
    def test_is_nothing_that_wants_an_answer(self, words: str) -> None:
        assert not is_mere_hello(words)


class TestWordsBeside:
    async def test_leaves_over_what_no_turn_took_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(opening, "TURN_TAKEN_WITHIN", 0.0)
        beside = WordsBeside()
        beside.said("Hello?")
        beside.said("I have no time.")
        beside.taken_up("Hello?")
        assert await beside.left_over() == ["I have no time."]
        assert await beside.left_over() == []
