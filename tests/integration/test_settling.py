"""What happens to a person after a call, exactly once."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import AnsweredFact, CallbackAgreed, End, OptOut, Outcome
from outreach.domain.disposition import AnsweredBy, Disposition, EndedBy
from outreach.domain.standing import Standing
from outreach.integrations.telephony import TelephonyUnavailable
from outreach.models import (
    Call,
    Callback,
    CallbackState,
    CallEvent,
    Facilitator,
    Suppression,
    SuppressionSource,
)
from outreach.services import campaigns, clock, dialing, dispatching, facts
from outreach.services.briefing import opening_of
from outreach.services.suppressing import suppress
from tests.factories import (
    TUESDAY_MORNING,
    a_campaign,
    a_dialled_call,
    a_person,
    alex_says,
    an_agent_worker,
    claim,
    dial,
    pass_time,
    prepare,
    provider_says,
    set_clock,
    talk_to_the_end,
)
from tests.fakes import FakeRooms, FakeTelephony

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


@pytest.fixture
def person() -> Facilitator:
    """Return somebody who is due."""
    return a_person(a_campaign())


class TestUnansweredCalls:
    @pytest.mark.parametrize("status", [CallStatus.BUSY, CallStatus.NO_ANSWER, CallStatus.FAILED])
    def test_settle_at_the_terminal_event(self, person: Facilitator, status: CallStatus) -> None:
        call = a_dialled_call(person)
        provider_says(call, status)
        person.refresh_from_db()
        assert call.settled_at is not None
        assert (call.counts, person.attempts_made) == (True, 1)
        assert person.standing == Standing.RETRY_DUE
        assert person.next_call_at is not None
        assert person.next_call_at >= clock.now() + timedelta(hours=3, minutes=59)

    def test_a_repeated_terminal_event_counts_one_attempt(self, person: Facilitator) -> None:
        call = a_dialled_call(person)
        for _ in range(3):
            provider_says(call, CallStatus.BUSY)
        person.refresh_from_db()
        assert person.attempts_made == 1

    def test_a_dead_number_waits_for_a_person(self, person: Facilitator) -> None:
        provider_says(a_dialled_call(person), CallStatus.FAILED, failure_code="404")
        person.refresh_from_db()
        assert person.standing == Standing.NEEDS_REVIEW

    def test_the_last_attempt_exhausts(self, person: Facilitator) -> None:
        Facilitator.objects.update(attempts_made=3)
        provider_says(a_dialled_call(person), CallStatus.NO_ANSWER)
        person.refresh_from_db()
        assert (person.standing, person.next_call_at) == (Standing.EXHAUSTED, None)


class TestAnsweredCalls:
    def test_wait_for_alexs_end(self, person: Facilitator) -> None:
        call = a_dialled_call(person)
        provider_says(call, CallStatus.IN_PROGRESS)
        provider_says(call, CallStatus.COMPLETED, duration=12)
        assert call.settled_at is None
        alex_says(call, Outcome, disposition=Disposition.INTERESTED)
        alex_says(call, End, n_turns=0, ended_by=EndedBy.ALEX)
        person.refresh_from_db()
        assert call.settled_at is not None
        assert (person.standing, call.duration_seconds) == (Standing.INTERESTED, 12)

    @pytest.mark.parametrize(
        ("disposition", "standing"),
        [
            (Disposition.INTERESTED, Standing.INTERESTED),
            (Disposition.NOT_INTERESTED, Standing.NOT_INTERESTED),
            (Disposition.WRONG_PERSON, Standing.NEEDS_REVIEW),
            (Disposition.HUNG_UP, Standing.RETRY_DUE),
        ],
    )
    def test_leave_the_person_where_the_disposition_says(
        self, person: Facilitator, disposition: Disposition, standing: Standing
    ) -> None:
        call = a_dialled_call(person)
        alex_says(call, Outcome, disposition=disposition)
        talk_to_the_end(call)
        person.refresh_from_db()
        assert person.standing == standing

    def test_a_machine_counts_as_an_attempt_and_is_tried_again(self, person: Facilitator) -> None:
        call = a_dialled_call(person)
        alex_says(call, AnsweredFact, answered_by=AnsweredBy.VOICEMAIL)
        talk_to_the_end(call, ended_by=EndedBy.MACHINE)
        person.refresh_from_db()
        assert (person.attempts_made, person.standing) == (1, Standing.RETRY_DUE)

    def test_our_fault_costs_no_attempt_but_is_counted(self, person: Facilitator) -> None:
        call = a_dialled_call(person)
        talk_to_the_end(call, ended_by=EndedBy.LLM_FAILURE)
        person.refresh_from_db()
        assert (call.our_fault, call.counts) == (True, False)
        assert (person.attempts_made, person.our_faults) == (0, 1)
        assert person.standing == Standing.WAITING


class TestACallThatIsHungUpInTheMiddleOfATalk:
    def hung_up(self, person: Facilitator, *, ended_by: EndedBy, **whose: bool) -> Call:
        telephony = FakeTelephony()
        call = a_dialled_call(person, telephony)
        provider_says(call, CallStatus.IN_PROGRESS)
        dialing.hang_up(call_id=call.pk, telephony=telephony, rooms=FakeRooms(), **whose)
        alex_says(call, End, n_turns=0, ended_by=ended_by)
        provider_says(call, CallStatus.COMPLETED, duration=9)
        person.refresh_from_db()
        return call

    @pytest.mark.parametrize("ended_by", [EndedBy.ROOM_CLOSED, EndedBy.NOBODY_CAME, EndedBy.CALLEE])
    def test_by_an_operator_is_an_attempt_without_an_outcome(
        self, person: Facilitator, ended_by: EndedBy
    ) -> None:
        call = self.hung_up(person, ended_by=ended_by, by_operator=True)
        assert (call.failure_code, call.our_fault, call.counts) == ("operator_hung_up", False, True)
        assert call.disposition == Disposition.NO_OUTCOME
        assert (person.attempts_made, person.our_faults) == (1, 0)
        assert person.standing == Standing.RETRY_DUE

    def test_by_an_operator_does_not_become_our_fault_when_the_sweep_hangs_up_again(
        self, person: Facilitator
    ) -> None:
        telephony = FakeTelephony()
        call = a_dialled_call(person, telephony)
        provider_says(call, CallStatus.IN_PROGRESS)
        for whose in ({"by_operator": True}, {"our_fault": True}):
            dialing.hang_up(call_id=call.pk, telephony=telephony, rooms=FakeRooms(), **whose)
        provider_says(call, CallStatus.COMPLETED, duration=9)
        alex_says(call, End, n_turns=0, ended_by=EndedBy.ROOM_CLOSED)
        assert (call.our_fault, call.counts) == (False, True)

    def test_by_an_operator_does_not_excuse_what_went_wrong_before(self, person: Facilitator) -> None:
        call = self.hung_up(person, ended_by=EndedBy.LLM_FAILURE, by_operator=True)
        assert (call.our_fault, call.counts) == (True, False)

    def test_by_an_operator_keeps_what_was_said(self, person: Facilitator) -> None:
        call = a_dialled_call(person)
        provider_says(call, CallStatus.IN_PROGRESS)
        alex_says(call, Outcome, disposition=Disposition.INTERESTED)
        dialing.hang_up(call_id=call.pk, telephony=FakeTelephony(), rooms=FakeRooms(), by_operator=True)
        alex_says(call, End, n_turns=0, ended_by=EndedBy.ROOM_CLOSED)
        provider_says(call, CallStatus.COMPLETED, duration=9)
        person.refresh_from_db()
        assert person.standing == Standing.INTERESTED

    @pytest.mark.parametrize("ended_by", [EndedBy.ROOM_CLOSED, EndedBy.CALLEE])
    def test_by_us_costs_no_attempt(self, person: Facilitator, ended_by: EndedBy) -> None:
        call = self.hung_up(person, ended_by=ended_by, our_fault=True)
        assert (call.our_fault, call.counts, person.attempts_made) == (True, False, 0)

    def test_by_an_operator_is_remembered_as_being_cut_off(self, person: Facilitator) -> None:
        self.hung_up(person, ended_by=EndedBy.ROOM_CLOSED, by_operator=True)
        pass_time(timedelta(days=2))
        Facilitator.objects.update(next_call_at=clock.now())
        assert opening_of(claim(person)) == "cut_off"


class TestEveryOrderOfEvents:
    def test_ends_in_the_same_place(self) -> None:
        """Twilio promises no order; Alex's facts take another way. All 120 orders of five events agree."""
        ends = set()
        campaign = a_campaign()
        for order in itertools.permutations(range(5)):
            person = a_person(campaign)
            call = a_dialled_call(person)
            declined = Outcome(fact_id=uuid.uuid4(), at=clock.now(), disposition=Disposition.NOT_INTERESTED)
            ended = End(fact_id=uuid.uuid4(), at=clock.now(), n_turns=0, ended_by=EndedBy.ALEX)
            steps: list[Callable[[], object]] = [
                partial(provider_says, call, CallStatus.RINGING),
                partial(provider_says, call, CallStatus.IN_PROGRESS),
                partial(provider_says, call, CallStatus.COMPLETED, duration=30),
                partial(facts.apply_fact, call_id=call.pk, fact=declined),
                partial(facts.apply_fact, call_id=call.pk, fact=ended),
            ]
            for index in order:
                steps[index]()
            call.refresh_from_db()
            person.refresh_from_db()
            ends.add((call.status, call.disposition, call.counts, person.standing, person.next_call_at))
        assert ends == {("completed", "not_interested", True, "not_interested", None)}


