"""Facts that come late, twice, or of an older call: a person only ever moves towards "stop calling"."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import CallbackAgreed, End, OptOut, Outcome
from outreach.domain.disposition import Disposition, EndedBy
from outreach.domain.standing import Standing
from outreach.models import Callback, CallbackState, Facilitator
from outreach.services import clock
from outreach.services.next_steps import NEVER_ENDED
from outreach.services.reconciling import sweep
from tests.factories import (
    a_campaign,
    a_dialled_call,
    a_person,
    alex_says,
    pass_time,
    provider_says,
    talk_to_the_end,
)
from tests.fakes import FakeRooms, FakeTelephony

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


@pytest.fixture
def person() -> Facilitator:
    """Return somebody who may be called again at once."""
    return a_person(a_campaign(max_attempts_a_day=9, min_gap_hours=0))


class TestASecondEnd:
    def test_of_an_older_call_does_not_settle_it_again(self, person: Facilitator) -> None:
        first = talk_to_the_end(a_dialled_call(person), ended_by=EndedBy.CALLEE)
        Facilitator.objects.update(next_call_at=clock.now())
        second = a_dialled_call(person)
        provider_says(second, CallStatus.COMPLETED)
        pass_time(timedelta(minutes=11))
        sweep(telephony=FakeTelephony(), rooms=FakeRooms())
        person.refresh_from_db()
        assert (person.standing_reason, person.attempts_made) == (NEVER_ENDED, 1)
        alex_says(first, End, n_turns=0, ended_by=EndedBy.WORKER_STOPPED)
        person.refresh_from_db()
        assert (person.standing_reason, person.attempts_made) == (NEVER_ENDED, 1)


class TestALateWord:
    def test_of_interest_does_not_undo_a_later_no(self, person: Facilitator) -> None:
        first = talk_to_the_end(a_dialled_call(person))
        Facilitator.objects.update(next_call_at=clock.now())
        second = a_dialled_call(person)
        alex_says(second, Outcome, disposition=Disposition.NOT_INTERESTED)
        talk_to_the_end(second)
        alex_says(first, Outcome, disposition=Disposition.INTERESTED)
        person.refresh_from_db()
        assert person.standing == Standing.NOT_INTERESTED

    def test_of_a_callback_promises_nothing_to_somebody_who_asked_to_be_left_alone(
        self, person: Facilitator
    ) -> None:
        call = a_dialled_call(person)
        alex_says(call, OptOut)
        talk_to_the_end(call)
        alex_says(call, CallbackAgreed, promised_at=clock.now() + timedelta(days=1))
        assert not Callback.objects.filter(state=CallbackState.PROMISED).exists()

    def test_of_a_callback_is_kept_in_mind_though_the_call_is_settled(self, person: Facilitator) -> None:
        call = talk_to_the_end(a_dialled_call(person))
        promised_at = clock.now() + timedelta(days=1)
        alex_says(call, CallbackAgreed, promised_at=promised_at)
        person.refresh_from_db()
        assert (person.standing, person.next_call_at) == (Standing.CALLBACK_DUE, promised_at)
