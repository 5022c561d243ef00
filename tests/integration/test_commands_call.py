"""`manage.py call`: who is meant, through the gate, followed to the end."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.core.management.base import CommandError
from kombu.exceptions import OperationalError

from outreach import tasks
from outreach.domain.contracts import AnyWord, NoteWord, PartialWord, StageWord, TurnWord
from outreach.domain.dialing_mode import DialingMode
from outreach.management import following
from outreach.models import Call, DialingControl, Facilitator, Suppression
from outreach.services import clock, dialing
from tests.factories import a_campaign, a_person, pass_time
from tests.fakes import FakeRooms, FakeTelephony
from tests.integration.operators import (
    a_conversation,
    answering,
    stored_note,
    stored_turn,
    typed,
    whoever_prepares,
)

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday", "valkey")]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for next to nothing."""
    monkeypatch.setattr(following, "LISTEN_SECONDS", 0.01)
    monkeypatch.setattr(following, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(following, "RECORDER_PATIENCE", 0.05)


@pytest.fixture
def in_mode(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[..., None]:
    """Let everything run in another mode, on a database of that mode."""

    def set_mode(mode: DialingMode, *, test_numbers: tuple[str, ...] = ()) -> None:
        settings.DIALING, settings.TEST_NUMBERS = mode, list(test_numbers)
        DialingControl.objects.update(mode=mode.value)

    return set_mode


def words_of(call: Call) -> list[AnyWord]:
    said = {"call_id": call.pk, "at": clock.now()}
    return [
        StageWord(stage="opening", **said),
        PartialWord(speaker="alex", text="Hi, this", **said),
        TurnWord(seq=1, speaker="alex", text="Hi, this is Alex, an AI assistant.", **said),
        PartialWord(speaker="person", **said),
        TurnWord(seq=2, speaker="person", text="Tell me \x1b[31mmore", **said),
        NoteWord(seq=1, text="Likes mornings", **said),
    ]


class TestWhoIsMeant:
    @pytest.mark.parametrize(
        "spelling", ["+1 212 555 0142", "(212) 555-0142", "212.555.0142", "0012125550142"]
    )
    def test_finds_a_number_in_any_spelling(self, spelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign(default_country="US"), number="+12125550142")
        hinted = whoever_prepares(monkeypatch)
        typed("call", spelling, "--no-follow")
        assert Call.objects.get(pk=hinted[0]).facilitator == person

    def test_reads_a_number_in_the_country_of_the_given_campaign(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_campaign(default_country="US")
        british = a_campaign(name="Britain", default_country="GB")
        person = a_person(british, number="+442079460123", country="GB", time_zone="America/New_York")
        hinted = whoever_prepares(monkeypatch)
        typed("call", "020 7946 0123", "--campaign", "britain", "--no-follow")
        assert Call.objects.get(pk=hinted[0]).facilitator == person

    @pytest.mark.parametrize("spelling", ["{}", "#{}"])
    def test_finds_a_facilitator_by_id(self, spelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign())
        hinted = whoever_prepares(monkeypatch)
        typed("call", spelling.format(person.pk), "--no-follow")
        assert Call.objects.get(pk=hinted[0]).facilitator == person

    def test_lists_the_campaigns_of_a_number_that_is_in_several(self) -> None:
        people = [a_person(a_campaign(name=name), number="+12125550142") for name in ("Spring", "Autumn")]
        out = io.StringIO()
        with pytest.raises(CommandError, match="--campaign NAME"):
            call_command("call", "+12125550142", stdout=out)
        assert all(f"{person.pk}" in out.getvalue() for person in people)
        assert not Call.objects.exists()

    def test_takes_the_one_of_the_given_campaign(self, monkeypatch: pytest.MonkeyPatch) -> None:
        a_person(a_campaign(name="Spring"), number="+12125550142")
        wanted = a_person(a_campaign(name="Autumn"), number="+12125550142")
        hinted = whoever_prepares(monkeypatch)
        typed("call", "+12125550142", "--campaign", "Autumn", "--no-follow")
        assert Call.objects.get(pk=hinted[0]).facilitator == wanted

    def test_says_in_which_campaign_a_number_is_instead(self) -> None:
        a_person(a_campaign(name="Spring"), number="+12125550142")
        a_campaign(name="Autumn")
        with pytest.raises(CommandError, match='but in "Spring"'):
            typed("call", "+12125550142", "--campaign", "Autumn")

    def test_says_which_import_an_unknown_number_needs(self) -> None:
        a_campaign(name="Spring")
        with pytest.raises(CommandError) as refusal:
            typed("call", "+12125550142", "--campaign", "Spring")
        assert 'import_facilitators people.csv --campaign "Spring"' in str(refusal.value)
        assert "+12125550142" not in str(refusal.value)

    @pytest.mark.parametrize(
        ("who", "sentence"),
        [("hello", "cannot be called"), ("911", "no facilitator"), ("+1 212 555", "cannot be called")],
    )
    def test_refuses_what_is_no_number_and_no_id(self, who: str, sentence: str) -> None:
        a_campaign()
        with pytest.raises(CommandError, match=sentence):
            typed("call", who)

    def test_names_the_nearest_campaign(self) -> None:
        a_campaign(name="Spring onboarding")
        with pytest.raises(CommandError, match='Did you mean "Spring onboarding"'):
            typed("call", "+12125550142", "--campaign", "Sprnig onboarding")


class TestOwnPhoneInTestMode:
    OWN = "+12125550142"

    def test_adds_a_test_number_to_the_campaign_and_calls_it(
        self, in_mode: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_campaign(name="Trial")
        in_mode(DialingMode.TEST, test_numbers=(self.OWN,))
        hinted = whoever_prepares(monkeypatch)
        own = ["--campaign", "Trial", "--name", "My phone", "--consent-basis", "express"]
        printed = typed("call", self.OWN, *own, "--no-follow")
        person = Call.objects.get(pk=hinted[0]).person
        assert (person.name, person.consent_basis, person.time_zone) == (
            "My phone",
            "express",
            "America/New_York",
        )
        assert " TEST " in printed

    @pytest.mark.parametrize("missing", ["--name", "--consent-basis"])
    def test_adds_nobody_without_a_name_and_a_basis(self, missing: str, in_mode: Callable[..., None]) -> None:
        a_campaign(name="Trial")
        in_mode(DialingMode.TEST, test_numbers=(self.OWN,))
        facts = {"--name": "My phone", "--consent-basis": "express"}
        del facts[missing]
        with pytest.raises(CommandError, match="why it may be called"):
            typed("call", self.OWN, "--campaign", "Trial", *(part for fact in facts.items() for part in fact))
        assert not Facilitator.objects.exists()

    @pytest.mark.parametrize("mode", [DialingMode.REHEARSAL, DialingMode.LIVE])
    def test_adds_nobody_in_other_modes(self, mode: DialingMode, in_mode: Callable[..., None]) -> None:
        a_campaign(name="Trial")
        in_mode(mode, test_numbers=(self.OWN,))
        own = ["--campaign", "Trial", "--name", "My phone", "--consent-basis", "express", "--yes"]
        with pytest.raises(CommandError, match="import_facilitators"):
            typed("call", self.OWN, *own)
        assert not Facilitator.objects.exists()

    def test_does_not_call_another_number(self, in_mode: Callable[..., None]) -> None:
        person = a_person(a_campaign())
        in_mode(DialingMode.TEST, test_numbers=(self.OWN,))
        with pytest.raises(CommandError, match="own test numbers"):
            typed("call", f"#{person.pk}")


class TestTheGate:
    def test_says_why_somebody_is_not_called(self) -> None:
        person = a_person(a_campaign())
        Suppression.objects.create(number=person.number, source="operator", created_at=clock.now())
        with pytest.raises(CommandError, match="never"):
            typed("call", f"#{person.pk}")
        assert not Call.objects.exists()

    def test_refuses_outside_their_hours(self) -> None:
        person = a_person(a_campaign())
        pass_time(timedelta(hours=12))
        with pytest.raises(CommandError, match="New_York"):
            typed("call", f"#{person.pk}")

    def test_refuses_a_database_of_another_mode(self, settings: Any) -> None:
        person = a_person(a_campaign())
        settings.DIALING = DialingMode.TEST
        with pytest.raises(CommandError, match="belongs to DIALING=rehearsal"):
            typed("call", f"#{person.pk}")

    def test_asks_before_it_calls_anybody_live(
        self, in_mode: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = a_person(a_campaign())
        in_mode(DialingMode.LIVE)
        answering(monkeypatch, ["n"])
        with pytest.raises(CommandError, match="Nobody was called"):
            typed("call", f"#{person.pk}")
        answering(monkeypatch, [])
        with pytest.raises(CommandError, match="needs a terminal"):
            typed("call", f"#{person.pk}")
        assert not Call.objects.exists()

    def test_calls_live_without_a_question_when_told_yes(
        self, in_mode: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = a_person(a_campaign())
        in_mode(DialingMode.LIVE)
        hinted = whoever_prepares(monkeypatch)
        assert " LIVE " in typed("call", f"#{person.pk}", "--yes", "--no-follow")
        assert len(hinted) == 1

    def test_leaves_the_call_to_the_tick_when_the_broker_is_away(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = a_person(a_campaign())

        def away(**_: Any) -> None:
            raise OperationalError("away")

        monkeypatch.setattr(tasks.prepare_call, "apply_async", away)
        assert "next tick" in typed("call", f"#{person.pk}", "--no-follow")
        assert Call.objects.get().status == "queued"


class TestFollowing:
    def test_shows_the_way_of_the_call_and_every_word(
        self, monkeypatch: pytest.MonkeyPatch, valkey: redis.Redis
    ) -> None:
        person = a_person(a_campaign(), name="Ann Example")
        whoever_prepares(monkeypatch, lambda call: a_conversation(call, words_of(call), valkey=valkey))
        printed = typed("call", f"#{person.pk}")
        expected = [
            "REHEARSAL", "Alex: Hi, this is Alex, an AI assistant.", "Ann Example: Tell me", "Likes mornings",
            "Interested.", "Ann Example is now interested",
        ]  # fmt: skip
        at = [printed.index(part) for part in expected]
        assert at == sorted(at)
        for step in ("Alex is in the room and ready", "Dialled", "Answered", "The line is free after 0:40"):
            assert step in printed

    def test_lets_no_word_command_the_terminal(
        self, monkeypatch: pytest.MonkeyPatch, valkey: redis.Redis
    ) -> None:
        person = a_person(a_campaign(), name="Ann \x1b]0;owned\x07")
        whoever_prepares(monkeypatch, lambda call: a_conversation(call, words_of(call), valkey=valkey))
        assert "\x1b" not in typed("call", f"#{person.pk}")

    def test_masks_the_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign(), number="+12125550142")
        whoever_prepares(monkeypatch, a_conversation)
        printed = typed("call", f"#{person.pk}")
        assert "+1212***0142" in printed
        assert "+12125550142" not in printed

    def test_takes_from_the_database_what_the_stream_has_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign())

        def talk(call: Call) -> None:
            stored_turn(call, 1, "alex", "Only the recorder knows this.")
            stored_note(call, "And this.")
            a_conversation(call)

        whoever_prepares(monkeypatch, talk)
        printed = typed("call", f"#{person.pk}")
        assert printed.count("Only the recorder knows this.") == 1
        assert printed.count("And this.") == 1

    def test_shows_words_of_no_other_call(self, monkeypatch: pytest.MonkeyPatch, valkey: redis.Redis) -> None:
        person = a_person(a_campaign())
        other = TurnWord(call_id=uuid.uuid4(), at=clock.now(), seq=1, speaker="alex", text="To somebody else")
        whoever_prepares(monkeypatch, lambda call: a_conversation(call, [other], valkey=valkey))
        assert "To somebody else" not in typed("call", f"#{person.pk}")

    def test_says_when_somebody_is_tried_again_in_their_zone_and_utc(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = a_person(a_campaign())
        whoever_prepares(monkeypatch, lambda call: dialing.hang_up(
            call_id=call.pk, telephony=FakeTelephony(), rooms=FakeRooms()
        ))  # fmt: skip
        printed = typed("call", f"#{person.pk}")
        assert "Canceled before anybody answered" in printed
        assert "The next try is" in printed
        assert "America/New_York (" in printed
        assert "our own fault" in printed

    def test_says_that_turns_are_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign())

        def talk(call: Call) -> None:
            a_conversation(call)
            Call.objects.update(transcript="incomplete")

        whoever_prepares(monkeypatch, talk)
        assert "transcript is incomplete" in typed("call", f"#{person.pk}")


class TestCtrlC:
    @pytest.fixture
    def interrupted_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the operator press Ctrl-C while the call is followed."""
        listen = following.WordFeed.read
        pressed: list[bool] = []

        def read(feed: Any, *, seconds: float) -> list[AnyWord]:
            if not pressed:
                pressed.append(True)
                raise KeyboardInterrupt
            return listen(feed, seconds=seconds)

        monkeypatch.setattr(following.WordFeed, "read", read)

    @pytest.mark.usefixtures("interrupted_once")
    def test_hangs_up_when_that_is_meant_and_shows_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign())
        monkeypatch.setattr(following.twilio, "telephony", FakeTelephony)
        monkeypatch.setattr(following.livekit, "rooms", FakeRooms)
        whoever_prepares(monkeypatch)
        answering(monkeypatch, ["h"])
        assert "Canceled before anybody answered" in typed("call", f"#{person.pk}")
        assert Call.objects.get().status == "canceled"

    @pytest.mark.usefixtures("interrupted_once")
    def test_hangs_up_as_the_operator_who_asks_for_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whose: list[dict[str, Any]] = []
        monkeypatch.setattr(following.dialing, "hang_up", lambda *, call_id, **said: whose.append(said))
        person = a_person(a_campaign())
        whoever_prepares(monkeypatch, a_conversation)
        answering(monkeypatch, ["h"])
        typed("call", f"#{person.pk}")
        assert [said["by_operator"] for said in whose] == [True]

    @pytest.mark.usefixtures("interrupted_once")
    @pytest.mark.parametrize("answers", [["s"], ["nonsense", "stop"], []])
    def test_leaves_the_call_alone_when_only_watching_stops(
        self, answers: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person = a_person(a_campaign())
        whoever_prepares(monkeypatch)
        answering(monkeypatch, answers)
        assert "goes on without you" in typed("call", f"#{person.pk}")
        assert Call.objects.get().status == "queued"

    @pytest.mark.usefixtures("interrupted_once")
    def test_watches_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign())
        whoever_prepares(monkeypatch, a_conversation)
        answering(monkeypatch, [""])
        assert "Interested." in typed("call", f"#{person.pk}")
