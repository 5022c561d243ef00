"""One number in several campaigns: a person has one phone, however many lists they are on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import End, Outcome
from outreach.domain.disposition import Disposition, EndedBy
from outreach.domain.standing import Standing
from outreach.integrations.telephony import DialOutcomeUnknown
from outreach.models import Call, Facilitator
from outreach.services import attending, clock, dialing, dispatching
from outreach.services.reconciling import sweep
from tests.factories import (
    a_campaign,
    a_dialled_call,
    a_person,
    alex_says,
    an_agent_worker,
    an_earlier_call,
    claim,
    dial,
    pass_time,
    prepare,
    provider_says,
    talk_to_the_end,
)
from tests.fakes import FakeRooms, FakeTelephony

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


def a_twin(person: Facilitator) -> Facilitator:
    """Return the same number in another running campaign, due now."""
    return a_person(a_campaign(), number=person.number)


class TestACallWhoseConversationIsNotKnownYet:
    def test_keeps_the_number_from_other_campaigns_until_it_is_settled(self) -> None:
        person = a_person(a_campaign())
        call = a_dialled_call(person)
        provider_says(call, CallStatus.IN_PROGRESS)
        provider_says(call, CallStatus.COMPLETED)
        twin = a_twin(person)
        an_agent_worker()
        assert dispatching.claim_due() == []
        twin.refresh_from_db()
        assert twin.not_called_code == "on_another_call"
        alex_says(call, Outcome, disposition=Disposition.NOT_INTERESTED)
        alex_says(call, End, n_turns=0, ended_by=EndedBy.CALLEE)
        Facilitator.objects.filter(pk=twin.pk).update(next_call_at=clock.now())
        assert dispatching.claim_due() == []
        twin.refresh_from_db()
        assert twin.standing == Standing.NOT_INTERESTED

    def test_keeps_the_number_from_a_dial_that_was_claimed_before(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        call = prepare(claim(person))
        twin = a_person(a_campaign(), number=person.number, standing="in_call", next_call_at=None)
        an_earlier_call(twin, ago=timedelta(minutes=1), status="completed", counts=False, settled_at=None)
        dial(call, telephony)
        assert telephony.orders == []


class TestARingThatWasCutShort:
    def test_is_counted_for_the_number_whoever_ended_it(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        call = a_dialled_call(person, telephony)
        provider_says(call, CallStatus.RINGING)
        dialing.hang_up(call_id=call.pk, telephony=telephony, rooms=FakeRooms())
        provider_says(call, CallStatus.CANCELED)
        person.refresh_from_db()
        assert person.attempts_made == 0
        assert person.next_call_at is not None
        assert person.next_call_at > clock.now() + timedelta(hours=12)
        twin = a_twin(person)
        an_agent_worker()
        assert dispatching.claim_due() == []
        twin.refresh_from_db()
        assert twin.not_called_code == "daily_cap"

    def test_leaves_the_person_where_an_operator_wished_them_with_the_operators_reason(self) -> None:
        person = a_person(a_campaign())
        call = a_dialled_call(person)
        attending.hold(facilitator_ids=[person.pk], by="anna", reason="Moving house")
        provider_says(call, CallStatus.NO_ANSWER)
        person.refresh_from_db()
        assert (person.standing, person.standing_reason) == (Standing.HELD, "Moving house (anna)")


class TestACallThatWasProvedNeverPlacedAndShowsUpLater:
    def not_placed(self, person: Facilitator) -> Call:
        telephony = FakeTelephony()
        telephony.now = clock.now()
        telephony.fail_next_dial(DialOutcomeUnknown("time-out"))
        call = dial(prepare(claim(person)), telephony)
        for _ in range(12):
            pass_time(timedelta(seconds=31))
            Call.objects.update(agent_seen_at=clock.now())
            sweep(telephony=telephony, rooms=FakeRooms())
        call.refresh_from_db()
        assert call.status == CallStatus.NOT_PLACED
        return call

    def test_does_not_open_again_whom_a_later_call_has_closed(self) -> None:
        person = a_person(a_campaign())
        lost = self.not_placed(person)
        Facilitator.objects.filter(pk=person.pk).update(next_call_at=clock.now())
        later = a_dialled_call(person)
        alex_says(later, Outcome, disposition=Disposition.INTERESTED)
        talk_to_the_end(later)
        result = provider_says(lost, CallStatus.RINGING, sid="CA-late")
        assert result.hang_up_sid == "CA-late"
        provider_says(lost, CallStatus.CANCELED, sid="CA-late")
        person.refresh_from_db()
        assert (person.standing, person.next_call_at) == (Standing.INTERESTED, None)
        lost.refresh_from_db()
        assert lost.settled_at is not None

    def test_is_told_in_the_history_as_a_call_that_took_place(self) -> None:
        person = a_person(a_campaign())
        lost = self.not_placed(person)
        provider_says(lost, CallStatus.RINGING, sid="CA-late")
        assert lost.placed_at is not None
