"""A call's bill: the rate that fits best, exact amounts, and the vendor's own word where there is one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.domain.cost import (
    UNITS,
    Charge,
    CostItem,
    Measured,
    ModelUse,
    Price,
    Quantity,
    cost_of,
    price_for,
    quantities,
    started_minutes,
)
from outreach.models import RateItem

pytestmark = pytest.mark.unit

MONEY = st.decimals(min_value=0, max_value=1000, places=6)
PREFIXES = st.sampled_from(["", "+", "+1", "+12", "+44", "+447", "openai/", "openai/gpt"])
PRICES = st.lists(
    st.builds(Price, item=st.sampled_from(CostItem), prefix=PREFIXES, price=MONEY, currency=st.just("USD")),
    unique_by=lambda price: (price.item, price.prefix),
)
MEASURED = st.builds(
    Measured,
    number=st.sampled_from(["", "+12125550142", "+447700900123"]),
    line_seconds=st.floats(0, 4000),
    agent_seconds=st.floats(0, 4000),
    models=st.lists(
        st.builds(
            ModelUse,
            model=st.sampled_from(["openai/gpt-oss-120b", "other"]),
            input_tokens=st.integers(0, 10**6),
            output_tokens=st.integers(0, 10**6),
            audio_seconds=st.floats(0, 4000),
            characters=st.integers(0, 10**5),
        ),
        max_size=2,
    ),
)


def price(item: CostItem, amount: str, prefix: str = "", currency: str = "USD") -> Price:
    return Price(item=item, prefix=prefix, price=Decimal(amount), currency=currency)


RATES = [
    price(CostItem.TWILIO_CALL, "0.0140", "+1"),
    price(CostItem.TWILIO_CALL, "0.0158", "+44"),
    price(CostItem.TWILIO_CALL, "0.0305", "+447"),
    price(CostItem.TWILIO_SIP, "0.0040"),
    price(CostItem.LIVEKIT_AGENT, "0.01"),
    price(CostItem.LIVEKIT_SIP, "0.004"),
    price(CostItem.LLM_INPUT, "0.15", "openai/gpt-oss-120b"),
]
TALKED = Measured(number="+12125550142", line_seconds=61, agent_seconds=70)


class TestQuantities:
    @given(st.integers(0, 10**9))
    def test_counts_a_started_minute_whole(self, milliseconds: int) -> None:
        seconds = milliseconds / 1000
        minutes = started_minutes(seconds)
        assert seconds / 60 <= minutes < seconds / 60 + 1

    def test_counts_a_call_without_an_answer_for_alex_alone(self) -> None:
        counted = quantities(Measured(number="+12125550142", line_seconds=0, agent_seconds=30))
        assert [quantity.item for quantity in counted] == [CostItem.LIVEKIT_AGENT]

    def test_counts_no_telephone_line_for_a_talk_in_the_browser(self) -> None:
        counted = quantities(Measured(number="", line_seconds=90, agent_seconds=90))
        assert [quantity.item for quantity in counted] == [CostItem.LIVEKIT_AGENT]

    def test_counts_each_model_by_its_own_name(self) -> None:
        uses = [ModelUse(model="a", input_tokens=3), ModelUse(model="b", input_tokens=4, audio_seconds=36)]
        counted = quantities(Measured(number="", line_seconds=0, agent_seconds=0, models=uses))
        assert [(quantity.item, quantity.model, str(quantity.amount)) for quantity in counted] == [
            (CostItem.LLM_INPUT, "a", "0.000003"),
            (CostItem.LLM_INPUT, "b", "0.000004"),
            (CostItem.STT, "b", "0.010000"),
        ]


class TestTheRate:
    @pytest.mark.parametrize(
        ("number", "expected"),
        [("+12125550142", "0.0140"), ("+442079460000", "0.0158"), ("+447700900123", "0.0305")],
    )
    def test_is_that_of_the_longest_fitting_prefix(self, number: str, expected: str) -> None:
        found = price_for(Quantity(item=CostItem.TWILIO_CALL, amount=Decimal(1), number=number), RATES)
        assert found is not None
        assert str(found.price) == expected

    def test_is_missing_for_a_country_that_has_none(self) -> None:
        cost = cost_of(
            quantities(Measured(number="+33123456789", line_seconds=5, agent_seconds=5)), prices=RATES
        )
        assert [line.amount for line in cost.lines if line.item is CostItem.TWILIO_CALL] == [None]
        assert cost.total == Decimal("0.018")

    @given(PRICES, PREFIXES)
    def test_does_not_depend_on_the_order_of_the_table(self, prices: list[Price], of: str) -> None:
        wanted = Quantity(item=CostItem.TWILIO_CALL, amount=Decimal(1), model=of)
        assert price_for(wanted, prices) == price_for(wanted, prices[::-1])


class TestTheBill:
    def test_has_a_line_for_both_legs_and_alex(self) -> None:
        cost = cost_of(quantities(TALKED), prices=RATES)
        assert {line.item.value: str(line.amount) for line in cost.lines} == {
            "twilio_call": "0.028000", "twilio_sip": "0.008000", "livekit_agent": "0.020000",
            "livekit_sip": "0.008000",
        }  # fmt: skip
        assert (cost.total, cost.currency) == (Decimal("0.064"), "USD")

    def test_takes_the_carriers_word_over_its_rate(self) -> None:
        charges = [Charge(item=CostItem.TWILIO_CALL, amount=Decimal("0.0260"), currency="USD")]
        cost = cost_of(quantities(TALKED), prices=RATES, charges=charges)
        assert [(line.billed, line.amount) for line in cost.lines][:2] == [
            (True, Decimal("0.026000")),
            (False, Decimal("0.008000")),
        ]
        assert cost.total == Decimal("0.062")

    def test_gives_no_total_of_two_currencies(self) -> None:
        charges = [Charge(item=CostItem.TWILIO_CALL, amount=Decimal("0.02"), currency="GBP")]
        assert cost_of(quantities(TALKED), prices=RATES, charges=charges).total is None

    @settings(max_examples=60)
    @given(MEASURED, PRICES)
    def test_is_the_sum_of_its_lines_and_never_below_nothing(
        self, measured: Measured, prices: list[Price]
    ) -> None:
        counted = quantities(measured)
        cost = cost_of(counted, prices=prices)
        assert len(cost.lines) == len(counted)
        assert cost.total == sum((line.amount for line in cost.lines if line.amount is not None), Decimal(0))
        assert all(line.amount is None or line.amount >= 0 for line in cost.lines)

    @settings(max_examples=60)
    @given(MEASURED, PRICES, st.floats(0, 600))
    def test_of_a_longer_call_is_never_smaller(
        self, measured: Measured, prices: list[Price], more: float
    ) -> None:
        longer = Measured(
            number=measured.number,
            line_seconds=measured.line_seconds + more,
            agent_seconds=measured.agent_seconds + more,
            models=measured.models,
        )
        shorter, grown = (cost_of(quantities(one), prices=prices).total for one in (measured, longer))
        assert shorter is not None
        assert grown is not None
        assert grown >= shorter


def test_every_item_has_a_unit_and_a_row_in_the_table_of_rates() -> None:
    assert set(UNITS) == set(CostItem)
    assert {item.value for item in CostItem} == set(RateItem.values)
