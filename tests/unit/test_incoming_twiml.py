"""What a caller hears, as Twilio reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from twilio.twiml.voice_response import VoiceResponse

from outreach.services.calling_back import AskedForAPerson, WillCall
from outreach.services.incoming import Answer, Greeting, NeverAgain, NothingChosen
from outreach.webhooks import incoming_twiml

pytestmark = pytest.mark.unit

ACME = Greeting(company="Acme & Sons", platform="Acme Circle")
TEN_PAST = datetime(2026, 3, 3, 15, 10, tzinfo=UTC)


def words_of(response: VoiceResponse) -> str:
    """Return everything that is said."""
    return " ".join(say.text or "" for say in ElementTree.fromstring(str(response)).iter("Say"))  # noqa: S314


def will_call(after: timedelta, time_zone: str = "America/New_York") -> str:
    """Return how a call after so long is confirmed at ten past ten in New York."""
    answer = WillCall(at=TEN_PAST + after, time_zone=time_zone, now=TEN_PAST)
    return words_of(incoming_twiml.confirmation(answer))


class TestMenu:
    def test_listens_for_one_key_or_a_word_and_asks_in_any_case(self) -> None:
        document = ElementTree.fromstring(str(incoming_twiml.menu(ACME, action="https://x/choice/1")))  # noqa: S314
        [gather] = document
        assert gather.tag == "Gather"
        assert gather.attrib == {
            "input": "dtmf speech",
            "numDigits": "1",
            "timeout": "6",
            "speechTimeout": "auto",
            "hints": "stop, call me back, one, nine",
            "language": "en-US",
            "action": "https://x/choice/1",
            "method": "POST",
            "actionOnEmptyResult": "true",
        }
        assert [verb.tag for verb in gather] == ["Say"]

    def test_names_the_company_the_reason_and_both_ways_out(self) -> None:
        words = words_of(incoming_twiml.menu(ACME, action="/"))
        for told in (
            "Acme & Sons",
            "invite them to join Acme Circle",
            "our A.I. assistant, press 1",
            "press 9",
            "say: stop",
        ):
            assert told in words

    def test_names_nobody_where_no_campaign_has_the_number(self) -> None:
        words = words_of(incoming_twiml.menu(Greeting(company="", platform=""), action="/"))
        assert "automated line" in words
        assert "press 9" in words

    def test_is_short_the_second_time(self) -> None:
        assert len(words_of(incoming_twiml.menu(None, action="/")).split()) < 25


class TestConfirmation:
    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (NeverAgain(ringing=None), "You will not be called again."),
            (AskedForAPerson(suppressed=False), "a person will look at it"),
            (AskedForAPerson(suppressed=True), "our assistant will not call it"),
            (NothingChosen(), "Nothing was changed."),
        ],
    )
    def test_says_what_was_done_and_hangs_up(self, answer: Answer, told: str) -> None:
        response = incoming_twiml.confirmation(answer)
        assert told in words_of(response)
        assert [verb.tag for verb in ElementTree.fromstring(str(response))] == ["Say", "Hangup"]  # noqa: S314

    @pytest.mark.parametrize(
        ("after", "told"),
        [
            (timedelta(minutes=2), "in a few minutes"),
            (timedelta(hours=3, minutes=55), "today at 2:05 PM your time"),
            (timedelta(hours=22, minutes=50), "on Wednesday, March 4, at 9:00 AM your time"),
        ],
    )
    def test_says_when_on_their_clock(self, after: timedelta, told: str) -> None:
        assert told in will_call(after)

    def test_names_no_hour_where_their_zone_is_not_certain(self) -> None:
        assert "as soon as our calling hours allow" in will_call(timedelta(hours=5), time_zone="")


def test_promises_nothing_that_cannot_be_stored() -> None:
    words = words_of(incoming_twiml.unavailable())
    assert "call again in a few minutes" in words
    assert "will not be called" not in words


def test_tells_whose_number_is_withheld_what_to_do() -> None:
    words = words_of(incoming_twiml.hidden(ACME))
    assert "Acme & Sons" in words
    assert "with your number shown" in words
