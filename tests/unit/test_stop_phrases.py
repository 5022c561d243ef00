"""Which words mean "never call again" without asking a model."""

from __future__ import annotations

import pytest

from outreach.domain.stop_phrases import asks_to_stop

pytestmark = pytest.mark.unit


class TestAsksToStop:
    @pytest.mark.parametrize(
        "text",
        [
            "Stop calling me!",
            "STOP CALLING.",
            "Please take me off your list",
            "Could you take my number off of the calling list?",
            "Don't call me again.",
            "Don’t ever call me again",
            "I said do not call",
            "I told you not to call me",
            "Never call here again!",
            "Remove my number, please",
            "Just delete my data",
            "Put me on the do not call list",
            "No more calls, thank you",
            "Stop calling me today and don't ever call me again",
            "I didn't say stop. But don't call me any more.",
            "No me llame más",
            "Deje de llamarme, por favor",
            "Rufen Sie mich nicht mehr an",
            "Hören Sie auf, mich anzurufen!",
            "Ne m'appelez plus",
            "Arrêtez de m'appeler",
        ],
    )
    def test_hears_a_stop_in_any_wording(self, text: str) -> None:
        assert asks_to_stop(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Hello?",
            "Can you call me tomorrow?",
            "Please don't call me today, I am in a meeting",
            "Don't call me tomorrow, call me on Friday",
            "Why do you never call me?",
            "We stop calling people at six ourselves",
            "I am not interested",
            "Could you remove that from the offer?",
            "I didn't say stop calling me",
            "Llámame mañana",
            "Rufen Sie mich morgen an",
        ],
    )
    def test_leaves_other_wishes_to_the_conversation(self, text: str) -> None:
        assert not asks_to_stop(text)
