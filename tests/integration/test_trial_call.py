"""The call to one's own phone: it rings as people's will, and nothing else in the world changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import AnsweredFact, Brief, CallbackAgreed, End, OptOut, Outcome
from outreach.domain.dialing_mode import DialingMode
from outreach.domain.disposition import AnsweredBy, Disposition, EndedBy
from outreach.integrations.telephony import Fault, TelephonyRefused
from outreach.models import (
    Call,
    Callback,
    Campaign,
    DialingControl,
    Facilitator,
    Suppression,
)
from outreach.services import clock, dialing, dispatching, facts, hearing
from outreach.services.capacity import open_calls
from outreach.services.facts import FactResult
from outreach.services.gating import histories_of
from outreach.services.reconciling import sweep
from outreach.services.trial_call import CannotTry, call_me
from tests.factories import (
    a_campaign,
    a_person,
    alex_says,
    an_agent_worker,
    pass_time,
    provider_says,
    ready_fact,
    talk_to_the_end,
)
from tests.fakes import FakeRooms, FakeTelephony

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

MINE = "+12025550111"


def begin(campaign: Campaign, person: Facilitator | None = None, **fields: Any) -> Call:
    """Ask for a call to one's own phone and let Alex be ready for it."""
    an_agent_worker()
    wanted: dict[str, Any] = {"number": MINE, "requested_by": "olga", "rooms": FakeRooms()} | fields
    call_id = call_me(campaign=campaign, person=person, **wanted)
    assert facts.apply_fact(call_id=call_id, fact=ready_fact()) is FactResult.DIAL
    return Call.objects.get(pk=call_id)


def ring(call: Call, telephony: FakeTelephony | None = None) -> Call:
    dialing.dial_call(call_id=call.pk, telephony=telephony or FakeTelephony())
    call.refresh_from_db()
    return call


class TestTheCall:
    def test_rings_the_operators_phone_with_a_persons_row_in_a_campaign_not_yet_begun(self) -> None:
        campaign = a_campaign(state="draft", starts_at=clock.now() + timedelta(days=3))
        person = a_person(campaign, name="Ann Example", consent_basis="", attempts_made=9)
        rooms, telephony = FakeRooms(), FakeTelephony()
        call = ring(begin(campaign, person, rooms=rooms), telephony)
        (room,) = rooms.existing.values()
        brief = Brief.model_validate_json(room.metadata)
        assert (brief.person.name, brief.channel) == ("Ann Example", "phone")
        assert [(order.to, order.from_) for order in telephony.orders] == [(MINE, campaign.caller_ids[0])]
        assert (call.status, call.who) == ("dialing", "olga on their own phone as Ann Example")

    def test_is_found_again_when_its_hint_is_lost(self) -> None:
        call = begin(a_campaign())
        assert dispatching.calls_to_dial() == [call.pk]

    def test_locks_its_number(self) -> None:
        campaign = a_campaign()
        begin(campaign)
        with pytest.raises(CannotTry, match="on another call"):
            begin(campaign)

    def test_ends_by_the_sweep_when_nobody_tells_how(self) -> None:
        telephony = FakeTelephony()
        call = ring(begin(a_campaign()), telephony)
        telephony.becomes(telephony.calls[0].sid, CallStatus.NO_ANSWER)
        pass_time(timedelta(minutes=5))
        sweep(telephony=telephony, rooms=FakeRooms())
        call.refresh_from_db()
        assert (call.status, call.settled_at is not None) == ("no_answer", True)


class TestWhatItMayNot:
    def test_nothing_rings_while_all_dialing_is_stopped(self) -> None:
        campaign = a_campaign()
        call = begin(campaign)
        DialingControl.objects.update(stopped=True)
        telephony = FakeTelephony()
        assert ring(call, telephony).status == "canceled"
        assert telephony.orders == []
        with pytest.raises(CannotTry, match="stopped"):
            begin(campaign)

    def test_no_number_rings_that_is_nobodys_own(self, settings: Any) -> None:
        settings.DIALING = DialingMode.TEST
        settings.TEST_NUMBERS = ["+12025550122"]
        campaign = a_campaign()
        DialingControl.objects.update(mode="test")
        with pytest.raises(CannotTry, match="TEST_NUMBERS"):
            begin(campaign)
        assert begin(campaign, number="(202) 555-0122").number == "+12025550122"

    def test_no_number_rings_that_must_never(self) -> None:
        Suppression.objects.create(number=MINE, source="operator", created_at=clock.now())
        with pytest.raises(CannotTry, match="never"):
            begin(a_campaign())


class TestWhatFollows:
    def test_the_campaign_knows_that_this_version_was_heard(self) -> None:
        campaign = a_campaign()
        talk_to_the_end(ring(begin(campaign)))
        campaign.refresh_from_db()
        assert campaign.heard_script_id == campaign.script_id

    def test_a_phone_that_nobody_picks_up_was_not_heard(self) -> None:
        campaign = a_campaign()
        provider_says(ring(begin(campaign)), CallStatus.NO_ANSWER)
        assert hearing.catch_up() == 0
        assert Campaign.objects.get(pk=campaign.pk).heard_script_id is None

    def test_what_was_heard_is_noted_later_where_the_campaign_was_taken(self) -> None:
        campaign = a_campaign()
        talk_to_the_end(ring(begin(campaign)))
        Campaign.objects.update(heard_script=None)
        assert hearing.catch_up() == 1
        assert Campaign.objects.get(pk=campaign.pk).heard_script_id == campaign.script_id

    def test_nobody_is_moved_counted_promised_or_suppressed(self) -> None:
        campaign = a_campaign()
        person = a_person(campaign)
        before = Facilitator.objects.filter(pk=person.pk).values().get()
        call = ring(begin(campaign, person))
        provider_says(call, CallStatus.IN_PROGRESS)
        alex_says(call, AnsweredFact, answered_by=AnsweredBy.HUMAN)
        alex_says(call, CallbackAgreed, promised_at=clock.now() + timedelta(hours=2), by="alex", reason="")
        alex_says(call, Outcome, disposition=Disposition.NOT_INTERESTED, evidence_seq=1)
        alex_says(call, OptOut, how="phrase", evidence_seq=1)
        alex_says(call, End, n_turns=2, ended_by=EndedBy.OPT_OUT)
        provider_says(call, CallStatus.COMPLETED, duration=30)
        assert call.settled_at is not None
        assert Facilitator.objects.filter(pk=person.pk).values().get() == before
        assert not Callback.objects.exists()
        assert not Suppression.objects.exists()

    def test_the_operators_number_is_not_worn_out_by_trials(self) -> None:
        campaign = a_campaign()
        call = ring(begin(campaign))
        assert open_calls(campaign).in_all == 0
        talk_to_the_end(call)
        Call.objects.update(disposition="not_interested")
        history = histories_of([MINE], now=clock.now())[MINE]
        assert (history.attempts, history.said_no_at, history.on_another_call) == ((), None, False)

    def test_a_refusal_of_the_carrier_is_no_streak_of_the_campaign(self) -> None:
        campaign = a_campaign()
        telephony = FakeTelephony()
        telephony.fail_next_dial(TelephonyRefused("too fast", code="20429", fault=Fault.PACE))
        assert ring(begin(campaign), telephony).status == "not_placed"
        campaign.refresh_from_db()
        assert (campaign.refused_streak, campaign.state) == (0, "running")
