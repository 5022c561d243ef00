"""What the database knows of what is watched: the dashboard's figures, and where a call stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from outreach.desk import board
from outreach.models import Call, Turn


@dataclass(frozen=True, kw_only=True)
class BoardFigures:
    """The two halves of the dashboard."""

    present: board.Present
    counts: board.Counts


@dataclass(frozen=True, kw_only=True)
class CallFacts:
    """Where a call stands."""

    call_id: UUID
    status: str
    settled: bool


def figures(known: board.Counts | None) -> BoardFigures:
    """Return the dashboard's figures; what was counted before is kept when it is given."""
    return BoardFigures(present=board.present(), counts=known or board.counts())


def call_facts(call_ids: Iterable[UUID]) -> list[CallFacts]:
    """Return where each of these calls stands."""
    rows = Call.objects.filter(pk__in=list(call_ids)).values_list("pk", "status", "settled_at")
    return [
        CallFacts(call_id=pk, status=status, settled=settled_at is not None)
        for pk, status, settled_at in rows
    ]


def stored_turns(call_id: UUID, after: int) -> list[dict[str, Any]] | None:
    """Return the stored turns after a number, as the stream writes them; None when there is no such call."""
    if not Call.objects.filter(pk=call_id).exists():
        return None
    turns = Turn.objects.filter(call_id=call_id, seq__gt=after).order_by("seq")
    return [
        {
            "kind": "turn",
            "seq": turn.seq,
            "speaker": turn.speaker,
            "text": turn.text,
            "stage": turn.stage,
            "interrupted": turn.interrupted,
            "at": turn.said_at.isoformat(),
        }
        for turn in turns
    ]
