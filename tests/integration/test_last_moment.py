"""Between the intent and the first ring: whoever was frozen, stopped or hung up meanwhile rings nobody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from outreach.domain.call_status import CallStatus
from outreach.domain.standing import Standing
from outreach.integrations.telephony import CallOrder, Fault, ProviderCall, TelephonyRefused
from outreach.integrations.twilio_errors import NUMBER_CODES
from outreach.models import Call, Campaign, PacingBucket, ScriptVersion
from outreach.services import campaigns, clock, dialing, intent
from outreach.services.clock import database_age
from outreach.services.progress import HangUp, answer_call
from outreach.services.reconciling import sweep
from tests.factories import (
    a_campaign,
    a_dialled_call,
    a_person,
    claim,
    dial,
    pass_time,
    prepare,
    provider_says,
)
from tests.fakes import FakeRooms, FakeTelephony

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


def after_the_intent(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Let `meanwhile` happen between the committed intent and the POST."""

    def commit_and_freeze(**given: Any) -> object:
        order = intent.commit_intent(**given)
        meanwhile()
        return order

    monkeypatch.setattr(dialing, "commit_intent", commit_and_freeze)


class TestADialerThatWasFrozenBeforeItsPost:
    def test_rings_nobody_when_it_wakes_up_too_late(self, monkeypatch: pytest.MonkeyPatch) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        call = prepare(claim(person))
        after_the_intent(monkeypatch, lambda: pass_time(timedelta(hours=9)))
        dial(call, telephony)
        person.refresh_from_db()
        assert telephony.orders == []
        assert call.status == CallStatus.NOT_PLACED
        assert (person.standing, person.attempts_made, person.our_faults) == (Standing.WAITING, 0, 0)

    def test_rings_nobody_after_the_stop_was_clicked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        telephony = FakeTelephony()
        call = prepare(claim(a_person(a_campaign())))
        after_the_intent(monkeypatch, lambda: campaigns.stop_all_dialing(by="anna", reason="complaint"))
        dial(call, telephony)
        assert telephony.orders == []

    def test_rings_nobody_after_the_campaign_was_paused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        telephony, campaign = FakeTelephony(), a_campaign()
        call = prepare(claim(a_person(campaign)))
        after_the_intent(monkeypatch, lambda: campaigns.pause(campaign_id=campaign.pk, by="anna"))
        dial(call, telephony)
        assert telephony.orders == []

    def test_rings_nobody_after_the_call_was_hung_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        telephony = FakeTelephony()
        call = prepare(claim(a_person(a_campaign())))
        after_the_intent(
            monkeypatch,
            lambda: dialing.hang_up(call_id=call.pk, telephony=telephony, rooms=FakeRooms()),
        )
        dial(call, telephony)
        assert telephony.orders == []


class SlowTelephony(FakeTelephony):
    """A carrier during whose answer something happens on our side."""

    meanwhile: Callable[[], object]

    def place_call(self, order: CallOrder) -> ProviderCall:
        placed = super().place_call(order)
        self.meanwhile()
        return placed


class TestACallThatIsHungUpWhileTheCarrierIsAsked:
    def a_call(self, telephony: SlowTelephony, *, lose_answer: bool = False) -> Call:
        call = prepare(claim(a_person(a_campaign())))
        telephony.meanwhile = lambda: dialing.hang_up(call_id=call.pk, telephony=telephony, rooms=FakeRooms())
        if lose_answer:
            telephony.lose_next_answer()
        PacingBucket.objects.update(tokens=1.0)
        return call

    def test_is_ended_as_soon_as_its_name_at_the_carrier_is_known(self) -> None:
        telephony = SlowTelephony()
        call = dial(self.a_call(telephony), telephony)
        assert telephony.ended == [call.twilio_sid]

    def test_is_ended_at_its_first_sign_of_life_and_never_connected(self) -> None:
        call = a_dialled_call(a_person(a_campaign()))
        Call.objects.filter(pk=call.pk).update(hangup_at=clock.now())
        assert provider_says(call, CallStatus.RINGING).hang_up_sid == call.twilio_sid
        answer = answer_call(token=call.token, sid=call.twilio_sid or "", event_id="a", payload={})
        assert isinstance(answer, HangUp)
        assert provider_says(call, CallStatus.COMPLETED).hang_up_sid is None

    def test_is_asked_for_soon_after_even_when_no_event_comes(self) -> None:
        telephony = FakeTelephony()
        call = a_dialled_call(a_person(a_campaign()), telephony)
        provider_says(call, CallStatus.IN_PROGRESS)
        telephony.becomes(call.twilio_sid or "", CallStatus.IN_PROGRESS)
        dialing.hang_up(call_id=call.pk, telephony=telephony, rooms=FakeRooms())
        pass_time(timedelta(seconds=20))
        Call.objects.update(agent_seen_at=clock.now())
        sweep(telephony=telephony, rooms=FakeRooms())
        call.refresh_from_db()
        assert call.status == CallStatus.COMPLETED


