"""The sweep: every call ends, and nothing is said of the carrier that it did not say itself."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import End
from outreach.domain.disposition import EndedBy
from outreach.domain.standing import Standing
from outreach.integrations.telephony import DialOutcomeUnknown
from outreach.models import Call, CallEvent, CampaignState, Facilitator, TranscriptState
from outreach.services import campaigns, clock, dialing, locks, progress
from outreach.services.next_steps import NEVER_ENDED
from outreach.services.progress import Connect, HangUp, answer_call
from outreach.services.reconciling import sweep
from tests.factories import (
    a_campaign,
    a_dialled_call,
    a_person,
    alex_says,
    claim,
    dial,
    pass_time,
    prepare,
    provider_says,
    talk_to_the_end,
)
from tests.fakes import FakeRooms, FakeTelephony

pytestmark = [pytest.mark.integration]


def look(telephony: FakeTelephony, rooms: FakeRooms | None = None) -> None:
    """Run the sweep once, some seconds after the last one."""
    sweep(telephony=telephony, rooms=rooms or FakeRooms())


def keep_alive(call: Call) -> None:
    """Let Alex be heard of just now."""
    Call.objects.filter(pk=call.pk).update(agent_seen_at=clock.now())


def an_unknown_call(telephony: FakeTelephony, person: Facilitator) -> Call:
    """Return a call of whose dial nobody knows; the carrier never got it."""
    telephony.now = clock.now()
    telephony.fail_next_dial(DialOutcomeUnknown("time-out"))
    return dial(prepare(claim(person)), telephony)


@pytest.mark.usefixtures("tuesday")
class TestAskingTheCarrier:
    def test_finds_an_unknown_call_by_its_two_numbers(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        telephony.now = clock.now()
        telephony.lose_next_answer()
        call = dial(prepare(claim(person)), telephony)
        assert call.status == CallStatus.UNKNOWN
        pass_time(timedelta(seconds=20))
        keep_alive(call)
        look(telephony)
        call.refresh_from_db()
        assert (call.status, call.twilio_sid) == (CallStatus.RINGING, telephony.calls[0].sid)

    def test_says_never_placed_only_after_two_empty_lists_and_five_minutes(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        call = an_unknown_call(telephony, person)
        seen = []
        for _ in range(12):
            pass_time(timedelta(seconds=31))
            keep_alive(call)
            look(telephony)
            call.refresh_from_db()
            seen.append((clock.now() - call.queued_at, call.status))
        assert all(status == CallStatus.UNKNOWN for age, status in seen if age < timedelta(minutes=5))
        assert call.status == CallStatus.NOT_PLACED
        person.refresh_from_db()
        assert (person.attempts_made, person.standing) == (0, Standing.WAITING)

    def test_an_unreachable_carrier_proves_nothing(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        call = an_unknown_call(telephony, person)
        telephony.unavailable = True
        for _ in range(15):
            pass_time(timedelta(seconds=31))
            keep_alive(call)
            look(telephony)
        call.refresh_from_db()
        assert call.status == CallStatus.UNKNOWN

    def test_two_calls_for_one_intent_end_the_second_and_are_an_incident(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        telephony.now = clock.now()
        telephony.lose_next_answer()
        call = dial(prepare(claim(person)), telephony)
        telephony.now = pass_time(timedelta(seconds=1))
        telephony.place_call(telephony.orders[0])
        pass_time(timedelta(seconds=20))
        keep_alive(call)
        look(telephony)
        call.refresh_from_db()
        assert call.twilio_sid == telephony.calls[0].sid
        assert telephony.ended == [telephony.calls[1].sid]
        assert CallEvent.objects.filter(call=call, incident=True).exists()

    def test_learns_a_lost_terminal_event(self) -> None:
        telephony = FakeTelephony()
        call = a_dialled_call(a_person(a_campaign()), telephony)
        telephony.becomes(telephony.calls[0].sid, CallStatus.NO_ANSWER)
        pass_time(timedelta(minutes=3))
        keep_alive(call)
        look(telephony)
        call.refresh_from_db()
        assert (call.status, call.settled_at is not None) == (CallStatus.NO_ANSWER, True)

    def test_hangs_up_a_call_that_is_longer_than_it_may(self) -> None:
        telephony = FakeTelephony()
        call = a_dialled_call(a_person(a_campaign()), telephony)
        provider_says(call, CallStatus.IN_PROGRESS)
        telephony.becomes(telephony.calls[0].sid, CallStatus.IN_PROGRESS)
        pass_time(timedelta(minutes=20))
        keep_alive(call)
        look(telephony)
        assert telephony.ended == [telephony.calls[0].sid]
        call.refresh_from_db()
        assert call.our_fault


@pytest.mark.usefixtures("tuesday")
class TestStageDeadlines:
    def test_a_call_that_no_worker_takes_up_is_withdrawn_at_no_cost(self) -> None:
        person = a_person(a_campaign())
        call = claim(person)
        pass_time(timedelta(minutes=2))
        look(FakeTelephony())
        call.refresh_from_db()
        person.refresh_from_db()
        assert (call.status, person.standing, person.our_faults) == (CallStatus.CANCELED, Standing.WAITING, 0)

    def test_no_agent_in_time_cancels_before_anybodys_phone_rings(self) -> None:
        telephony, rooms, person = FakeTelephony(), FakeRooms(), a_person(a_campaign())
        call = claim(person)
        dialing.prepare_call(call_id=call.pk, rooms=rooms)
        pass_time(timedelta(seconds=30))
        look(telephony, rooms)
        call.refresh_from_db()
        person.refresh_from_db()
        assert (call.status, call.failure_code) == (CallStatus.CANCELED, "no_agent")
        assert telephony.orders == []
        assert rooms.deleted == [call.room]
        assert person.attempts_made == 0

    def test_a_streak_without_an_agent_holds_the_campaign_with_a_reason(self) -> None:
        campaign = a_campaign()
        for _ in range(5):
            call = claim(a_person(campaign))
            dialing.prepare_call(call_id=call.pk, rooms=FakeRooms())
            pass_time(timedelta(seconds=30))
            look(FakeTelephony())
        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert "agent" in campaign.state_reason

    def test_a_ready_agent_ends_the_streak(self) -> None:
        campaign = a_campaign(unready_streak=4)
        prepare(claim(a_person(campaign)))
        campaign.refresh_from_db()
        assert campaign.unready_streak == 0

    def test_an_answered_call_without_an_end_is_held_visibly_and_nobody_is_redialled(self) -> None:
        person = a_person(a_campaign())
        call = a_dialled_call(person)
        provider_says(call, CallStatus.IN_PROGRESS)
        provider_says(call, CallStatus.COMPLETED)
        pass_time(timedelta(minutes=11))
        look(FakeTelephony())
        person.refresh_from_db()
        call.refresh_from_db()
        assert (person.standing, person.standing_reason) == (Standing.HELD, NEVER_ENDED)
        assert (person.attempts_made, call.our_fault) == (0, True)

    def test_an_end_that_comes_after_that_releases_the_person(self) -> None:
        person = a_person(a_campaign())
        call = a_dialled_call(person)
        provider_says(call, CallStatus.IN_PROGRESS)
        provider_says(call, CallStatus.COMPLETED)
        pass_time(timedelta(minutes=11))
        look(FakeTelephony())
        alex_says(call, End, n_turns=0, ended_by=EndedBy.CALLEE)
        person.refresh_from_db()
        assert (person.standing, person.attempts_made) == (Standing.RETRY_DUE, 1)

    def test_a_hold_of_the_systems_own_is_lifted_in_time(self) -> None:
        campaign = a_campaign()
        campaigns.hold(campaign_id=campaign.pk, reason="test", release_after=timedelta(minutes=1))
        look(FakeTelephony())
        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        pass_time(timedelta(minutes=2))
        look(FakeTelephony())
        campaign.refresh_from_db()
        assert campaign.state == CampaignState.RUNNING

    def test_a_transcript_with_gaps_is_marked_incomplete(self) -> None:
        call = talk_to_the_end(a_dialled_call(a_person(a_campaign())), n_turns=3)
        pass_time(timedelta(minutes=3))
        look(FakeTelephony())
        call.refresh_from_db()
        assert call.transcript == TranscriptState.INCOMPLETE


@pytest.mark.usefixtures("tuesday")
class TestALostAgent:
    def test_while_ringing_cancels_the_call_at_no_cost(self) -> None:
        telephony, rooms, person = FakeTelephony(), FakeRooms(), a_person(a_campaign())
        call = a_dialled_call(person, telephony)
        provider_says(call, CallStatus.RINGING)
        pass_time(timedelta(seconds=8))
        look(telephony, rooms)
        assert telephony.ended == [call.twilio_sid]
        provider_says(call, CallStatus.CANCELED)
        person.refresh_from_db()
        assert (person.attempts_made, person.our_faults) == (0, 1)

    def test_while_talking_hangs_up_within_ten_seconds(self) -> None:
        telephony, rooms = FakeTelephony(), FakeRooms()
        call = a_dialled_call(a_person(a_campaign()), telephony)
        provider_says(call, CallStatus.IN_PROGRESS)
        telephony.becomes(call.twilio_sid or "", CallStatus.IN_PROGRESS)
        keep_alive(call)
        pass_time(timedelta(seconds=8))
        look(telephony, rooms)
        call.refresh_from_db()
        assert telephony.ended == [call.twilio_sid]
        assert call.room in rooms.deleted
        assert call.our_fault

    def test_the_workers_report_keeps_its_calls_alive(self) -> None:
        from outreach.domain.contracts import WorkerReport

        telephony = FakeTelephony()
        call = a_dialled_call(a_person(a_campaign()), telephony)
        pass_time(timedelta(seconds=8))
        progress.worker_reported(report=WorkerReport(worker_id="worker-1", places=5, free=4, calls=[call.pk]))
        look(telephony)
        assert telephony.ended == []

    def test_an_answer_without_a_live_agent_is_hung_up(self) -> None:
        call = a_dialled_call(a_person(a_campaign()))
        pass_time(timedelta(seconds=8))
        answer = answer_call(token=call.token, sid=call.twilio_sid or "", event_id="a", payload={})
        assert isinstance(answer, HangUp)

    def test_an_answer_with_alex_there_goes_into_his_room(self) -> None:
        call = a_dialled_call(a_person(a_campaign()))
        answer = answer_call(token=call.token, sid=call.twilio_sid or "", event_id="a", payload={})
        assert answer == Connect(room=call.room, call_id=call.pk)


@pytest.mark.usefixtures("tuesday")
class TestTheLateFence:
    def not_placed(self, person: Facilitator) -> Call:
        telephony = FakeTelephony()
        call = an_unknown_call(telephony, person)
        for _ in range(12):
            pass_time(timedelta(seconds=31))
            keep_alive(call)
            look(telephony)
        call.refresh_from_db()
        assert call.status == CallStatus.NOT_PLACED
        return call

    def test_a_sign_of_life_of_a_call_never_placed_is_hung_up_and_an_incident(self) -> None:
        person = a_person(a_campaign())
        call = self.not_placed(person)
        result = provider_says(call, CallStatus.RINGING, sid="CA-late")
        assert result.hang_up_sid == "CA-late"
        assert CallEvent.objects.filter(call=call, incident=True).exists()
        person.refresh_from_db()
        assert (call.status, person.standing) == (CallStatus.RINGING, Standing.IN_CALL)
        provider_says(call, CallStatus.CANCELED, sid="CA-late")
        person.refresh_from_db()
        assert person.standing != Standing.IN_CALL

    def test_the_answer_webhook_of_a_closed_call_hangs_up(self) -> None:
        call = self.not_placed(a_person(a_campaign()))
        assert isinstance(answer_call(token=call.token, sid="CA-late", event_id="x", payload={}), HangUp)

    def test_a_call_canceled_before_the_dial_must_not_ring(self) -> None:
        call = prepare(claim(a_person(a_campaign())))
        dialing.cancel_before_dial(call_id=call.pk, code="test", reason="test")
        assert provider_says(call, CallStatus.RINGING, sid="CA-ghost").hang_up_sid == "CA-ghost"

    def test_a_stale_event_of_an_ended_call_changes_nothing(self) -> None:
        call = a_dialled_call(a_person(a_campaign()))
        provider_says(call, CallStatus.BUSY)
        result = provider_says(call, CallStatus.RINGING)
        assert (call.status, result.hang_up_sid) == (CallStatus.BUSY, None)

    def test_a_second_sid_for_one_token_is_hung_up(self) -> None:
        call = a_dialled_call(a_person(a_campaign()))
        assert provider_says(call, CallStatus.RINGING, sid="CA-second").hang_up_sid == "CA-second"
        assert call.twilio_sid != "CA-second"


class TestAFrozenDialer:
    @pytest.fixture(autouse=True)
    def _commits(self, real_commits: None) -> None:
        """Let the frozen dialer have a connection of its own."""

    def test_the_sweep_never_says_never_placed_while_the_lock_is_held(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        call = an_unknown_call(telephony, person)
        frozen, go_on = threading.Event(), threading.Event()

        def freeze() -> None:
            with locks.try_lock_call(call.pk):
                frozen.set()
                go_on.wait(20)
            connections.close_all()

        thread = threading.Thread(target=freeze)
        thread.start()
        frozen.wait(5)
        for _ in range(14):
            pass_time(timedelta(seconds=31))
            keep_alive(call)
            look(telephony)
        call.refresh_from_db()
        assert call.status == CallStatus.UNKNOWN
        go_on.set()
        thread.join(5)
        for _ in range(3):
            pass_time(timedelta(seconds=31))
            keep_alive(call)
            look(telephony)
        call.refresh_from_db()
        assert call.status == CallStatus.NOT_PLACED
