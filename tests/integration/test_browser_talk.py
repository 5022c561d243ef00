"""A talk in the browser: the same Alex and brief, and nobody called, counted, promised or suppressed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import pytest
import redis

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import (
    WORDS_FIELD,
    WORDS_STREAM,
    AnsweredFact,
    Brief,
    CallbackAgreed,
    End,
    OptOut,
    Outcome,
    TurnWord,
    Usage,
    WordsBatch,
)
from outreach.domain.disposition import AnsweredBy, Disposition, EndedBy
from outreach.integrations.livekit_browser import RoomKey
from outreach.integrations.telephony import TelephonyUnavailable
from outreach.management.figures import figures
from outreach.management.supervisor.story import Story
from outreach.models import (
    Call,
    Callback,
    CallEvent,
    Campaign,
    CampaignState,
    DialingControl,
    Facilitator,
    ScriptVersion,
    Suppression,
    Tally,
)
from outreach.services import (
    after_call,
    browser_talk,
    costs,
    dialing,
    dispatching,
    facts,
    progress,
    tallying,
)
from outreach.services.browser_talk import CannotTalk, NoPlace, Talk, begin_talk, end_talk
from outreach.services.capacity import agent_places, capacity_of, open_calls
from outreach.services.facts import FactResult
from outreach.services.intent import commit_intent
from outreach.services.reconciling import sweep
from outreach.services.recording import store_words
from tests.factories import (
    a_campaign,
    a_dialled_call,
    a_person,
    alex_says,
    an_agent_worker,
    pass_time,
    ready_fact,
    talk_to_the_end,
)
from tests.fakes import FakeRooms, FakeTelephony
from tests.integration.operators import stored_turn

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


@dataclass(kw_only=True)
class Door:
    """A LiveKit server with or without sound."""

    sound: bool = True
    away: bool = False

    def carries_sound(self) -> bool:
        if self.away:
            raise TelephonyUnavailable("LiveKit answered 502")
        return self.sound

    def key_for(self, *, room: str, identity: str, name: str) -> RoomKey:
        return RoomKey(url="ws://livekit.test", token=f"{room} {identity} {name}")


@pytest.fixture
def campaign() -> Campaign:
    """Return a running campaign; an agent worker is there."""
    an_agent_worker(free=9)
    return a_campaign()


def begin(
    campaign: Campaign, *, person: Facilitator | None = None, rooms: FakeRooms | None = None
) -> tuple[Talk, Call]:
    """Begin a talk as the operator `root`."""
    talk = begin_talk(
        campaign=campaign,
        script=campaign.script,
        person=person,
        requested_by="root",
        rooms=rooms or FakeRooms(),
        door=Door(),
    )
    return talk, Call.objects.get(pk=talk.call_id)


def talking(campaign: Campaign, *, person: Facilitator | None = None) -> Call:
    """Return a talk in which the two hear each other."""
    _, call = begin(campaign, person=person)
    facts.apply_fact(call_id=call.pk, fact=ready_fact())
    alex_says(call, AnsweredFact, answered_by=AnsweredBy.HUMAN)
    return call


def everything_about(person: Facilitator) -> Mapping[str, object]:
    """Return the person's whole row."""
    return Facilitator.objects.filter(pk=person.pk).values().get()


class TestBeginning:
    def test_sends_alex_into_a_room_with_the_brief_and_gives_the_browser_its_key(
        self, campaign: Campaign
    ) -> None:
        rooms = FakeRooms()
        talk, call = begin(campaign, rooms=rooms)
        assert (call.channel, call.status, call.number, call.facilitator) == ("web", "preparing", "", None)
        assert (call.requested_by, call.script) == ("root", campaign.script)
        assert call.who == "root in the browser"
        assert (call.dialing_at, call.placed_at, call.twilio_sid) == (None, None, None)
        assert talk.key.token == f"{call.room} web-{call.pk} root"
        brief = Brief.model_validate_json(rooms.existing[call.room].metadata)
        assert (brief.call_id, brief.channel, brief.person.name) == (call.pk, "web", "Sam Sample")

    def test_plays_a_person_with_their_history(self, campaign: Campaign) -> None:
        person = a_person(campaign, name="Noah Eriksen")
        talk_to_the_end(a_dialled_call(person))
        rooms = FakeRooms()
        _, call = begin(campaign, person=person, rooms=rooms)
        assert (call.facilitator, call.number, call.who) == (person, "", "root as Noah Eriksen")
        brief = Brief.model_validate_json(rooms.existing[call.room].metadata)
        assert (brief.person.name, brief.opening, len(brief.history)) == ("Noah Eriksen", "tried_before", 1)

    def test_says_the_words_of_another_version_of_the_script(self, campaign: Campaign) -> None:
        words = ScriptVersion.objects.get(pk=campaign.script_id)
        draft = ScriptVersion.objects.create(
            name="draft", version=1, body=words.body.replace("You are Alex", "You are Alexis"),
            created_at=words.created_at,
        )  # fmt: skip
        rooms = FakeRooms()
        talk = begin_talk(
            campaign=campaign, script=draft, person=None, requested_by="root", rooms=rooms, door=Door()
        )
        brief = Brief.model_validate_json(rooms.existing[f"call-{talk.call_id}"].metadata)
        assert "You are Alexis" in brief.instructions

    def test_is_open_to_a_person_who_is_in_a_call_or_must_never_be_called(self, campaign: Campaign) -> None:
        person = a_person(campaign)
        a_dialled_call(person)
        Suppression.objects.create(
            number=person.number, source="operator", reason="", created_at=person.created_at
        )
        begin(campaign, person=person)
        begin(campaign, person=person)
        assert Call.objects.filter(facilitator=person, channel="web").count() == 2