class TestAGhost:
    def test_is_hung_up_at_every_sign_of_life_since_the_first_try_may_have_failed(self) -> None:
        call = prepare(claim(a_person(a_campaign())))
        dialing.cancel_before_dial(call_id=call.pk, code="test", reason="test")
        for status in (CallStatus.RINGING, CallStatus.IN_PROGRESS):
            assert provider_says(call, status, sid="CA-ghost").hang_up_sid == "CA-ghost"


class TestACallThatRingsLongerThanItMay:
    def test_is_ended_even_if_none_of_its_events_came(self) -> None:
        telephony = FakeTelephony()
        call = a_dialled_call(a_person(a_campaign()), telephony)
        pass_time(timedelta(minutes=3))
        Call.objects.update(agent_seen_at=clock.now())
        sweep(telephony=telephony, rooms=FakeRooms())
        assert telephony.ended == [call.twilio_sid]

    def test_is_left_alone_when_the_carrier_says_that_they_talk(self) -> None:
        telephony = FakeTelephony()
        call = a_dialled_call(a_person(a_campaign()), telephony)
        telephony.becomes(call.twilio_sid or "", CallStatus.IN_PROGRESS)
        pass_time(timedelta(minutes=3))
        Call.objects.update(agent_seen_at=clock.now())
        sweep(telephony=telephony, rooms=FakeRooms())
        call.refresh_from_db()
        assert (telephony.ended, call.status) == ([], CallStatus.IN_PROGRESS)


class TestACallThatTheCarrierForgot:
    def test_ends_instead_of_blocking_its_number_for_ever(self) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        call = a_dialled_call(person)
        for _ in range(12):
            pass_time(timedelta(seconds=31))
            Call.objects.update(agent_seen_at=clock.now())
            sweep(telephony=telephony, rooms=FakeRooms())
        call.refresh_from_db()
        person.refresh_from_db()
        assert (call.status, call.our_fault, call.settled_at is not None) == (CallStatus.FAILED, True, True)
        assert (person.standing, person.attempts_made) == (Standing.WAITING, 0)


class TestACallThatCannotBeLookedInto:
    def test_does_not_keep_the_sweep_from_the_others(self) -> None:
        broken, whole = a_campaign(), a_campaign()
        calls = [claim(a_person(campaign)) for campaign in (broken, whole)]
        for call in calls:
            dialing.prepare_call(call_id=call.pk, rooms=FakeRooms())
            pass_time(timedelta(seconds=1))
        Campaign.objects.filter(pk=broken.pk).update(retry_policy={"busy": "never"})
        pass_time(timedelta(seconds=30))
        sweep(telephony=FakeTelephony(), rooms=FakeRooms())
        assert [Call.objects.get(pk=call.pk).status for call in calls] == ["preparing", "canceled"]


class TestAnOperatorWhoHangsUpBeforeTheDial:
    def test_does_not_make_the_agents_look_absent(self) -> None:
        campaign = a_campaign()
        for _ in range(6):
            call = claim(a_person(campaign))
            dialing.hang_up(call_id=call.pk, telephony=FakeTelephony(), rooms=FakeRooms())
        campaign.refresh_from_db()
        assert (campaign.state, campaign.unready_streak) == ("running", 0)


class TestAScriptThatCannotBeRead:
    def test_holds_the_campaign_with_its_own_reason_instead_of_blaming_the_agents(self) -> None:
        campaign = a_campaign()
        ScriptVersion.objects.filter(pk=campaign.script_id).update(body="nothing of a script")
        person = a_person(campaign)
        call = claim(person)
        dialing.prepare_call(call_id=call.pk, rooms=FakeRooms())
        campaign.refresh_from_db()
        call.refresh_from_db()
        assert (campaign.state, campaign.release_at, call.status) == ("held", None, CallStatus.CANCELED)
        assert "script" in campaign.state_reason


class TestADatabaseThatWasJustRestarted:
    def test_takes_nobody_for_lost_before_the_workers_could_report(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        telephony = FakeTelephony()
        call = a_dialled_call(a_person(a_campaign()), telephony)
        provider_says(call, CallStatus.IN_PROGRESS)
        pass_time(timedelta(seconds=30))
        monkeypatch.setattr(clock, "database_age", lambda: timedelta(seconds=3))
        sweep(telephony=telephony, rooms=FakeRooms())
        assert telephony.ended == []
        monkeypatch.setattr(clock, "database_age", lambda: timedelta(seconds=9))
        sweep(telephony=telephony, rooms=FakeRooms())
        assert telephony.ended == [call.twilio_sid]

    def test_knows_its_age(self) -> None:
        assert timedelta(0) < database_age() < timedelta(hours=1)


class TestANumberThatTheCarrierRefuses:
    @pytest.mark.parametrize("code", sorted(NUMBER_CODES))
    def test_waits_for_a_person_and_is_not_tried_again(self, code: int) -> None:
        telephony, person = FakeTelephony(), a_person(a_campaign())
        telephony.fail_next_dial(TelephonyRefused("no", code=str(code), fault=Fault.NUMBER))
        dial(prepare(claim(person)), telephony)
        person.refresh_from_db()
        assert person.standing == Standing.NEEDS_REVIEW
