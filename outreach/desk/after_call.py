"""What a page says of a call afterwards: its summary, what the person told us, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from outreach.desk.badges import words_of
from outreach.desk.rendering import moment
from outreach.models import Call, Channel, CostState, Facilitator, RateItem, Summary, SummaryState

#: Latest conversations that a person's answers are taken from.
CONVERSATIONS = 20


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A value that a conversation showed, and where."""

    label: str
    value: str
    call_id: UUID
    turn_seq: int


@dataclass(frozen=True, kw_only=True)
class SummaryOnPage:
    """A call's summary, or why there is none yet."""

    text: str
    answers: list[Answer]
    dropped: int
    state: str
    """A sentence while there is no summary."""


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """One line of a call's bill, in words."""

    label: str
    quantity: str
    price: str
    amount: str
    billed: bool


@dataclass(frozen=True, kw_only=True)
class CostOnPage:
    """A call's bill, in words."""

    total: str
    state: str
    lines: list[CostLine]
    remark: str
    """What is missing, and what to do; empty: nothing."""


def summary_of(call: Call) -> SummaryOnPage | None:
    """Return what the call's page says of its summary; None where there is nothing to sum up."""
    summary = Summary.objects.filter(call=call).first()
    if summary is None:
        return None
    return SummaryOnPage(
        text=summary.text, answers=_answers(summary), dropped=summary.dropped, state=_state(summary)
    )


def _answers(summary: Summary) -> list[Answer]:
    return [
        Answer(
            label=words_of(field["name"]),
            value=field["value"],
            call_id=summary.call_id,
            turn_seq=field["turn_seq"],
        )
        for field in summary.fields
    ]


def _state(summary: Summary) -> str:
    if summary.state == SummaryState.MADE:
        return ""
    if summary.state == SummaryState.GIVEN_UP:
        return f"There is none. {summary.problem}"
    if summary.problem:
        return f"Not yet. {summary.problem} Next try: {moment(summary.due_at)}."
    return "It is being written."


def answers_of(person: Facilitator) -> list[Answer]:
    """Return what a person told us, of each field the latest, with the turn that shows it."""
    made = Summary.objects.filter(
        call__facilitator=person, call__channel=Channel.PHONE, state=SummaryState.MADE
    )
    latest: dict[str, Answer] = {}
    for summary in made.order_by("-made_at")[:CONVERSATIONS]:
        for answer in _answers(summary):
            latest.setdefault(answer.label, answer)
    return list(latest.values())


def cost_of(call: Call) -> CostOnPage | None:
    """Return what the call's page says of its cost; None before it is counted."""
    if not call.cost_items and call.cost is None:
        return None
    return CostOnPage(
        total=money(call.cost, call.cost_currency),
        state="billed" if call.cost_state == CostState.BILLED else "estimated",
        lines=[_line(item) for item in call.cost_items],
        remark=_remark(call.cost, call.cost_items),
    )


def _line(item: dict[str, Any]) -> CostLine:
    label = str(RateItem(item["item"]).label).split(", per ")[0]
    return CostLine(
        label=f"{label} ({item['model']})" if item["model"] else label,
        quantity=f"{item['quantity']} {item['unit']}",
        price="" if item["price"] is None else f"× {item['price']}",
        amount=money(None if item["amount"] is None else Decimal(item["amount"]), item["currency"]),
        billed=item["billed"],
    )


def _remark(total: Decimal | None, items: Iterable[dict[str, Any]]) -> str:
    if total is None:
        return "The carrier bills in another currency than the rates: write the rates in that currency."
    unpriced = [str(RateItem(item["item"]).label) for item in items if item["amount"] is None]
    return f"Without what has no rate: {'; '.join(unpriced)}." if unpriced else ""


def money(amount: Decimal | None, currency: str) -> str:
    """Return an amount to a hundredth of a cent: "0.0882 USD"; "no rate" for none."""
    if amount is None:
        return "no rate" if not currency else "–"
    return f"{amount:.4f} {currency}".strip()