class TestOptOut:
    def test_suppresses_the_number_at_once_and_everywhere(self, person: Facilitator) -> None:
        elsewhere = a_person(a_campaign(), number=person.number, next_call_at=clock.now() + timedelta(days=1))
        call = a_dialled_call(person)
        provider_says(call, CallStatus.IN_PROGRESS)
        alex_says(call, OptOut, how="phrase", evidence_seq=2)
        elsewhere.refresh_from_db()
        assert Suppression.objects.get(number=person.number).call == call
        assert elsewhere.standing == Standing.SUPPRESSED
        talk_to_the_end(call)
        person.refresh_from_db()
        assert person.standing == Standing.SUPPRESSED

    def test_is_not_undone_by_a_later_interest(self, person: Facilitator) -> None:
        call = a_dialled_call(person)
        alex_says(call, OptOut)
        alex_says(call, Outcome, disposition=Disposition.INTERESTED)
        talk_to_the_end(call)
        assert call.disposition == Disposition.DO_NOT_CALL

    def test_after_the_settling_still_reaches_the_person(self, person: Facilitator) -> None:
        call = talk_to_the_end(a_dialled_call(person))
        alex_says(call, Outcome, disposition=Disposition.NOT_INTERESTED)
        person.refresh_from_db()
        assert (person.standing, person.attempts_made) == (Standing.NOT_INTERESTED, 1)

    def test_cancels_a_promised_callback(self, person: Facilitator) -> None:
        call = a_dialled_call(person)
        alex_says(call, CallbackAgreed, promised_at=clock.now() + timedelta(days=1))
        alex_says(call, OptOut)
        talk_to_the_end(call)
        assert Callback.objects.get().state == CallbackState.CANCELED

    def test_by_an_operator_during_a_call_is_a_wish_that_settling_applies(self, person: Facilitator) -> None:
        call = a_dialled_call(person)
        suppress(number=person.number, source="operator", by="anna")  # type: ignore[arg-type]
        person.refresh_from_db()
        assert person.standing == Standing.IN_CALL
        provider_says(call, CallStatus.NO_ANSWER)
        person.refresh_from_db()
        assert person.standing == Standing.SUPPRESSED


