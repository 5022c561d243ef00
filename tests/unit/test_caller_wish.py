"""What a caller asks for, by a key or in words."""

from __future__ import annotations

import pytest

from outreach.domain.caller_wish import CallerWish, wish_of

pytestmark = pytest.mark.unit


class TestWishOf:
    @pytest.mark.parametrize(("digits", "wish"), [("1", CallerWish.CALLBACK), ("9", CallerWish.STOP)])
    def test_reads_the_keys(self, digits: str, wish: CallerWish) -> None:
        assert wish_of(digits=digits) is wish

    @pytest.mark.parametrize("digits", ["", "5", "#", "19", "91"])
    def test_leaves_other_keys(self, digits: str) -> None:
        assert wish_of(digits=digits) is None

    @pytest.mark.parametrize(
        "speech",
        [
            "Stop.",
            "stop stop stop",
            "Please stop it now",
            "Nine.",
            "9",
            "Unsubscribe",
            "Opt out, please",
            "Never call me again!",
            "Take me off your list, don't call me back",
            "Hören Sie auf anzurufen",
            "Basta",
        ],
    )
    def test_hears_a_stop_by_the_same_phrases_as_alex_and_the_bare_words_that_were_offered(
        self, speech: str
    ) -> None:
        assert wish_of(speech=speech) is CallerWish.STOP

    @pytest.mark.parametrize(
        "speech", ["One.", "Call me back.", "Yes, please call me back later", "I'd like a callback", "Yes"]
    )
    def test_hears_a_wish_for_a_callback(self, speech: str) -> None:
        assert wish_of(speech=speech) is CallerWish.CALLBACK

    @pytest.mark.parametrize(
        "speech",
        [
            "",
            "Hello? Who is this?",
            "Why did you call me?",
            "Do not call me today",
            "You called nine times",
            "We stop calling people at six ourselves",
        ],
    )
    def test_asks_again_rather_than_guess(self, speech: str) -> None:
        assert wish_of(speech=speech) is None

    def test_lets_a_stop_win_over_everything_else_that_was_said(self) -> None:
        assert wish_of(digits="1", speech="stop calling me") is CallerWish.STOP
