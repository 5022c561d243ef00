"""What the API answers with. Fields that a token's user may not see are null."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from ninja import Field, Schema


class Person(Schema):
    """Somebody in a campaign."""

    id: int
    campaign: int
    standing: str
    standing_reason: str
    not_called_code: str = Field(description="Why they are not called now; empty: nothing stands in the way.")
    next_call_at: datetime | None
    attempts_made: int
    attempts_granted: int = Field(description="Attempts that operators allowed beyond the campaign's.")
    priority: int
    country: str
    time_zone: str
    consent_basis: str
    updated_at: datetime
    name: str | None = Field(description="With outreach.export_people only, as the following.")
    number: str | None
    email: str | None
    organisation: str | None
    extra: dict[str, Any] | None


class CallFacts(Schema):
    """One attempt to reach somebody."""

    id: UUID
    campaign: int
    facilitator: int | None
    channel: str
    kind: str
    script: int
    caller_id: str
    status: str
    answered_by: str
    disposition: str
    disposition_seq: int | None = Field(description="The turn that shows the disposition.")
    ended_by: str
    our_fault: bool
    counts: bool = Field(description="Whether it used up one of the person's attempts.")
    queued_at: datetime
    dialing_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    settled_at: datetime | None
    duration_seconds: int | None
    n_turns: int | None
    transcript: str
    cost: Decimal | None
    cost_currency: str
    number: str | None = Field(description="With outreach.export_people only.")


class TurnSaid(Schema):
    """One utterance."""

    seq: int
    speaker: str
    text: str
    stage: str
    interrupted: bool
    said_at: datetime


class NoteTaken(Schema):
    """One note of Alex, and the turn that supports it."""

    seq: int
    text: str
    turn_seq: int | None
    noted_at: datetime


class SummaryMade(Schema):
    """The summary of a conversation, and the fields read out of it."""

    text: str
    fields: list[dict[str, Any]]


class CallWithWords(CallFacts):
    """A call with what was said; null without outreach.read_transcript."""

    turns: list[TurnSaid] | None
    notes: list[NoteTaken] | None
    summary: SummaryMade | None


class CallbackPromised(Schema):
    """A time that somebody asked to be called at."""

    id: int
    facilitator: int
    agreed_in: UUID | None
    promised_at: datetime
    time_zone: str
    by: str
    state: str
    was_missed: bool
    closed_at: datetime | None
    reason: str | None = Field(description="With outreach.read_transcript only.")


class Tallied(Schema):
    """How often something happened on one UTC day in one campaign."""

    day: date
    campaign: int
    thing: str
    key: str
    n: int
    amount: Decimal


class People(Schema):
    """One page of people."""

    items: list[Person]
    next: str | None = Field(description="Cursor of the next page; null: this is the last.")


class Calls(Schema):
    """One page of calls."""

    items: list[CallFacts]
    next: str | None = Field(description="Cursor of the next page; null: this is the last.")


class Callbacks(Schema):
    """One page of callbacks."""

    items: list[CallbackPromised]
    next: str | None = Field(description="Cursor of the next page; null: this is the last.")


class Statistics(Schema):
    """The tallies of a range of days."""

    items: list[Tallied]