class TestCallbacks:
    def agree(self, person: Facilitator, **fields: object) -> Callback:
        call = a_dialled_call(person)
        alex_says(call, CallbackAgreed, **({"promised_at": clock.now() + timedelta(hours=2)} | fields))
        talk_to_the_end(call)
        person.refresh_from_db()
        return Callback.objects.get(facilitator=person, state=CallbackState.PROMISED)

    def test_a_promise_is_due_at_its_time_and_costs_no_attempt(self, person: Facilitator) -> None:
        callback = self.agree(person)
        assert (person.standing, person.next_call_at) == (Standing.CALLBACK_DUE, callback.promised_at)
        assert person.attempts_made == 0

    def test_a_call_for_it_within_ten_minutes_keeps_it(self, person: Facilitator) -> None:
        callback = self.agree(person)
        pass_time(timedelta(hours=2, minutes=1))
        dial(prepare(claim(person)), FakeTelephony())
        callback.refresh_from_db()
        assert callback.state == CallbackState.KEPT

    def test_a_human_callback_is_never_machine_dialled(self, person: Facilitator) -> None:
        self.agree(person, by="human")
        assert (person.standing, person.next_call_at) == (Standing.NEEDS_REVIEW, None)

    def test_two_unreached_ones_become_an_ordinary_retry(self, person: Facilitator) -> None:
        self.agree(person)
        for standing in (Standing.CALLBACK_DUE, Standing.RETRY_DUE):
            person.refresh_from_db()
            assert person.next_call_at is not None
            set_clock(person.next_call_at + timedelta(seconds=1))
            provider_says(dial(prepare(claim(person)), FakeTelephony()), CallStatus.NO_ANSWER)
            person.refresh_from_db()
            assert person.standing == standing

    def test_the_promised_time_is_called_from_the_number_they_know(self, person: Facilitator) -> None:
        callback = self.agree(person)
        person.campaign.caller_ids = ["+12025550111"]
        person.campaign.save()
        pass_time(timedelta(hours=2, minutes=1))
        assert claim(person).caller_id == callback.caller_id == "+12025550199"


