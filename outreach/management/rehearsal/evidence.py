"""What is known after a rehearsal: the carrier's ledger, the callees' ears, and our own tables."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from outreach.domain.call_status import OPEN
from outreach.models import Call, Campaign, Facilitator, Summary, SummaryState, Suppression, Turn


@dataclass(frozen=True, kw_only=True)
class Persona:
    """How the person behind a number was meant to behave."""

    name: str
    intended: frozenset[str]
    stops: bool


@dataclass(frozen=True, kw_only=True)
class CarrierCall:
    """One call in the carrier's ledger."""

    sid: str
    number: str
    accepted_at: datetime
    ended_at: datetime | None
    status: str


@dataclass(frozen=True, kw_only=True)
class HeardCall:
    """One answered call as the callee's ear recorded it."""

    sid: str
    number: str
    connected: bool
    silence_seconds: float
    spoken: tuple[tuple[str, str], ...]
    """(speaker, text), in order."""


@dataclass(frozen=True, kw_only=True)
class RangBack:
    """One call to a number of ours as the caller remembers it; `wish` is "callback" or "stop"."""

    number: str
    wish: str
    confirmed: bool
    """Whether they were told that their wish is granted."""
    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class OurCall:
    """One call in our own tables."""

    number: str
    sid: str | None
    kind: str
    status: str
    disposition: str
    answered_by: str
    our_fault: bool
    answered: bool
    dialed: bool
    is_open: bool
    settled: bool
    transcript: str
    turns: tuple[tuple[str, str], ...]
    queued_at: datetime
    summary: str = ""
    """The state of its summary, `waiting` when a failed try is to be repeated; empty: there is none."""
    answers: int = 0
    """Answers that the summary found a turn for."""
    answers_dropped: int = 0
    cost_state: str = ""
    cost: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class OurPerson:
    """One person in our own tables."""

    number: str
    time_zone: str
    country: str
    standing: str
    reason: str
    attempts_made: int
    next_call_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that the verdict is made from."""

    people: tuple[OurPerson, ...]
    calls: tuple[OurCall, ...]
    carrier: tuple[CarrierCall, ...]
    heard: tuple[HeardCall, ...]
    callers: tuple[RangBack, ...] = ()
    personas: Mapping[str, Persona]
    suppressed_at: Mapping[str, datetime]
    call_window: Mapping[str, Any]
    callback_window: Mapping[str, Any]
    killed: tuple[str, ...] = ()
    seconds: float = 0.0


def ask_sandbox(address: str, *, key: str, path: str) -> list[dict[str, Any]]:
    """Return one of the sandbox's ledgers.

    :raises OSError: when the sandbox does not answer.
    """
    request = urllib.request.Request(f"{address}/control/{path}", headers={"X-Sandbox-Key": key})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  (the sandbox's own address)
        calls: list[dict[str, Any]] = json.load(answer)["calls"]
    return calls


def gather(
    *,
    campaign: Campaign,
    ledger: Iterable[Mapping[str, Any]],
    ears: Iterable[Mapping[str, Any]],
    callers: Iterable[Mapping[str, Any]],
    personas: Mapping[str, Persona],
    killed: tuple[str, ...],
    seconds: float,
) -> Evidence:
    """Put together what the three sides know of a rehearsal."""
    return Evidence(
        people=tuple(_person(one) for one in Facilitator.objects.filter(campaign=campaign)),
        calls=tuple(_calls(campaign)),
        carrier=tuple(_carrier_call(entry) for entry in ledger),
        heard=tuple(_heard_call(record) for record in ears),
        callers=tuple(_rang_back(record) for record in callers),
        personas=personas,
        suppressed_at=dict(Suppression.objects.values_list("number", "created_at")),
        call_window=campaign.call_window,
        callback_window=campaign.callback_window,
        killed=killed,
        seconds=seconds,
    )


def _person(one: Facilitator) -> OurPerson:
    return OurPerson(
        number=one.number,
        time_zone=one.time_zone,
        country=one.country,
        standing=one.standing,
        reason=one.standing_reason,
        attempts_made=one.attempts_made,
        next_call_at=one.next_call_at,
    )


def _calls(campaign: Campaign) -> Iterable[OurCall]:
    turns: dict[Any, list[tuple[str, str]]] = {}
    said = Turn.objects.filter(call__campaign=campaign).order_by("call", "seq")
    for call_id, speaker, text in said.values_list("call_id", "speaker", "text"):
        turns.setdefault(call_id, []).append((speaker, text))
    summaries = {summary.call_id: summary for summary in Summary.objects.filter(call__campaign=campaign)}
    still_open = {status.value for status in OPEN}
    for call in Call.objects.filter(campaign=campaign).order_by("queued_at"):
        yield OurCall(
            number=call.number,
            sid=call.twilio_sid,
            kind=call.kind,
            status=call.status,
            disposition=call.disposition,
            answered_by=call.answered_by,
            our_fault=call.our_fault,
            answered=call.answered_at is not None,
            dialed=call.dialing_at is not None,
            is_open=call.status in still_open,
            settled=call.settled_at is not None,
            transcript=call.transcript,
            turns=tuple(turns.get(call.pk, ())),
            queued_at=call.queued_at,
            summary=_summary_state(summaries.get(call.pk)),
            answers=len(summaries[call.pk].fields) if call.pk in summaries else 0,
            answers_dropped=summaries[call.pk].dropped if call.pk in summaries else 0,
            cost_state=call.cost_state,
            cost=call.cost,
        )


def _summary_state(summary: Summary | None) -> str:
    if summary is None:
        return ""
    return "waiting" if summary.state == SummaryState.DUE and summary.problem else summary.state


def _carrier_call(entry: Mapping[str, Any]) -> CarrierCall:
    return CarrierCall(
        sid=entry["sid"],
        number=entry["to"],
        accepted_at=datetime.fromisoformat(entry["accepted_at"]),
        ended_at=datetime.fromisoformat(entry["ended_at"]) if entry["ended_at"] else None,
        status=entry["status"],
    )


def _rang_back(record: Mapping[str, Any]) -> RangBack:
    return RangBack(
        number=record["number"],
        wish=record["wish"],
        confirmed=bool(record["confirmed"]),
        ended_at=datetime.fromisoformat(record["ended_at"]),
    )


def _heard_call(record: Mapping[str, Any]) -> HeardCall:
    return HeardCall(
        sid=record["call_sid"],
        number=record["number"],
        connected=bool(record["connected"]),
        silence_seconds=float(record["silence_seconds"]),
        spoken=tuple((turn["speaker"], turn["text"]) for turn in record["spoken"]),
    )
