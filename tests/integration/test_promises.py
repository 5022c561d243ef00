"""Promised callbacks survive what is not the person's doing: our faults, a busy carrier, other calls."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import CallbackAgreed, Outcome
from outreach.domain.disposition import Disposition
from outreach.domain.standing import Standing
from outreach.integrations.telephony import Fault, TelephonyRefused
from outreach.models import Call, Callback, CallbackState, Facilitator
from outreach.services import clock, dialing, dispatching
from outreach.services.postponing import postpone
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
    set_clock,
    talk_to_the_end,
)
from tests.fakes import FakeRooms, FakeTelephony

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


@pytest.fixture
def person() -> Facilitator:
    """Return somebody who was tried once, months ago, and is due."""
    person = a_person(a_campaign(), attempts_made=1)
    an_earlier_call(person, ago=timedelta(days=60))
    return person


def agree(person: Facilitator, *, hours: float = 2) -> Callback:
    """Let Alex and the person agree on a time."""
    call = a_dialled_call(person)
    alex_says(call, CallbackAgreed, promised_at=clock.now() + timedelta(hours=hours))
    talk_to_the_end(call)
    person.refresh_from_db()
    return Callback.objects.get(facilitator=person, state=CallbackState.PROMISED)


def come(callback: Callback, *, late: timedelta = timedelta(seconds=1)) -> datetime:
    """Let the promised time come."""
    set_clock(callback.promised_at + late)
    return clock.now()


def seen(person: Facilitator, callback: Callback) -> tuple[str, str]:
    """Return where the person and the promise stand."""
    person.refresh_from_db()
    callback.refresh_from_db()
    return person.standing, callback.state


class TestAPromise:
    def test_survives_an_agent_that_was_not_there(self, person: Facilitator) -> None:
        callback = agree(person)
        come(callback)
        call = claim(person)
        dialing.prepare_call(call_id=call.pk, rooms=FakeRooms())
        pass_time(timedelta(seconds=30))
        sweep(telephony=FakeTelephony(), rooms=FakeRooms())
        assert seen(person, callback) == (Standing.CALLBACK_DUE, CallbackState.PROMISED)
        assert person.next_call_at is not None
        assert person.next_call_at < callback.promised_at + timedelta(minutes=30)

    def test_survives_a_carrier_that_was_too_busy(self, person: Facilitator) -> None:
        callback, telephony = agree(person), FakeTelephony()
        come(callback)
        telephony.fail_next_dial(TelephonyRefused("429", code="20429", fault=Fault.PACE))
        dial(prepare(claim(person)), telephony)
        assert seen(person, callback) == (Standing.CALLBACK_DUE, CallbackState.PROMISED)
        pass_time(timedelta(minutes=2))
        dial(prepare(claim(person)), telephony)
        assert seen(person, callback) == (Standing.IN_CALL, CallbackState.KEPT)

    def test_survives_alex_dying_while_it_rings(self, person: Facilitator) -> None:
        callback, telephony = agree(person), FakeTelephony()
        come(callback)
        call = dial(prepare(claim(person)), telephony)
        provider_says(call, CallStatus.RINGING)
        pass_time(timedelta(seconds=8))
        sweep(telephony=telephony, rooms=FakeRooms())
        provider_says(call, CallStatus.CANCELED)
        assert seen(person, callback) == (Standing.CALLBACK_DUE, CallbackState.PROMISED)

    def test_that_our_faults_put_off_too_long_is_missed_visibly_and_moved_to_its_hour(
        self, person: Facilitator
    ) -> None:
        callback = agree(person)
        come(callback)
        Facilitator.objects.filter(pk=person.pk).update(our_faults=2)
        call = claim(person)
        dialing.prepare_call(call_id=call.pk, rooms=FakeRooms(unavailable=True))
        assert seen(person, callback) == (Standing.CALLBACK_DUE, CallbackState.PROMISED)
        assert callback.was_missed
        assert person.next_call_at == callback.promised_at + timedelta(days=1)

    def test_survives_a_call_that_an_operator_makes_before_its_time(self, person: Facilitator) -> None:
        callback = agree(person, hours=26)
        pass_time(timedelta(hours=5))
        call_id = dispatching.call_now(facilitator_id=person.pk, requested_by="anna")
        call = dial(prepare(Call.objects.get(pk=call_id)), FakeTelephony())
        provider_says(call, CallStatus.NO_ANSWER)
        assert seen(person, callback) == (Standing.CALLBACK_DUE, CallbackState.PROMISED)
        assert person.next_call_at == callback.promised_at

    def test_is_kept_by_an_operators_call_at_its_time(self, person: Facilitator) -> None:
        callback = agree(person, hours=4.5)
        come(callback)
        call_id = dispatching.call_now(facilitator_id=person.pk, requested_by="anna")
        dial(prepare(Call.objects.get(pk=call_id)), FakeTelephony())
        assert seen(person, callback) == (Standing.IN_CALL, CallbackState.KEPT)

    def test_does_not_stay_on_the_agenda_after_a_no(self, person: Facilitator) -> None:
        call = a_dialled_call(person)
        alex_says(call, CallbackAgreed, promised_at=clock.now() + timedelta(hours=2))
        alex_says(call, Outcome, disposition=Disposition.NOT_INTERESTED)
        talk_to_the_end(call)
        assert seen(person, Callback.objects.get()) == (Standing.NOT_INTERESTED, CallbackState.CANCELED)

    def test_that_is_heard_of_after_its_time_is_missed_and_not_rewritten(self, person: Facilitator) -> None:
        promised_at = clock.now() - timedelta(minutes=50)
        call = a_dialled_call(person)
        alex_says(call, CallbackAgreed, promised_at=promised_at)
        talk_to_the_end(call)
        callback = Callback.objects.get()
        assert callback.promised_at == promised_at
        an_agent_worker()
        assert dispatching.claim_due() == []
        assert seen(person, callback) == (Standing.CALLBACK_DUE, CallbackState.PROMISED)
        assert callback.was_missed

    def test_that_a_cap_put_off_until_tomorrow_morning_waits_for_its_hour(self, person: Facilitator) -> None:
        callback = agree(person)
        twin = a_person(a_campaign(), number=person.number, standing="exhausted", next_call_at=None)
        an_earlier_call(twin, ago=timedelta(minutes=30))
        come(callback)
        an_agent_worker()
        assert dispatching.claim_due() == []
        person.refresh_from_db()
        assert person.not_called_code == "daily_cap"
        assert person.next_call_at is not None
        set_clock(person.next_call_at + timedelta(seconds=1))
        an_agent_worker()
        assert dispatching.claim_due() == []
        assert seen(person, callback) == (Standing.CALLBACK_DUE, CallbackState.PROMISED)
        assert callback.was_missed
        assert person.next_call_at == callback.promised_at + timedelta(days=1)

    def test_that_an_operator_put_off_is_called_when_the_operator_said(self, person: Facilitator) -> None:
        callback = agree(person)
        until = callback.promised_at + timedelta(hours=1)
        postpone(facilitator_id=person.pk, until=until, by="anna")
        set_clock(until + timedelta(seconds=1))
        dial(prepare(claim(person)), FakeTelephony())
        assert seen(person, callback) == (Standing.IN_CALL, CallbackState.MISSED)