class TestNoTalkBegins:
    @pytest.mark.parametrize(
        ("door", "says"),
        [(Door(sound=False), "manage.py up --voice"), (Door(away=True), "manage.py doctor")],
        ids=["rooms without sound", "LiveKit away"],
    )
    def test_without_rooms_that_carry_sound(self, campaign: Campaign, door: Door, says: str) -> None:
        assert says in browser_talk.why_not(door)
        with pytest.raises(CannotTalk, match=says):
            begin_talk(
                campaign=campaign, script=campaign.script, person=None, requested_by="root",
                rooms=FakeRooms(), door=door,
            )  # fmt: skip
        assert not Call.objects.exists()

    def test_as_somebody_who_lives_nowhere_known(self, campaign: Campaign) -> None:
        person = a_person(campaign, country="", time_zone="")
        with pytest.raises(CannotTalk, match="country or time zone"):
            begin(campaign, person=person)
        assert not Call.objects.exists()

    def test_without_a_free_place_of_alex(self, campaign: Campaign) -> None:
        an_agent_worker(free=0)
        with pytest.raises(NoPlace, match=r"logs/agent\.log"):
            begin(campaign)
        assert not Call.objects.exists()

    def test_when_the_room_cannot_be_made_and_holds_no_campaign_for_it(self, campaign: Campaign) -> None:
        for _ in range(6):
            with pytest.raises(CannotTalk, match="LiveKit cannot be reached"):
                begin(campaign, rooms=FakeRooms(unavailable=True))
        assert set(Call.objects.values_list("status", "counts")) == {("canceled", False)}
        assert not Call.objects.filter(settled_at=None).exists()
        campaign.refresh_from_db()
        assert (campaign.state, campaign.unready_streak) == (CampaignState.RUNNING, 0)


class TestTheWayOfATalk:
    def test_ready_stays_and_dials_nobody(self, campaign: Campaign) -> None:
        _, call = begin(campaign)
        assert facts.apply_fact(call_id=call.pk, fact=ready_fact()) is FactResult.STAY
        assert dispatching.calls_to_dial() == []
        assert commit_intent(call_id=call.pk) is None
        dialing.dial_call(call_id=call.pk, telephony=(telephony := FakeTelephony()))
        call.refresh_from_db()
        assert (telephony.orders, call.status) == ([], "preparing")

    def test_a_second_job_leaves(self, campaign: Campaign) -> None:
        _, call = begin(campaign)
        facts.apply_fact(call_id=call.pk, fact=ready_fact("job-1"))
        assert facts.apply_fact(call_id=call.pk, fact=ready_fact("job-2")) is FactResult.LEAVE

    def test_is_in_progress_when_the_two_hear_each_other_and_settled_at_the_end(
        self, campaign: Campaign
    ) -> None:
        call = talking(campaign)
        assert (call.status, call.answered_by) == ("in_progress", "human")
        stored_turn(call, 1, "alex", "Hello.")
        pass_time(timedelta(seconds=40))
        alex_says(call, End, n_turns=1, ended_by=EndedBy.CALLEE)
        assert (call.status, call.disposition, call.transcript) == ("completed", "hung_up", "complete")
        assert (call.duration_seconds, call.our_fault, call.counts) == (40, False, False)
        assert call.settled_at is not None
        assert call.deadline_at is None

    def test_that_ends_before_alex_spoke_is_canceled(self, campaign: Campaign) -> None:
        _, call = begin(campaign)
        facts.apply_fact(call_id=call.pk, fact=ready_fact())
        alex_says(call, End, n_turns=0, ended_by=EndedBy.NOBODY_CAME)
        assert (call.status, call.answered_at) == ("canceled", None)
        assert call.settled_at is not None

    def test_takes_words_that_come_after_the_end(self, campaign: Campaign) -> None:
        call = talking(campaign)
        alex_says(call, End, n_turns=1, ended_by=EndedBy.ALEX)
        assert call.transcript == "open"
        stored_turn(call, 1, "alex", "Hello.")
        stored = store_words(call_id=call.pk, batch=WordsBatch(words=[]))
        assert stored is not None
        assert stored.complete
        call.refresh_from_db()
        assert call.transcript == "complete"


