"""`manage.py dial`: the board of a campaign, and one person at a time."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.core.management.base import CommandError

from outreach.domain.contracts import WORDS_FIELD, WORDS_STREAM, PartialWord
from outreach.domain.dialing_mode import DialingMode
from outreach.domain.standing import Standing
from outreach.management import following, watching
from outreach.models import (
    Call,
    Callback,
    Campaign,
    CampaignState,
    CanaryState,
    Decision,
    DialingControl,
    Facilitator,
    Note,
    Suppression,
)
from outreach.services import campaigns, clock
from tests.factories import a_campaign, a_person, an_earlier_call
from tests.integration.desk_rows import a_live_call
from tests.integration.operators import (
    a_conversation,
    a_draft_to_start,
    answering,
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
    monkeypatch.setattr(watching, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(watching, "COUNTING_SHARE", 1.0)


class Screen(io.StringIO):
    """A terminal that keeps everything that was ever on it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("LINES", "50")
    return Screen()


class TestBoard:
    def test_starts_the_campaign_and_prints_the_board(self) -> None:
        campaign = a_draft_to_start()
        for standing in ("waiting", "retry_due"):
            a_person(campaign, standing=standing)
        a_person(campaign, standing="held", standing_reason="Their zone is not known", next_call_at=None)
        a_person(
            campaign,
            standing="waiting",
            not_called_code="outside_window",
            next_call_at=clock.now() + timedelta(hours=3),
        )
        call = a_live_call(a_person(campaign, name="Ann Example"))
        stored_turn(call, 1, "alex", "Hi, this is Alex.")
        printed = typed("dial", "Spring")
        assert Campaign.objects.get().state == CampaignState.RUNNING
        for part in (
            "REHEARSAL", "running", "2 first calls", "1 retries", "0 callbacks",
            "1 it is outside their calling hours", "in 3 h",
            "1 Their zone is not known", "Ann Example", "pitch", "Alex: Hi, this is Alex.", "1 in the air",
        ):  # fmt: skip
            assert part in printed, part

    def test_says_that_no_agent_worker_reports(self) -> None:
        a_campaign(name="Spring")
        assert "no agent worker reports" in typed("dial", "Spring", "--no-board")

    def test_says_that_all_dialing_is_stopped(self) -> None:
        a_campaign(name="Spring")
        campaigns.stop_all_dialing(by="olga", reason="Fire drill")
        printed = typed("dial", "Spring", "--no-board")
        assert "ALL DIALING IS STOPPED" in printed
        assert "Fire drill" in printed

    def test_refuses_what_cannot_be_started(self) -> None:
        a_draft_to_start(caller_ids=[])
        with pytest.raises(CommandError, match="no caller ID"):
            typed("dial", "Spring", "--despite-red")
        assert Campaign.objects.get().state == CampaignState.DRAFT

    def test_names_the_nearest_campaign(self) -> None:
        a_campaign(name="Spring")
        with pytest.raises(CommandError, match='Did you mean "Spring"'):
            typed("dial", "Sprung")

    def test_asks_before_a_live_campaign_starts(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        a_draft_to_start(canary_size=3)
        settings.DIALING = DialingMode.LIVE
        DialingControl.objects.update(mode="live")
        answering(monkeypatch, ["n"])
        with pytest.raises(CommandError, match="Nobody was called"):
            typed("dial", "Spring")
        assert Campaign.objects.get().state == CampaignState.DRAFT
        assert " LIVE " in typed("dial", "Spring", "--yes")
        assert Campaign.objects.get().canary_state == CanaryState.RUNNING


class TestLiveBoard:
    def test_ends_by_itself_when_everybody_is_done(self, screen: Screen) -> None:
        campaign = a_campaign(name="Spring")
        a_person(campaign, standing="interested", next_call_at=None)
        call_command("dial", "Spring", stdout=screen)
        assert "Everybody is done" in screen.getvalue()

    @pytest.mark.parametrize(
        ("answers", "state"),
        [(["p"], CampaignState.PAUSED), (["l"], CampaignState.RUNNING), ([], CampaignState.RUNNING)],
    )
    def test_asks_what_ctrl_c_means(
        self, answers: list[str], state: CampaignState, screen: Screen, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = a_campaign(name="Spring")
        a_person(campaign)

        def read(_feed: Any, *, seconds: float) -> list[Any]:
            raise KeyboardInterrupt

        monkeypatch.setattr(watching.WordFeed, "read", read)
        answering(monkeypatch, answers)
        call_command("dial", "Spring", stdout=screen)
        assert Campaign.objects.get().state == state

    def test_shows_words_while_they_are_spoken(
        self, screen: Screen, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call = a_live_call(a_person(a_campaign(name="Spring")))
        listen, looks = watching.WordFeed.read, iter(range(100))

        def read(feed: Any, *, seconds: float) -> list[Any]:
            if (look := next(looks)) == 0:
                word = PartialWord(call_id=call.pk, at=clock.now(), speaker="alex", text="Half a sent")
                valkey.xadd(WORDS_STREAM, {WORDS_FIELD: word.model_dump_json()})
            elif look > 3:
                raise KeyboardInterrupt
            return listen(feed, seconds=seconds)

        monkeypatch.setattr(watching.WordFeed, "read", read)
        answering(monkeypatch, ["l"])
        call_command("dial", "Spring", stdout=screen)
        assert "Half a sent" in screen.getvalue()


class TestOneByOne:
    def test_shows_each_person_with_their_history(self, monkeypatch: pytest.MonkeyPatch) -> None:
        campaign = a_campaign(name="Spring", state=CampaignState.DRAFT)
        person = a_person(campaign, name="Ann Example", extra={"specialty": "agile"}, attempts_made=1)
        earlier = an_earlier_call(person, ago=timedelta(days=2), disposition="callback_requested")
        Note.objects.create(call=earlier, seq=1, text="Likes mornings", noted_at=clock.now())
        Callback.objects.create(
            facilitator=person, promised_at=clock.now(), time_zone="America/New_York", created_at=clock.now(),
            reason="In a meeting",
        )  # fmt: skip
        Decision.objects.create(
            facilitator=person, code="outside_window", reason="It was night", decided_at=clock.now()
        )
        answering(monkeypatch, ["q"])
        printed = typed("dial", "Spring", "--interactive")
        for part in (
            "REHEARSAL", "Ann Example", "specialty: agile", "callback requested", "note: Likes mornings",
            "In a meeting", "It was night", "1 attempts so far", "America/New_York",
        ):  # fmt: skip
            assert part in printed, part
        assert person.number not in printed
        assert Campaign.objects.get().state == CampaignState.DRAFT

    def test_goes_through_callbacks_then_priorities_then_retries(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = a_campaign(name="Spring", state=CampaignState.DRAFT)
        a_person(campaign, name="Retry", standing="retry_due", priority=1)
        a_person(campaign, name="Low", priority=8)
        a_person(campaign, name="High", priority=2)
        a_person(campaign, name="Promised", standing="callback_due")
        answering(monkeypatch, ["s"] * 4)
        printed = typed("dial", "Spring", "--interactive")
        at = [printed.index(f"{name}  #") for name in ("Promised", "High", "Low", "Retry")]
        assert at == sorted(at)
        assert "Nobody else may be called now." in printed
        assert not Call.objects.exists()

    def test_calls_and_follows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign(name="Spring", state=CampaignState.DRAFT), name="Ann")
        whoever_prepares(monkeypatch, a_conversation)
        answering(monkeypatch, ["call"])
        assert "Ann is now interested" in typed("dial", "Spring", "--interactive")
        assert Call.objects.get().facilitator == person

    def test_puts_somebody_off_on_their_own_clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign(name="Spring", state=CampaignState.DRAFT))
        answering(monkeypatch, ["l", "sometime", "later", "tomorrow 11:30"])
        printed = typed("dial", "Spring", "--interactive")
        person.refresh_from_db()
        assert "Wed 04 Mar 11:30 America/New_York (Wed 16:30 UTC)" in printed
        assert (person.standing, person.not_called_code) == (Standing.WAITING.value, "postponed")
        assert person.next_call_at is not None
        assert f"{person.next_call_at:%d %H:%M}" == "04 16:30"
        assert Decision.objects.get().facilitator == person

    def test_says_that_somebody_is_put_off_into_the_night(self, monkeypatch: pytest.MonkeyPatch) -> None:
        a_person(a_campaign(name="Spring", state=CampaignState.DRAFT))
        answering(monkeypatch, ["l", "23:00"])
        assert "outside their calling hours" in typed("dial", "Spring", "--interactive")

    def test_says_that_a_promise_put_off_is_missed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        a_person(a_campaign(name="Spring", state=CampaignState.DRAFT), standing="callback_due")
        answering(monkeypatch, ["l", "2h"])
        assert "counts as missed" in typed("dial", "Spring", "--interactive")

    def test_takes_ctrl_c_at_a_question_as_quitting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        campaign = a_campaign(state=CampaignState.DRAFT)
        a_person(campaign, name="Ann Lee")

        def interrupted(_prompt: str = "") -> str:
            raise KeyboardInterrupt

        monkeypatch.setattr("builtins.input", interrupted)
        assert "Ann Lee" in typed("dial", campaign.name, "--interactive")

    def test_suppresses_a_number_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign(name="Spring", state=CampaignState.DRAFT))
        answering(monkeypatch, ["x", "", "x", "Asked by e-mail"])
        typed("dial", "Spring", "--interactive")
        suppression = Suppression.objects.get()
        assert (suppression.number, suppression.reason) == (person.number, "Asked by e-mail")
        assert "(terminal)" in suppression.created_by
        assert Facilitator.objects.get().standing == Standing.SUPPRESSED.value

    def test_passes_over_whom_the_gate_refuses_and_says_how_many(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = a_campaign(name="Spring", state=CampaignState.DRAFT)
        a_person(campaign, consent_basis="")
        a_person(campaign, name="Night", time_zone="Asia/Tokyo")
        answering(monkeypatch, [])
        printed = typed("dial", "Spring", "--interactive")
        assert "1 no consent" in printed
        assert "1 outside window" in printed

    def test_says_when_somebody_else_took_the_person(self, monkeypatch: pytest.MonkeyPatch) -> None:
        person = a_person(a_campaign(name="Spring", state=CampaignState.DRAFT))

        def answer(_prompt: str = "") -> str:
            Facilitator.objects.filter(pk=person.pk).update(standing="in_call", next_call_at=None)
            return "c"

        monkeypatch.setattr("builtins.input", answer)
        assert "Not called: This person is in a call" in typed("dial", "Spring", "--interactive")

    @pytest.mark.parametrize("state", [CampaignState.PAUSED, CampaignState.HELD])
    def test_calls_nobody_of_a_campaign_that_is_stopped(self, state: CampaignState) -> None:
        a_campaign(name="Spring", state=state, state_reason="The team is out")
        with pytest.raises(CommandError, match="The team is out"):
            typed("dial", "Spring", "--interactive")

    def test_warns_that_a_running_campaign_calls_by_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        a_campaign(name="Spring")
        answering(monkeypatch, [])
        assert "called by themselves" in typed("dial", "Spring", "--interactive")
