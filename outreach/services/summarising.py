"""Summing conversations up, from rows: tried again later each time, given up at last, never in the way."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction

from outreach.domain import defaults
from outreach.domain.model_refusals import advice_on
from outreach.domain.summary import AskedField, CheckedSummary, SpokenTurn, check_summary
from outreach.integrations.groq import ModelProblem, ModelRefused
from outreach.integrations.summaries import Summariser, SummaryAnswer, SummaryRequest
from outreach.models import Call, CostState, Summary, SummaryState, Turn
from outreach.services import clock, locks

logger = logging.getLogger(__name__)

#: Conversations that are asked about at once.
PARALLEL = 4
#: Seconds of a run after which no further one is begun: its worker has other ticks to run, and an answer may
#: take sixteen.
RUN_SECONDS = 5.0
#: Seconds after which a claim is free again, when its worker died.
LEASE = 120

NO_KEY = "No GROQ_API_KEY is set. Set one (https://console.groq.com/keys) and restart the worker."
NOT_SAID = "What was said is no longer stored."


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One claimed summary with what is asked; `tries` tells this claim from a later one."""

    summary_id: int
    tries: int
    request: SummaryRequest


def summarise_due(*, summariser: Summariser) -> int:
    """Sum up the conversations that are due; return how many were. One run at a time.

    A refusal that concerns every conversation ends the run and postpones all of them.
    """
    until = time.monotonic() + RUN_SECONDS
    made = 0
    with locks.try_lock_tick("summarise") as alone, ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        while alone and time.monotonic() < until:
            claimed = _claim()
            if not claimed:
                break
            asked = [(work, pool.submit(summariser.summarise, work.request)) for work in claimed]
            outcomes = [_conclude(work, answer) for work, answer in asked]
            made += sum(outcome is None for outcome in outcomes)
            refused = next((outcome for outcome in outcomes if isinstance(outcome, ModelRefused)), None)
            if refused is not None:
                break
    return made


def postpone(*, problem: str, seconds: float) -> None:
    """Let every summary that is due wait, and say why."""
    now = clock.now()
    due = Summary.objects.filter(state=SummaryState.DUE, due_at__lte=now)
    due.update(due_at=now + timedelta(seconds=seconds), problem=problem)


@transaction.atomic
def _claim() -> list[_Work]:
    """Take what is due longest; a claim runs out by itself, and is a try even if nobody comes back."""
    now = clock.now()
    due = Summary.objects.filter(state=SummaryState.DUE, due_at__lte=now).order_by("due_at")
    claimed = list(due.select_for_update(skip_locked=True)[:PARALLEL])
    work = []
    for summary in claimed:
        summary.tries += 1
        summary.due_at = now + timedelta(seconds=LEASE)
        request = _request_of(summary)
        if not request.turns or summary.tries > len(defaults.SUMMARY_TRIED_AGAIN_AFTER) + 1:
            summary.problem = summary.problem if request.turns else NOT_SAID
            summary.state, summary.due_at = SummaryState.GIVEN_UP.value, None
        else:
            work.append(_Work(summary_id=summary.pk, tries=summary.tries, request=request))
        summary.save(update_fields=["tries", "due_at", "problem", "state"])
    return work or (_claim() if claimed else [])


def _request_of(summary: Summary) -> SummaryRequest:
    turns = Turn.objects.filter(call_id=summary.call_id).order_by("seq")
    return SummaryRequest(
        turns=[SpokenTurn(seq=turn.seq, speaker=turn.speaker, text=turn.text) for turn in turns],
        asked=asked_by(Call.objects.select_related("campaign").get(pk=summary.call_id)),
    )


def asked_by(call: Call) -> list[AskedField]:
    """Return what the call's campaign wants to know."""
    return [AskedField(name=field["name"], question=field["question"]) for field in call.campaign.asks_for]


def _conclude(work: _Work, answer: Future[SummaryAnswer]) -> ModelProblem | None:
    """Store what came of one question; return what went wrong, if anything."""
    try:
        found = answer.result()
    except ModelRefused as refusal:
        _refused(work, refusal)
        return refusal
    except ModelProblem as problem:
        _failed(work, str(problem))
        return problem
    _store(work, found, check_summary(found.proposed, turns=work.request.turns, asked=work.request.asked))
    return None


@transaction.atomic
def _store(work: _Work, answer: SummaryAnswer, checked: CheckedSummary) -> None:
    summary = Summary.objects.select_for_update().filter(pk=work.summary_id, state=SummaryState.DUE).first()
    if summary is None:
        return
    summary.state, summary.due_at, summary.problem = SummaryState.MADE.value, None, ""
    summary.text, summary.dropped = checked.text, checked.dropped
    summary.fields = [asdict(field) for field in checked.fields]
    summary.model, summary.made_at = answer.model, clock.now()
    summary.save()
    _count_in(summary, answer)
    logger.info(
        "conversation summed up",
        extra={"call_id": str(summary.call_id), "fields": len(checked.fields), "dropped": checked.dropped},
    )


def _count_in(summary: Summary, answer: SummaryAnswer) -> None:
    """Add what the summary took to the call's usage, and have its cost counted anew."""
    call = Call.objects.select_for_update().get(pk=summary.call_id)
    used = {
        "model": answer.model,
        "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens,
    }
    call.usage = {**call.usage, "summary": used}
    call.cost_state = CostState.NONE.value
    call.save(update_fields=["usage", "cost_state"])


def _refused(work: _Work, refusal: ModelRefused) -> None:
    """Act on a definite no: too fast waits, what only a person can lift waits for one, the rest failed."""
    advice = advice_on(
        http_status=refusal.http_status,
        code=refusal.code,
        model=refusal.model,
        setting="SUMMARY_MODEL in outreach/domain/defaults.py",
    )
    if refusal.http_status == 429:
        wait = max(refusal.retry_after or 0.0, float(defaults.SUMMARY_TRIED_AGAIN_AFTER[0]))
        _put_back(work, problem="The models' rate limit is used up; it is tried again.", seconds=wait)
    elif advice is not None:
        logger.error("summaries are refused", extra={"code": refusal.code, "model": refusal.model})
        _put_back(work, problem=str(advice), seconds=defaults.SUMMARY_REFUSED_WAIT)
    else:
        _failed(work, f"Groq refused the question ({refusal.code or refusal.http_status}).")


def _put_back(work: _Work, *, problem: str, seconds: float) -> None:
    """Give a claim back without counting it as a try, and let all others wait as long."""
    now = clock.now()
    Summary.objects.filter(pk=work.summary_id, tries=work.tries, state=SummaryState.DUE).update(
        tries=work.tries - 1, due_at=now + timedelta(seconds=seconds), problem=problem
    )
    postpone(problem=problem, seconds=seconds)


def _failed(work: _Work, problem: str) -> None:
    """Let a failed try be repeated later, or give up after the last."""
    waits: Sequence[int] = defaults.SUMMARY_TRIED_AGAIN_AFTER
    again: datetime | None = None
    if work.tries <= len(waits):
        again = clock.now() + timedelta(seconds=waits[work.tries - 1])
    state = SummaryState.DUE if again else SummaryState.GIVEN_UP
    Summary.objects.filter(pk=work.summary_id, tries=work.tries, state=SummaryState.DUE).update(
        state=state, due_at=again, problem=problem[:300]
    )
    logger.warning("a conversation was not summed up", extra={"tries": work.tries, "state": state.value})