class TestFacts:
    @pytest.mark.parametrize("settled", [False, True], ids=["while they talk", "after the end"])
    def test_touch_no_person_no_number_and_promise_nothing(self, campaign: Campaign, settled: bool) -> None:
        person = a_person(campaign)
        before = everything_about(person)
        call = talking(campaign, person=person)
        if settled:
            alex_says(call, End, n_turns=0, ended_by=EndedBy.ALEX)
        alex_says(call, Outcome, disposition=Disposition.INTERESTED)
        alex_says(call, CallbackAgreed, promised_at=pass_time(timedelta(0)) + timedelta(days=1))
        alex_says(call, OptOut, how="phrase")
        alex_says(call, End, n_turns=0, ended_by=EndedBy.OPT_OUT)
        assert call.disposition == "do_not_call"
        assert not Suppression.objects.exists()
        assert not Callback.objects.exists()
        assert everything_about(person) == before

    def test_of_the_carrier_reach_no_talk(self, campaign: Campaign) -> None:
        call = talking(campaign)
        result = progress.apply_provider_event(
            token=call.token, event_id="1", kind="ringing", status=CallStatus.COMPLETED, sid="CA1", payload={}
        )
        assert not result.known
        call.refresh_from_db()
        assert (call.status, call.twilio_sid) == ("in_progress", None)


class TestHangingUp:
    def test_before_alex_was_there_cancels_the_talk(self, campaign: Campaign) -> None:
        rooms = FakeRooms()
        _, call = begin(campaign, rooms=rooms)
        for _ in range(2):
            end_talk(call_id=call.pk, requested_by="root", rooms=rooms)
        call.refresh_from_db()
        assert (call.status, rooms.deleted) == ("canceled", [call.room])

    def test_in_the_middle_leaves_the_end_to_alex_and_soon_to_the_sweep(self, campaign: Campaign) -> None:
        call = talking(campaign)
        end_talk(call_id=call.pk, requested_by="root", rooms=FakeRooms())
        call.refresh_from_db()
        assert (call.status, call.hangup_at is not None) == ("in_progress", True)
        an_hour = pass_time(timedelta(seconds=16))
        assert call.deadline_at is not None
        assert call.deadline_at < an_hour

    def test_of_somebody_elses_talk_is_not_possible(self, campaign: Campaign) -> None:
        _, call = begin(campaign)
        end_talk(call_id=call.pk, requested_by="mallory", rooms=FakeRooms())
        call.refresh_from_db()
        assert (call.status, call.hangup_at) == ("preparing", None)

    def test_by_an_operator_ends_it_like_any_call(self, campaign: Campaign) -> None:
        call = talking(campaign)
        rooms, telephony = FakeRooms(), FakeTelephony()
        dialing.hang_up(call_id=call.pk, telephony=telephony, rooms=rooms, by_operator=True)
        assert (rooms.deleted, telephony.ended) == ([call.room], [])
        alex_says(call, End, n_turns=0, ended_by=EndedBy.ROOM_CLOSED)
        assert (call.status, call.disposition, call.our_fault) == ("completed", "no_outcome", False)


