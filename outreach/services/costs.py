"""What calls cost: estimated from the rates when they are over, corrected by the carrier's own price."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, Sum

from outreach.domain import defaults
from outreach.domain.cost import (
    UNITS,
    Charge,
    CostItem,
    Line,
    Measured,
    ModelUse,
    Price,
    cost_of,
    quantities,
)
from outreach.integrations.prices import CallPrice, CarrierPrices
from outreach.integrations.telephony import TelephonyUnavailable
from outreach.models import Call, Campaign, CostState, Rate
from outreach.services import clock, locks

logger = logging.getLogger(__name__)

#: Seconds of a run after which no further call is asked about: its worker has other ticks to run.
RUN_SECONDS = 5.0
FIELDS = ["cost", "cost_currency", "cost_state", "cost_items", "price_due_at"]


@dataclass(frozen=True, kw_only=True)
class Total:
    """What calls cost together, in one currency."""

    currency: str
    amount: Decimal
    calls: int
    estimated: int
    """Those among them that the carrier has not named its price of."""


def current_prices() -> list[Price]:
    """Return the table of rates."""
    return [
        Price(item=CostItem(rate.item), prefix=rate.prefix, price=rate.price, currency=rate.currency)
        for rate in Rate.objects.all()
    ]


def count(call: Call, *, prices: Sequence[Price], charges: Sequence[Charge] | None = None) -> None:
    """Set the cost of a settled call; the caller holds its row lock and saves `FIELDS`.

    What the carrier charged stays charged, whatever is counted anew.

    :param charges: what the carrier names now; None: what it named before, if anything.
    """
    if charges is None:
        charges = _charged_before(call)
    first = not call.cost_items and call.cost is None
    cost = cost_of(quantities(measured(call)), prices=prices, charges=charges)
    call.cost, call.cost_currency = cost.total, cost.currency
    call.cost_items = [_item(line) for line in cost.lines]
    billed = any(charge.item is CostItem.TWILIO_CALL for charge in charges)
    call.cost_state = (CostState.BILLED if billed else CostState.ESTIMATED).value
    if first and call.twilio_sid and _line_seconds(call):
        call.price_due_at = next_question(call, now=None)


def measured(call: Call) -> Measured:
    """Return what is known of a call that somebody charges for."""
    until = call.ended_at
    in_room = (until - call.ready_at).total_seconds() if until and call.ready_at else 0.0
    return Measured(
        number=call.number,
        line_seconds=_line_seconds(call),
        agent_seconds=max(0.0, in_room),
        models=_models(call.usage),
    )


def _line_seconds(call: Call) -> float:
    """Return for how long the carrier's line was open; nobody pays for one that only rang, or for none."""
    if not call.rings:
        return 0.0
    if call.duration_seconds is not None:
        return float(call.duration_seconds)
    if call.answered_at is None or call.ended_at is None:
        return 0.0
    return max(0.0, (call.ended_at - call.answered_at).total_seconds())


def _models(usage: dict[str, Any]) -> list[ModelUse]:
    uses = [
        ModelUse(
            model=usage.get("llm_model") or settings.ALEX_LLM,
            input_tokens=usage.get("llm_input_tokens", 0),
            output_tokens=usage.get("llm_output_tokens", 0),
        ),
        ModelUse(
            model=usage.get("stt_model") or settings.ALEX_STT, audio_seconds=usage.get("stt_seconds", 0.0)
        ),
        ModelUse(
            model=usage.get("tts_model") or settings.ALEX_TTS, characters=usage.get("tts_characters", 0)
        ),
    ]
    summary = usage.get("summary") or {}
    if summary:
        uses.append(
            ModelUse(
                model=summary["model"],
                input_tokens=summary["input_tokens"],
                output_tokens=summary["output_tokens"],
            )
        )
    return uses


