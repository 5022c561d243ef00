"""What calls cost: estimated when they are over, then as the carrier bills them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import End
from outreach.domain.defaults import PRICE_ASKED_AFTER
from outreach.domain.disposition import EndedBy
from outreach.integrations.prices import CallPrice
from outreach.integrations.telephony import TelephonyUnavailable
from outreach.models import Call, Rate
from outreach.services import after_call, clock, costs, facts
from tests.factories import pass_time
from tests.integration.calls import make_call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

SOON = timedelta(seconds=PRICE_ASKED_AFTER[0] + 1)


class FakePrices:
    """A carrier that names the prices it is told."""

    def __init__(self, price: CallPrice | None = None, *, unavailable: bool = False) -> None:
        self.asked: list[str] = []
        self.price = price
        self.unavailable = unavailable

    def price_of(self, sid: str) -> CallPrice | None:
        """Return the price."""
        self.asked.append(sid)
        if self.unavailable:
            raise TelephonyUnavailable("down")
        return self.price


NO_PRICE_YET = CallPrice(amount=None, currency="USD", legs=())
PRICED = CallPrice(amount=Decimal("0.0260"), currency="USD", legs=(Decimal("0.0070"),))


def a_call(**fields: Any) -> Call:
    """Return a settled call: 61 seconds of talk, Alex there for 90."""
    now = clock.now()
    defaults: dict[str, Any] = {
        "status": CallStatus.COMPLETED, "answered_at": now - timedelta(seconds=61), "ended_at": now,
        "ready_at": now - timedelta(seconds=90), "settled_at": now, "duration_seconds": 61,
        "transcript": "complete", "twilio_sid": f"CA{uuid4().hex}",
    }  # fmt: skip
    return make_call(**(defaults | fields))


def counted(call: Call) -> dict[str, str]:
    """Return the call's amounts by item, once a tick has come."""
    after_call.take_up()
    call.refresh_from_db()
    return {line["item"]: line["amount"] for line in call.cost_items}


def bill(price: CallPrice | None = None, *, unavailable: bool = False) -> FakePrices:
    """Let the tick that asks for prices come."""
    carrier = FakePrices(price, unavailable=unavailable)
    costs.bill_due(carrier=carrier)
    return carrier


class TestTheEstimate:
    def test_has_both_legs_the_room_and_the_models_from_the_first_table_of_rates(self) -> None:
        call = a_call(
            usage={
                "llm_input_tokens": 10_000, "llm_output_tokens": 500, "stt_seconds": 36.0,
                "tts_characters": 1000, "llm_model": "openai/gpt-oss-120b",
                "stt_model": "whisper-large-v3-turbo", "tts_model": "",
            }
        )  # fmt: skip
        assert counted(call) == {
            "twilio_call": "0.028000",
            "twilio_sip": "0.008000",
            "livekit_agent": "0.020000",
            "livekit_sip": "0.008000",
            "llm_input": "0.001500",
            "llm_output": "0.000300",
            "stt": "0.000400",
            "tts": "0.022000",
        }
        assert (call.cost, call.cost_currency, call.cost_state) == (Decimal("0.088200"), "USD", "estimated")

    def test_of_a_phone_that_only_rang_is_alexs_minute(self) -> None:
        call = a_call(status=CallStatus.NO_ANSWER, answered_at=None, duration_seconds=0, transcript="open")
        assert counted(call) == {"livekit_agent": "0.020000"}
        assert call.price_due_at is None

    def test_of_a_call_that_was_never_placed_is_nothing(self) -> None:
        call = a_call(
            status=CallStatus.NOT_PLACED,
            answered_at=None,
            duration_seconds=None,
            ready_at=None,
            twilio_sid=None,
        )
        assert counted(call) == {}
        assert (call.cost, call.cost_state) == (Decimal(0), "estimated")

    def test_waits_for_the_last_words(self) -> None:
        call = a_call(transcript="open")
        assert counted(call) == {}
        assert call.cost_state == ""

    def test_leaves_out_what_has_no_rate_and_says_so(self) -> None:
        Rate.objects.filter(item="twilio_call").delete()
        call = a_call()
        assert counted(call)["twilio_call"] is None
        assert call.cost == Decimal("0.036")

    def test_is_made_anew_when_alex_tells_late_what_he_used(self) -> None:
        call = a_call()
        assert "llm_input" not in counted(call)
        end = End(
            fact_id=uuid4(), at=clock.now(), n_turns=0, ended_by=EndedBy.ALEX,
            usage={"llm_input_tokens": 2_000_000, "llm_model": "openai/gpt-oss-20b"},
        )  # fmt: skip
        facts.apply_fact(call_id=call.pk, fact=end)
        assert counted(call)["llm_input"] == "0.150000"
        assert call.cost_state == "estimated"

    def test_is_made_once_by_two_ticks_at_the_same_time(self) -> None:
        a_call()
        assert [after_call.take_up() for _ in range(3)] == [1, 0, 0]