class TestTheSweep:
    def test_cancels_a_talk_that_alex_never_joined_and_holds_nothing(self, campaign: Campaign) -> None:
        for _ in range(6):
            begin(campaign)
        pass_time(timedelta(seconds=21))
        rooms = FakeRooms()
        sweep(telephony=FakeTelephony(), rooms=rooms)
        assert set(Call.objects.values_list("status", "failure_code")) == {("canceled", "no_agent")}
        assert len(rooms.deleted) == 6
        campaign.refresh_from_db()
        assert (campaign.state, campaign.unready_streak) == (CampaignState.RUNNING, 0)

    def test_ends_a_talk_whose_agent_is_lost(self, campaign: Campaign) -> None:
        call = talking(campaign)
        pass_time(timedelta(seconds=7))
        rooms, telephony = FakeRooms(), FakeTelephony()
        telephony.unavailable = True
        sweep(telephony=telephony, rooms=rooms)
        call.refresh_from_db()
        assert (call.status, call.our_fault, call.failure_code) == ("completed", True, "agent_lost")
        assert (call.settled_at is not None, rooms.deleted) == (True, [call.room])

    def test_ends_a_talk_past_its_deadline_without_asking_the_carrier(self, campaign: Campaign) -> None:
        call = talking(campaign)
        now = pass_time(timedelta(seconds=campaign.max_duration + 61))
        Call.objects.update(agent_seen_at=now)
        telephony = FakeTelephony()
        telephony.unavailable = True
        sweep(telephony=telephony, rooms=FakeRooms())
        call.refresh_from_db()
        assert (call.status, call.settled_at is not None) == ("completed", True)
        alex_says(call, End, n_turns=0, ended_by=EndedBy.ROOM_CLOSED)
        assert call.status == "completed"


class TestOutsideEveryCount:
    def test_takes_a_place_of_alex_but_none_of_the_campaigns_pace(self, campaign: Campaign) -> None:
        control = DialingControl.objects.get(pk=1)
        now = pass_time(timedelta(0))
        before = capacity_of(campaign, control, now=now)
        begin(campaign)
        assert agent_places(now)[0] == 8
        assert open_calls(campaign).in_all == 0
        after = capacity_of(campaign, control, now=now)
        assert (before.free - after.free, after.whole) == (1, before.whole)
        Campaign.objects.update(max_open_calls=1)
        campaign.refresh_from_db()
        assert capacity_of(campaign, control, now=now).free == 1

    def test_leaves_no_trace_in_figures_statistics_history_and_the_gate(self, campaign: Campaign) -> None:
        person = a_person(campaign)
        call = talking(campaign, person=person)
        alex_says(call, Outcome, disposition=Disposition.NOT_INTERESTED)
        alex_says(call, End, n_turns=0, ended_by=EndedBy.ALEX)
        tallying.take_in()
        assert not Tally.objects.exists()
        counted = figures(campaign=campaign, since=None)
        assert (counted.begun, counted.people_reached, counted.statuses) == (0, 0, {})
        assert dispatching.claim_due() != []
        rooms = FakeRooms()
        _, again = begin(campaign, person=person, rooms=rooms)
        assert Brief.model_validate_json(rooms.existing[again.room].metadata).opening == "first_call"

    def test_costs_no_carrier_anything_and_is_in_no_total(self, campaign: Campaign) -> None:
        call = talking(campaign)
        pass_time(timedelta(minutes=2))
        alex_says(call, End, n_turns=0, ended_by=EndedBy.ALEX, usage=Usage(llm_input_tokens=1_000_000))
        assert after_call.take_up() == 1
        call.refresh_from_db()
        items = {item["item"] for item in call.cost_items}
        assert "llm_input" in items
        assert not {item for item in items if item.startswith(("twilio", "livekit_sip"))}
        assert costs.total(campaign) == []

    def test_is_no_call_of_a_canary(self, campaign: Campaign) -> None:
        Campaign.objects.update(canary_state="running", canary_size=1)
        talking(campaign, person=a_person(campaign))
        assert len(dispatching.claim_due()) == 1
        campaign.refresh_from_db()
        assert campaign.canary_state == "running"

    def test_is_told_by_the_supervisor_as_what_it_is(self, campaign: Campaign, valkey: redis.Redis) -> None:
        with closing(Story()) as story:
            call = talking(campaign)
            told = [(line.source, line.text) for line in story.go_on()]
            word = TurnWord(call_id=call.pk, at=call.queued_at, seq=1, speaker="alex", text="Hello.")
            valkey.xadd(WORDS_STREAM, {WORDS_FIELD: word.model_dump_json()})
            alex_says(call, End, n_turns=0, ended_by=EndedBy.CALLEE)
            told += [(line.source, line.text) for line in story.go_on()]
            told += [(line.source, line.text) for line in story.go_on()]
        assert told == [
            ("browser", "root in the browser talks with Alex; nobody is called"),
            ("alex", "to root in the browser: Hello."),
            ("browser", "root in the browser is off the line after 0 s"),
        ]
        assert story.conversations == 0

    def test_leaves_events_as_evidence_of_itself_alone(self, campaign: Campaign) -> None:
        call = talking(campaign)
        assert set(CallEvent.objects.values_list("call", flat=True)) == {call.pk}
