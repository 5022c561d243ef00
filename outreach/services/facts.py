"""What Alex tells us by signed POST: the facts that decide who is called. Each is applied once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from outreach.domain import defaults
from outreach.domain.call_status import OPEN, CallStatus
from outreach.domain.contracts import AnsweredFact, AnyFact, CallbackAgreed, End, OptOut, Outcome, Ready
from outreach.domain.disposition import AnsweredBy, Disposition, stronger
from outreach.models import Call, CostState, EventSource, SuppressionSource
from outreach.services import callbacks, campaigns, clock, talk_rows
from outreach.services.inbox import store_event
from outreach.services.recording import mark_transcript
from outreach.services.rows import locked_call
from outreach.services.settling import settle, settle_later_word
from outreach.services.suppressing import suppress

logger = logging.getLogger(__name__)


class FactResult(StrEnum):
    """What the agent is answered."""

    STORED = "stored"
    STAY = "stay"
    DIAL = "dial"
    """Stay, and the call may be dialled now: enqueue the hint."""
    LEAVE = "leave"
    UNKNOWN_CALL = "unknown_call"


@transaction.atomic
def apply_fact(*, call_id: UUID, fact: AnyFact) -> FactResult:
    """Apply one fact; a repeat (same `fact_id`) changes nothing.

    A talk in the browser stores what was said and achieved on its own row; no person hangs on it.
    """
    try:
        call = locked_call(pk=call_id)
    except Call.DoesNotExist:
        return FactResult.UNKNOWN_CALL
    now = clock.now()
    if isinstance(fact, Ready):
        return _ready(call, fact, now)
    ended = isinstance(fact, End) and call.end_received_at is None
    payload = {"at": fact.at.isoformat()}
    if not store_event(
        source=EventSource.AGENT,
        event_id=str(fact.fact_id),
        kind=fact.kind,
        call=call,
        payload=payload,
        now=now,
    ):
        return FactResult.STORED
    _apply(call, fact, now)
    call.save()
    if call.settled_at is None:
        settle(call, now=now)
    else:
        settle_later_word(call, ended=ended, now=now)
    return FactResult.STORED


def _apply(call: Call, fact: AnsweredFact | OptOut | CallbackAgreed | Outcome | End, now: datetime) -> None:
    if isinstance(fact, AnsweredFact):
        _hear_who_answered(call, fact.answered_by)
        if not call.rings:
            talk_rows.begin(call, now=now)
    elif isinstance(fact, OptOut):
        _claim_disposition(call, Disposition.DO_NOT_CALL, fact.evidence_seq)
        if call.is_phone_call:
            suppress(
                number=call.number,
                source=SuppressionSource.CALL,
                reason=f"Asked in a call ({fact.how}).",
                call=call,
            )
    elif isinstance(fact, CallbackAgreed):
        if call.is_phone_call and call.disposition != Disposition.DO_NOT_CALL.value:
            callbacks.agree(call, fact, now=now)
        _claim_disposition(call, Disposition.CALLBACK_REQUESTED, fact.evidence_seq)
    elif isinstance(fact, Outcome):
        _claim_disposition(call, fact.disposition, fact.evidence_seq)
    else:
        _end(call, fact, now)
        if not call.rings:
            talk_rows.conclude(call, now=now)


def _ready(call: Call, fact: Ready, now: datetime) -> FactResult:
    """Let the first job stay; a second job for the same call, or a late one, leaves without a word."""
    ours = call.agent_job in ("", fact.job_id)
    if not ours or CallStatus(call.status) not in OPEN or call.status == CallStatus.QUEUED.value:
        return FactResult.LEAVE
    first = not call.agent_job
    call.agent_job = fact.job_id
    call.agent_worker = fact.worker_id
    call.ready_at = call.agent_seen_at = now
    if first:
        call.deadline_at = now + timedelta(seconds=defaults.PROVIDER_QUEUE)
        store_event(
            source=EventSource.AGENT,
            event_id=f"{call.pk}:ready:{fact.job_id}",
            kind="ready",
            call=call,
            payload={},
            now=now,
        )
        if call.is_phone_call:
            campaigns.end_streak(campaign=call.campaign, streak="unready_streak")
    call.save(update_fields=["agent_job", "agent_worker", "ready_at", "agent_seen_at", "deadline_at"])
    may_dial = first and call.rings and call.status == CallStatus.PREPARING.value
    return FactResult.DIAL if may_dial else FactResult.STAY


def _claim_disposition(call: Call, new: Disposition, evidence_seq: int | None) -> None:
    stored = Disposition(call.disposition) if call.disposition else None
    if stronger(stored, new) is not stored:
        call.disposition = new.value
        call.disposition_seq = evidence_seq


def _hear_who_answered(call: Call, who: AnsweredBy) -> None:
    """Take the later word (a person may come on after a screening); a person never becomes a machine."""
    if call.answered_by != AnsweredBy.HUMAN.value:
        call.answered_by = who.value


def _end(call: Call, fact: End, now: datetime) -> None:
    call.end_received_at = call.end_received_at or now
    call.ended_by = call.ended_by or fact.ended_by.value
    call.n_turns = fact.n_turns
    call.n_notes = fact.n_notes
    if fact.usage is not None:
        call.usage = {**call.usage, **fact.usage.model_dump()}
        # If its cost is counted already, that was without this.
        call.cost_state = CostState.NONE.value
    if fact.answered_by is not None:
        _hear_who_answered(call, fact.answered_by)
    if call.deadline_at is not None and CallStatus(call.status) in OPEN:
        # The line should be free within seconds; if nobody tells us so, the sweep asks.
        call.deadline_at = min(call.deadline_at, now + timedelta(seconds=defaults.LINE_FREE_AFTER))
    mark_transcript(call)
    logger.info(
        "conversation ended",
        extra={"call_id": str(call.pk), "ended_by": call.ended_by, "n_turns": fact.n_turns},
    )
