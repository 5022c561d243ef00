"""Why a call ended, and how that is reported."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from agentworker.actions import CallActions
from agentworker.call_clock import CallClock
from agentworker.reporter import Reporter
from agentworker.transcript import Transcript
from outreach.domain.contracts import End, Usage
from outreach.domain.disposition import AnsweredBy, Disposition, EndedBy


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The reason, and the last sentence where one can still be said."""

    by: EndedBy
    sentence: str = ""


def report_end(
    *,
    ending: Ending,
    answered_by: AnsweredBy | None,
    transcript: Transcript,
    actions: CallActions,
    clock: CallClock,
    usage: Usage,
    reporter: Reporter,
) -> None:
    """Report the end; somebody who hung up before anything was achieved hung up on us."""
    if ending.by is EndedBy.CALLEE and actions.achieved is None:
        actions.record_outcome(Disposition.HUNG_UP)
    reporter.fact(
        End(
            fact_id=uuid4(),
            at=clock.now(),
            n_turns=transcript.n_turns,
            n_notes=transcript.n_notes,
            ended_by=ending.by,
            answered_by=answered_by,
            usage=usage,
        )
    )