class TestAManualCallToSomebodyWhoIsNotInTheQueue:
    REASON = "They are in Peru until May. (anna)"

    def a_call(self, standing: Standing = Standing.HELD, **fields: object) -> Call:
        person = a_person(
            a_campaign(), standing=standing.value, standing_reason=self.REASON, next_call_at=None, **fields
        )
        an_agent_worker()
        call_id = dispatching.call_now(facilitator_id=person.pk, requested_by="anna")
        return Call.objects.get(pk=call_id)

    def where(self, call: Call) -> tuple[str, str, datetime | None]:
        call.refresh_from_db()
        assert call.settled_at is not None
        person = Facilitator.objects.get(pk=call.person_id)
        return person.standing, person.standing_reason, person.next_call_at

    @pytest.mark.parametrize(
        "standing", [Standing.HELD, Standing.INTERESTED, Standing.EXHAUSTED, Standing.NEEDS_REVIEW]
    )
    @pytest.mark.parametrize("status", [CallStatus.BUSY, CallStatus.NO_ANSWER, CallStatus.FAILED])
    def test_leaves_them_where_they_stood_when_nobody_is_reached(
        self, standing: Standing, status: CallStatus
    ) -> None:
        call = dial(prepare(self.a_call(standing)), FakeTelephony())
        provider_says(call, status)
        assert self.where(call) == (standing, self.REASON, None)
        assert Facilitator.objects.get().attempts_made == 1

    @pytest.mark.parametrize("ended_by", [EndedBy.CALLEE, EndedBy.MACHINE, EndedBy.LLM_FAILURE])
    def test_leaves_them_where_they_stood_when_a_talk_decides_nothing(self, ended_by: EndedBy) -> None:
        call = dial(prepare(self.a_call()), FakeTelephony())
        talk_to_the_end(call, ended_by=ended_by)
        assert self.where(call) == (Standing.HELD, self.REASON, None)

    def test_leaves_them_where_they_stood_when_it_is_ended_before_the_dial(self) -> None:
        call = self.a_call()
        dialing.hang_up(call_id=call.pk, telephony=FakeTelephony(), rooms=FakeRooms())
        assert self.where(call) == (Standing.HELD, self.REASON, None)

    def test_leaves_them_where_they_stood_when_the_dial_is_refused(self) -> None:
        call = prepare(self.a_call())
        campaigns.stop_all_dialing(by="anna", reason="complaint")
        dial(call, FakeTelephony())
        assert self.where(call) == (Standing.HELD, self.REASON, None)

    def test_leaves_them_where_they_stood_when_the_hours_end_before_the_dial(self) -> None:
        call = self.a_call()
        set_clock(TUESDAY_MORNING + timedelta(hours=12))
        dial(prepare(call), FakeTelephony())
        assert self.where(call) == (Standing.HELD, self.REASON, None)

    def test_leaves_them_where_they_stood_when_the_carrier_takes_no_call(self) -> None:
        call, telephony = prepare(self.a_call()), FakeTelephony()
        telephony.fail_next_dial(TelephonyUnavailable("no connection"))
        dial(call, telephony)
        assert self.where(call) == (Standing.HELD, self.REASON, None)
        assert Facilitator.objects.get().not_called_code == ""

    def test_still_does_what_they_say(self) -> None:
        call = dial(prepare(self.a_call()), FakeTelephony())
        alex_says(call, Outcome, disposition=Disposition.NOT_INTERESTED)
        talk_to_the_end(call)
        assert self.where(call)[0] == Standing.NOT_INTERESTED

    def test_still_keeps_what_was_promised_in_it(self) -> None:
        call = dial(prepare(self.a_call()), FakeTelephony())
        at = clock.now() + timedelta(hours=3)
        alex_says(call, CallbackAgreed, promised_at=at, by="alex")
        talk_to_the_end(call)
        standing, _, due = self.where(call)
        assert (standing, due) == (Standing.CALLBACK_DUE, at)

    def test_still_never_rings_a_number_that_is_suppressed_meanwhile(self) -> None:
        call = prepare(self.a_call())
        suppress(number=call.number, source=SuppressionSource.OPERATOR)
        dial(call, FakeTelephony())
        assert self.where(call)[0] == Standing.SUPPRESSED


class TestFacts:
    def test_a_repeated_fact_is_one_event(self, person: Facilitator) -> None:
        call = a_dialled_call(person)
        end = End(fact_id=uuid.uuid4(), at=clock.now(), n_turns=3, ended_by=EndedBy.ALEX)
        for _ in range(3):
            facts.apply_fact(call_id=call.pk, fact=end)
        assert CallEvent.objects.filter(call=call, kind="end").count() == 1

    def test_a_fact_of_an_unknown_call_says_so(self) -> None:
        end = End(fact_id=uuid.uuid4(), at=datetime.now(UTC), n_turns=0, ended_by=EndedBy.ALEX)
        assert facts.apply_fact(call_id=uuid.uuid4(), fact=end) is facts.FactResult.UNKNOWN_CALL
