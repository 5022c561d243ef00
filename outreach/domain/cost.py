"""What one call costs: a line per item of a vendor, counted exactly, by the rate that fits best.

Money and quantities are `Decimal`; nothing is rounded but each line's amount, to a millionth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

MICRO = Decimal("0.000001")
_MILLION = Decimal(1_000_000)
_SECONDS_AN_HOUR = Decimal(3600)


class CostItem(StrEnum):
    """What vendors charge for; `models.RateItem` says each in words."""

    TWILIO_CALL = "twilio_call"
    TWILIO_SIP = "twilio_sip"
    LIVEKIT_AGENT = "livekit_agent"
    LIVEKIT_SIP = "livekit_sip"
    LLM_INPUT = "llm_input"
    LLM_OUTPUT = "llm_output"
    STT = "stt"
    TTS = "tts"


#: In what an item's quantity is counted.
UNITS: Mapping[CostItem, str] = {
    CostItem.TWILIO_CALL: "min",
    CostItem.TWILIO_SIP: "min",
    CostItem.LIVEKIT_AGENT: "min",
    CostItem.LIVEKIT_SIP: "min",
    CostItem.LLM_INPUT: "M tokens",
    CostItem.LLM_OUTPUT: "M tokens",
    CostItem.STT: "h",
    CostItem.TTS: "M characters",
}


@dataclass(frozen=True, kw_only=True)
class Price:
    """One price of a vendor for one unit, for what begins with `prefix`."""

    item: CostItem
    prefix: str
    price: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class ModelUse:
    """What one model was given and gave back."""

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    audio_seconds: float = 0.0
    characters: int = 0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is known of a call that somebody charges for. Times in seconds."""

    number: str
    """The called number; empty for a talk in the browser."""
    line_seconds: float
    """From the answer to the end, as the carrier counts; 0 when nobody answered, which costs nothing."""
    agent_seconds: float
    """That Alex was in the room, whether or not anybody answered."""
    models: Sequence[ModelUse] = ()


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """How much of one item; the called number or the model decides the rate."""

    item: CostItem
    amount: Decimal
    number: str = ""
    model: str = ""


@dataclass(frozen=True, kw_only=True)
class Charge:
    """What the carrier itself says that one of its items cost."""

    item: CostItem
    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a call's bill; without a fitting rate it has no price and no amount."""

    item: CostItem
    quantity: Decimal
    price: Decimal | None
    amount: Decimal | None
    currency: str
    model: str = ""
    billed: bool = False
    """Whether the amount is the vendor's own word instead of quantity times rate."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """A call's bill. The total is of the lines that have an amount; None when currencies are mixed."""

    lines: tuple[Line, ...]
    total: Decimal | None
    currency: str


def started_minutes(seconds: float) -> int:
    """Return how many minutes were begun: 61 seconds are two.

    Twilio and LiveKit both round each leg up to whole minutes:
    https://support.twilio.com/hc/en-us/articles/223132307 https://docs.livekit.io/deploy/admin/billing
    """
    return max(0, math.ceil(seconds / 60))


def quantities(measured: Measured) -> list[Quantity]:
    """Return how much of each item a call used; what it did not use is left out."""
    line = Decimal(started_minutes(measured.line_seconds)) if measured.number else Decimal(0)
    counted = [
        Quantity(item=CostItem.TWILIO_CALL, amount=line, number=measured.number),
        Quantity(item=CostItem.TWILIO_SIP, amount=line),
        Quantity(item=CostItem.LIVEKIT_AGENT, amount=Decimal(started_minutes(measured.agent_seconds))),
        Quantity(item=CostItem.LIVEKIT_SIP, amount=line),
    ]
    for use in measured.models:
        hours = Decimal(str(use.audio_seconds)) / _SECONDS_AN_HOUR
        counted += [
            Quantity(item=CostItem.LLM_INPUT, amount=use.input_tokens / _MILLION, model=use.model),
            Quantity(item=CostItem.LLM_OUTPUT, amount=use.output_tokens / _MILLION, model=use.model),
            Quantity(item=CostItem.STT, amount=hours.quantize(MICRO), model=use.model),
            Quantity(item=CostItem.TTS, amount=use.characters / _MILLION, model=use.model),
        ]
    return [quantity for quantity in counted if quantity.amount > 0]


def price_for(quantity: Quantity, prices: Iterable[Price]) -> Price | None:
    """Return the price with the longest prefix that fits, or None when none does."""
    of = quantity.number or quantity.model
    fitting = [price for price in prices if price.item is quantity.item and of.startswith(price.prefix)]
    return max(fitting, key=lambda price: len(price.prefix), default=None)


def cost_of(counted: Sequence[Quantity], *, prices: Sequence[Price], charges: Sequence[Charge] = ()) -> Cost:
    """Return a call's bill; where the vendor named its charge, that replaces what the rate would give."""
    charged = {charge.item: charge for charge in charges}
    lines = [
        _line(quantity, price_for(quantity, prices)) for quantity in counted if quantity.item not in charged
    ]
    amounts = {quantity.item: quantity.amount for quantity in counted}
    lines += [_charged(charge, amounts.get(charge.item, Decimal(0))) for charge in charged.values()]
    order = list(CostItem)
    lines.sort(key=lambda line: order.index(line.item))
    known = [line for line in lines if line.amount is not None]
    currencies = sorted({line.currency for line in known})
    if len(currencies) > 1:
        return Cost(lines=tuple(lines), total=None, currency="")
    total = sum((line.amount for line in known if line.amount is not None), Decimal(0))
    return Cost(lines=tuple(lines), total=total, currency=currencies[0] if currencies else "")


def _line(quantity: Quantity, price: Price | None) -> Line:
    if price is None:
        return Line(
            item=quantity.item,
            quantity=quantity.amount,
            price=None,
            amount=None,
            currency="",
            model=quantity.model,
        )
    return Line(
        item=quantity.item,
        quantity=quantity.amount,
        model=quantity.model,
        price=price.price,
        amount=(quantity.amount * price.price).quantize(MICRO, rounding=ROUND_HALF_UP),
        currency=price.currency,
    )


def _charged(charge: Charge, quantity: Decimal) -> Line:
    return Line(
        item=charge.item,
        quantity=quantity,
        price=None,
        amount=charge.amount.quantize(MICRO, rounding=ROUND_HALF_UP),
        currency=charge.currency,
        billed=True,
    )