class TestTheBill:
    def test_takes_the_place_of_the_estimate_for_both_legs(self) -> None:
        call = a_call()
        counted(call)
        pass_time(SOON)
        assert bill(PRICED).asked == [call.twilio_sid]
        call.refresh_from_db()
        assert (call.cost, call.cost_state, call.price_due_at) == (Decimal("0.061"), "billed", None)
        assert [line["billed"] for line in call.cost_items] == [True, True, False, False]

    def test_is_asked_for_later_each_time_until_it_is_there(self) -> None:
        call = a_call()
        counted(call)
        asked_after = []
        for _ in PRICE_ASKED_AFTER:
            call.refresh_from_db()
            assert call.price_due_at is not None
            assert call.ended_at is not None
            asked_after.append(round((call.price_due_at - call.ended_at).total_seconds()))
            pass_time(call.price_due_at - clock.now() + timedelta(seconds=1))
            assert len(bill(NO_PRICE_YET).asked) == 1
        assert asked_after == PRICE_ASKED_AFTER
        call.refresh_from_db()
        assert (call.cost_state, call.price_due_at) == ("estimated", None)

    def test_keeps_the_estimate_of_a_leg_without_a_price_and_asks_again(self) -> None:
        call = a_call()
        counted(call)
        pass_time(SOON)
        bill(CallPrice(amount=Decimal("0.0260"), currency="USD", legs=(None,)))
        call.refresh_from_db()
        assert (call.cost_state, call.cost) == ("billed", Decimal("0.062"))
        assert call.price_due_at is not None

    def test_stays_when_more_becomes_known(self) -> None:
        call = a_call()
        counted(call)
        pass_time(SOON)
        bill(PRICED)
        Call.objects.filter(pk=call.pk).update(cost_state="", usage={"summary": {
            "model": "openai/gpt-oss-20b", "input_tokens": 1_000_000, "output_tokens": 0,
        }})  # fmt: skip
        assert counted(call)["twilio_call"] == "0.026000"
        assert (call.cost_state, call.cost, call.price_due_at) == ("billed", Decimal("0.136"), None)

    def test_in_another_currency_than_the_rates_leaves_no_total(self) -> None:
        call = a_call()
        counted(call)
        pass_time(SOON)
        bill(CallPrice(amount=Decimal("0.0200"), currency="GBP", legs=(Decimal("0.0050"),)))
        call.refresh_from_db()
        assert (call.cost, call.cost_currency, call.cost_state) == (None, "", "billed")

    def test_is_put_off_for_all_when_the_carrier_cannot_be_asked(self) -> None:
        for _ in range(3):
            counted(a_call())
        pass_time(SOON)
        assert len(bill(unavailable=True).asked) == 1
        assert Call.objects.filter(cost_state="estimated", price_due_at__isnull=False).count() == 3


class TestTotal:
    def test_adds_up_a_campaign_per_currency_and_says_how_much_is_estimated(self) -> None:
        first = a_call()
        counted(first)
        pass_time(SOON)
        bill(PRICED)
        second = a_call(campaign=first.campaign, facilitator=first.facilitator, script=first.script)
        counted(second)
        (one,) = costs.total(first.campaign)
        assert (one.currency, one.amount, one.calls, one.estimated) == ("USD", Decimal("0.125"), 2, 1)
        assert costs.total(first.campaign, since=clock.now() + timedelta(hours=1)) == []