def _item(line: Line) -> dict[str, Any]:
    """Return a line as JSON; amounts stay exact as text."""
    return {
        "item": line.item.value,
        "model": line.model,
        "quantity": f"{line.quantity.normalize():f}",
        "unit": UNITS[line.item],
        "price": None if line.price is None else f"{line.price.normalize():f}",
        "amount": None if line.amount is None else str(line.amount),
        "currency": line.currency,
        "billed": line.billed,
    }


def _charged_before(call: Call) -> list[Charge]:
    return [
        Charge(item=CostItem(line["item"]), amount=Decimal(line["amount"]), currency=line["currency"])
        for line in call.cost_items
        if line["billed"]
    ]


def next_question(call: Call, *, now: datetime | None) -> datetime | None:
    """Return when the carrier is asked for the price next, later each time; None when never again."""
    ended_at = call.ended_at or call.queued_at
    moments = [ended_at + timedelta(seconds=seconds) for seconds in defaults.PRICE_ASKED_AFTER]
    return next((moment for moment in moments if now is None or moment > now), None)


def bill_due(*, carrier: CarrierPrices) -> int:
    """Ask for the prices that are due; return how many calls got theirs. One run at a time."""
    until = time.monotonic() + RUN_SECONDS
    billed = 0
    with locks.try_lock_tick("bill") as alone:
        while alone and time.monotonic() < until:
            claimed = _claim()
            if claimed is None:
                break
            try:
                price = carrier.price_of(claimed.sid)
            except TelephonyUnavailable as exc:
                # Whoever cannot be asked about one call cannot about the next; all are asked again later.
                logger.warning("the carrier's prices are not to be had", extra={"reason": str(exc)})
                break
            if price is not None and price.amount is not None:
                _bill(claimed, price)
                billed += 1
    return billed


@dataclass(frozen=True, kw_only=True)
class _Claimed:
    call_id: UUID
    sid: str


@transaction.atomic
def _claim() -> _Claimed | None:
    """Take the call whose price is due longest; its next question is set before this one is asked."""
    now = clock.now()
    due = Call.objects.filter(price_due_at__lte=now, twilio_sid__isnull=False)
    call = due.select_for_update(skip_locked=True).order_by("price_due_at").first()
    if call is None or call.twilio_sid is None:
        return None
    call.price_due_at = next_question(call, now=now)
    call.save(update_fields=["price_due_at"])
    return _Claimed(call_id=call.pk, sid=call.twilio_sid)


@transaction.atomic
def _bill(claimed: _Claimed, price: CallPrice) -> None:
    """Put the carrier's price in the place of the estimate; a leg without one stays estimated."""
    call = Call.objects.select_for_update().get(pk=claimed.call_id)
    if price.amount is None:
        return
    charges = [Charge(item=CostItem.TWILIO_CALL, amount=price.amount, currency=price.currency)]
    known = [leg for leg in price.legs if leg is not None]
    if len(known) == len(price.legs):
        charges.append(
            Charge(item=CostItem.TWILIO_SIP, amount=sum(known, Decimal(0)), currency=price.currency)
        )
        call.price_due_at = None
    count(call, prices=current_prices(), charges=charges)
    call.save(update_fields=FIELDS)
    logger.info("call billed", extra={"call_id": str(call.pk), "legs": len(price.legs), "known": len(known)})


def total(campaign: Campaign | None = None, *, since: datetime | None = None) -> list[Total]:
    """Return what phone calls cost so far, one total per currency.

    :param campaign: of which; None: of all.
    :param since: settled at or after this time; None: ever.
    """
    calls = Call.objects.by_phone().filter(cost__isnull=False).exclude(cost_currency="")
    if campaign is not None:
        calls = calls.filter(campaign=campaign)
    if since is not None:
        calls = calls.filter(settled_at__gte=since)
    billed = Count("pk", filter=Q(cost_state=CostState.BILLED))
    rows = calls.values("cost_currency").annotate(amount=Sum("cost"), calls=Count("pk"), billed=billed)
    return [
        Total(
            currency=row["cost_currency"],
            amount=row["amount"],
            calls=row["calls"],
            estimated=row["calls"] - row["billed"],
        )
        for row in rows.order_by("cost_currency")
    ]
