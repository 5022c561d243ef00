"""Preparing and placing one call: at most once, and nobody after the click has returned."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connections, transaction

from outreach.domain.account_rules import CONCURRENCY, CREDENTIALS
from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import Brief
from outreach.domain.standing import Standing
from outreach.integrations.telephony import DialOutcomeUnknown, Fault, TelephonyRefused, TelephonyUnavailable
from outreach.models import Call, CampaignState, DialingControl, PacingBucket, Suppression
from outreach.services import campaigns, clock, dialing, intent, locks
from outreach.services.facts import FactResult, apply_fact
from tests.factories import (
    a_campaign,
    a_person,
    an_agent_worker,
    an_earlier_call,
    claim,
    dial,
    pass_time,
    prepare,
    ready_fact,
)
from tests.fakes import FakeRooms, FakeTelephony

pytestmark = [pytest.mark.integration]


@pytest.mark.usefixtures("tuesday")
class TestPrepareCall:
    def test_sends_alex_into_the_calls_own_room_with_a_brief(self) -> None:
        rooms = FakeRooms()
        call = claim(a_person(a_campaign(), name="Ann Lee"))
        dialing.prepare_call(call_id=call.pk, rooms=rooms)
        brief = Brief.model_validate_json(rooms.existing[call.room].metadata)
        assert brief.call_id == call.pk
        assert brief.opening_line == "Hi Ann Lee, this is Alex, an AI assistant of Acme."

    def test_runs_once_however_often_the_message_comes(self) -> None:
        rooms = FakeRooms()
        call = claim(a_person(a_campaign()))
        for _ in range(3):
            dialing.prepare_call(call_id=call.pk, rooms=rooms)
        assert rooms.prepared == [call.room]

    def test_cancels_at_no_cost_when_the_room_server_is_away(self) -> None:
        person = a_person(a_campaign())
        call = claim(person)
        dialing.prepare_call(call_id=call.pk, rooms=FakeRooms(unavailable=True))
        call.refresh_from_db()
        person.refresh_from_db()
        assert (call.status, call.counts, person.attempts_made) == (CallStatus.CANCELED, False, 0)
        assert person.standing == Standing.WAITING

    def test_a_room_outlives_the_carriers_queue_and_the_ringing(self) -> None:
        rooms = FakeRooms()
        campaign = a_campaign()
        call = claim(a_person(campaign))
        dialing.prepare_call(call_id=call.pk, rooms=rooms)
        assert rooms.existing[call.room].empty_timeout >= 20 + 60 + campaign.ring_timeout + 60


@pytest.mark.usefixtures("tuesday")
class TestReady:
    def test_the_first_job_stays_and_the_second_leaves(self) -> None:
        call = claim(a_person(a_campaign()))
        dialing.prepare_call(call_id=call.pk, rooms=FakeRooms())
        assert apply_fact(call_id=call.pk, fact=ready_fact("job-1")) is FactResult.DIAL
        assert apply_fact(call_id=call.pk, fact=ready_fact("job-1")) is FactResult.STAY
        assert apply_fact(call_id=call.pk, fact=ready_fact("job-2")) is FactResult.LEAVE

    def test_a_job_that_comes_after_the_end_leaves(self) -> None:
        call = claim(a_person(a_campaign()))
        dialing.prepare_call(call_id=call.pk, rooms=FakeRooms())
        dialing.cancel_before_dial(call_id=call.pk, code="test", reason="test")
        assert apply_fact(call_id=call.pk, fact=ready_fact()) is FactResult.LEAVE


@pytest.mark.usefixtures("tuesday")
class TestDialCall:
    def test_places_exactly_one_call_however_often_the_message_comes(self) -> None:
        telephony = FakeTelephony()
        call = prepare(claim(a_person(a_campaign())))
        for _ in range(3):
            dial(call, telephony)
        assert [order.call_id for order in telephony.orders] == [call.pk]
        assert call.status == CallStatus.DIALING
        assert call.twilio_sid == telephony.calls[0].sid

    def test_does_not_dial_before_alex_is_ready(self) -> None:
        telephony = FakeTelephony()
        call = claim(a_person(a_campaign()))
        dialing.prepare_call(call_id=call.pk, rooms=FakeRooms())
        dial(call, telephony)
        assert telephony.orders == []

    def test_does_not_dial_when_alex_was_last_heard_of_six_seconds_ago(self) -> None:
        telephony = FakeTelephony()
        call = prepare(claim(a_person(a_campaign())))
        pass_time(timedelta(seconds=6))
        dial(call, telephony)
        assert telephony.orders == []
        assert call.status == CallStatus.PREPARING

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (DialOutcomeUnknown("time-out"), CallStatus.UNKNOWN),
            (TelephonyUnavailable("refused"), CallStatus.NOT_PLACED),
            (TelephonyRefused("429", code="20429", fault=Fault.PACE), CallStatus.NOT_PLACED),
            (TelephonyRefused("401", code="20003", fault=Fault.ACCOUNT), CallStatus.NOT_PLACED),
            (TelephonyRefused("no such number", code="21211", fault=Fault.NUMBER), CallStatus.FAILED),
        ],
    )
    def test_reads_the_carriers_answer(self, error: Exception, status: CallStatus) -> None:
        telephony = FakeTelephony()
        telephony.fail_next_dial(error)  # type: ignore[arg-type]
        call = dial(prepare(claim(a_person(a_campaign()))), telephony)
        assert call.status == status
        dial(call, telephony)
        assert len(telephony.orders) == 1

    def test_too_fast_is_not_an_attempt(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        telephony.fail_next_dial(TelephonyRefused("429", code="20429", fault=Fault.PACE))
        dial(prepare(claim(person)), telephony)
        person.refresh_from_db()
        assert (person.attempts_made, person.our_faults, person.standing) == (0, 0, Standing.WAITING)
        assert person.next_call_at is not None
        assert person.next_call_at < clock.now() + timedelta(minutes=2)

    def test_a_number_that_does_not_exist_waits_for_a_person(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        telephony.fail_next_dial(TelephonyRefused("no such number", code="21211", fault=Fault.NUMBER))
        dial(prepare(claim(person)), telephony)
        person.refresh_from_db()
        assert person.standing == Standing.NEEDS_REVIEW

    def test_a_refusal_of_our_account_holds_the_campaign_not_the_person(self) -> None:
        telephony, campaign = FakeTelephony(), a_campaign()
        person = a_person(campaign)
        telephony.fail_next_dial(TelephonyRefused("401", code="20003", fault=Fault.ACCOUNT))
        dial(prepare(claim(person)), telephony)
        campaign.refresh_from_db()
        person.refresh_from_db()
        assert (campaign.state, campaign.release_at) == (CampaignState.HELD, None)
        assert campaign.state_reason == CREDENTIALS.sentence
        assert person.standing == Standing.WAITING

    def test_a_refusal_that_we_do_not_know_is_named_by_its_code(self) -> None:
        telephony, campaign = FakeTelephony(), a_campaign()
        telephony.fail_next_dial(TelephonyRefused("no", code="99999", fault=Fault.ACCOUNT))
        dial(prepare(claim(a_person(campaign))), telephony)
        campaign.refresh_from_db()
        assert "error 99999" in campaign.state_reason

    def test_too_many_calls_at_once_hold_the_campaign_for_a_while_and_count_no_attempt(self) -> None:
        telephony, campaign = FakeTelephony(), a_campaign()
        person = a_person(campaign)
        telephony.fail_next_dial(TelephonyRefused("10004", code="10004", fault=Fault.ACCOUNT))
        call = dial(prepare(claim(person)), telephony)
        campaign.refresh_from_db()
        person.refresh_from_db()
        assert (campaign.state, campaign.state_reason) == (CampaignState.HELD, CONCURRENCY.sentence)
        assert campaign.release_at is not None
        assert (call.status, call.counts, person.attempts_made) == (CallStatus.NOT_PLACED, False, 0)

    def test_five_unknown_outcomes_in_a_row_hold_the_campaign_for_a_while(self) -> None:
        telephony, campaign = FakeTelephony(), a_campaign()
        for _ in range(5):
            telephony.fail_next_dial(DialOutcomeUnknown("time-out"))
            dial(prepare(claim(a_person(campaign))), telephony)
        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert campaign.release_at is not None
        pass_time(timedelta(minutes=3))
        campaigns.release_held()
        campaign.refresh_from_db()
        assert campaign.state == CampaignState.RUNNING


@pytest.mark.usefixtures("tuesday")
class TestTheWholeGateAgain:
    def test_an_opt_out_between_claim_and_dial_is_obeyed(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        call = prepare(claim(person))
        Suppression.objects.create(number=person.number, source="operator", created_at=clock.now())
        dial(call, telephony)
        person.refresh_from_db()
        assert telephony.orders == []
        assert (call.status, person.standing) == (CallStatus.CANCELED, Standing.SUPPRESSED)

    def test_a_window_that_closes_meanwhile_is_obeyed(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        call = prepare(claim(person))
        pass_time(timedelta(hours=2, minutes=54))
        apply_fact(call_id=call.pk, fact=ready_fact())
        dial(call, telephony)
        person.refresh_from_db()
        assert telephony.orders == []
        assert person.standing == Standing.WAITING
        assert person.next_call_at is not None
        assert person.next_call_at.isoformat() == "2026-03-03T19:00:00+00:00"

    def test_a_pause_between_claim_and_dial_costs_nothing_and_is_obeyed(self) -> None:
        telephony, campaign = FakeTelephony(), a_campaign()
        person = a_person(campaign)
        call = prepare(claim(person))
        campaigns.pause(campaign_id=campaign.pk, by="anna")
        dial(call, telephony)
        person.refresh_from_db()
        assert telephony.orders == []
        assert (person.standing, person.attempts_made, person.our_faults) == (Standing.WAITING, 0, 0)

    def test_the_kill_switch_is_obeyed(self) -> None:
        telephony = FakeTelephony()
        call = prepare(claim(a_person(a_campaign())))
        campaigns.stop_all_dialing(by="anna", reason="complaint")
        dial(call, telephony)
        assert telephony.orders == []

    def test_another_campaigns_attempt_today_is_counted(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        call = prepare(claim(person))
        elsewhere = a_person(
            a_campaign(), number=person.number, standing="held", standing_reason="x", next_call_at=None
        )
        an_earlier_call(elsewhere, ago=timedelta(minutes=30))
        dial(call, telephony)
        assert telephony.orders == []

    def test_a_database_of_another_mode_dials_nobody(self) -> None:
        telephony = FakeTelephony()
        call = prepare(claim(a_person(a_campaign())))
        DialingControl.objects.update(mode="live")
        dial(call, telephony)
        assert telephony.orders == []


@pytest.mark.usefixtures("tuesday")
class TestPacing:
    def test_a_call_without_a_token_waits_with_alex_in_the_room(self) -> None:
        telephony, campaign = FakeTelephony(), a_campaign(calls_per_second=0.5)
        an_agent_worker()
        first, second = (prepare(claim(a_person(campaign))) for _ in range(2))
        dialing.dial_call(call_id=first.pk, telephony=telephony)
        dialing.dial_call(call_id=second.pk, telephony=telephony)
        second.refresh_from_db()
        assert [order.call_id for order in telephony.orders] == [first.pk]
        assert second.status == CallStatus.PREPARING
        pass_time(timedelta(seconds=2))
        dialing.dial_call(call_id=second.pk, telephony=telephony)
        assert len(telephony.orders) == 2


class TestRaces:
    """Two connections at once; what may happen in any order must end well in every order."""

    @pytest.fixture(autouse=True)
    def _commits(self, real_commits: None) -> None:
        """Let other connections see what a test writes."""

    def test_four_workers_take_no_more_tokens_than_the_rate_gives(self) -> None:
        campaign = a_campaign(calls_per_second=10)
        calls = []
        for _ in range(12):
            person = a_person(campaign)
            an_agent_worker()
            calls.append(
                Call.objects.create(
                    facilitator=person,
                    campaign=campaign,
                    script=campaign.script,
                    number=person.number,
                    caller_id="+12025550199",
                    kind="first",
                    status="preparing",
                    queued_at=clock.now(),
                    ready_at=clock.now(),
                    agent_job="job-1",
                    agent_seen_at=clock.now(),
                )
            )
            person.standing, person.next_call_at = "in_call", None
            person.save()
        started = time.monotonic()
        granted = _in_threads(
            4, calls, lambda call: not isinstance(intent.commit_intent(call_id=call.pk), intent.NotYet)
        )
        elapsed = time.monotonic() - started
        assert 1 <= sum(granted) <= 1 + elapsed * 10 + 1

    def test_a_pause_waits_for_a_committing_intent_and_none_commits_after_it(self) -> None:
        campaign = a_campaign()
        call = prepare(claim(a_person(campaign)))
        paused = threading.Event()

        def pause() -> None:
            campaigns.pause(campaign_id=campaign.pk, by="anna")
            paused.set()
            connections.close_all()

        with transaction.atomic():
            order = intent.commit_intent(call_id=call.pk)
            thread = threading.Thread(target=pause)
            thread.start()
            assert not paused.wait(0.1)
        thread.join(5)
        assert paused.is_set()
        assert order is not None
        busy = a_person(campaign, standing="in_call", next_call_at=None)
        late = Call.objects.create(
            facilitator=busy, campaign=campaign, script=campaign.script,
            number="+12125559555", caller_id="+12025550199", kind="first", status="preparing",
            queued_at=clock.now(), ready_at=clock.now(),
        )  # fmt: skip
        assert intent.commit_intent(call_id=late.pk) is None

    def test_only_one_of_many_dialers_of_one_call_reaches_the_carrier(self) -> None:
        telephony = FakeTelephony()
        call = prepare(claim(a_person(a_campaign())))
        PacingBucket.objects.update(tokens=1.0)
        _in_threads(4, [call] * 8, lambda one: dialing.dial_call(call_id=one.pk, telephony=telephony))
        assert len(telephony.orders) == 1

    def test_a_frozen_dialer_keeps_its_lock_and_a_dead_one_frees_it(self) -> None:
        call_id = UUID(int=7)
        frozen = threading.Event()
        go_on = threading.Event()

        def freeze() -> None:
            with locks.try_lock_call(call_id) as got:
                assert got
                frozen.set()
                go_on.wait(10)
            connections.close_all()

        thread = threading.Thread(target=freeze)
        thread.start()
        frozen.wait(5)
        with locks.try_lock_call(call_id) as got:
            assert not got
        go_on.set()
        thread.join(5)
        with locks.try_lock_call(call_id) as got:
            assert got


def _in_threads(n: int, items: list[Call], work: Callable[[Call], object]) -> list[bool]:
    """Run `work` on each item from `n` threads with a connection each; return the results."""
    results: list[bool] = []
    todo = list(items)
    guard = threading.Lock()

    def run() -> None:
        while True:
            with guard:
                if not todo:
                    break
                item = todo.pop()
            done = work(item)
            with guard:
                results.append(bool(done))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


@pytest.mark.usefixtures("tuesday")
class TestTheDatabaseForbidsNonsense:
    def test_two_open_calls_of_one_number_cannot_exist(self) -> None:
        call = claim(a_person(a_campaign()))
        other = a_person(a_campaign(state=CampaignState.PAUSED), number="+12125550000")
        with pytest.raises(IntegrityError, match="call_one_open_per_number"), transaction.atomic():
            Call.objects.create(
                facilitator=other, campaign=other.campaign, script=other.campaign.script, number=call.number,
                caller_id="+12025550199", kind="first", queued_at=clock.now(),
            )  # fmt: skip

    def test_a_call_cannot_be_terminal_without_an_end(self) -> None:
        call = claim(a_person(a_campaign()))
        with pytest.raises(IntegrityError, match="call_ended_iff_terminal"), transaction.atomic():
            Call.objects.filter(pk=call.pk).update(status="busy")
