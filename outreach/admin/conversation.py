"""A call's transcript as a conversation: stages, turns, notes in place, and what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from outreach.domain.contracts import STAGES
from outreach.models import Call, Note, TranscriptState, Turn


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing to show between the first word and the last."""

    kind: Literal["stage", "turn", "note", "gap"]
    text: str = ""
    turn: Turn | None = None
    note: Note | None = None
    evidence: bool = False
    """Whether this turn shows the call's disposition."""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """Everything that the call's page says about its words."""

    lines: list[Line]
    last_seq: int
    n_turns: int
    n_missing: int
    is_live: bool
    is_incomplete: bool


def conversation_of(call: Call) -> Conversation:
    """Return the conversation of a call, with gaps where numbered turns are not stored."""
    turns = list(call.turns.order_by("seq"))
    notes: dict[int, list[Note]] = defaultdict(list)
    for note in call.notes.order_by("seq"):
        notes[note.turn_seq or 0].append(note)
    last = turns[-1].seq if turns else 0
    expected = max(call.n_turns or 0, last)
    missing = expected - len(turns)
    lines = list(_lines(turns, notes, call))
    if call.ended_at is not None and expected > last:
        lines.append(_gap(last + 1, expected))
    return Conversation(
        lines=lines,
        last_seq=last,
        n_turns=len(turns),
        n_missing=missing,
        is_live=call.settled_at is None,
        is_incomplete=call.transcript == TranscriptState.INCOMPLETE
        or (missing > 0 and call.settled_at is not None),
    )


def _lines(turns: Iterable[Turn], notes: dict[int, list[Note]], call: Call) -> Iterator[Line]:
    yield from _notes(notes.pop(0, []))
    stage, previous = "", 0
    for turn in turns:
        if turn.seq > previous + 1:
            yield _gap(previous + 1, turn.seq - 1)
        if turn.stage and turn.stage != stage and turn.stage in STAGES:
            stage = turn.stage
            yield Line(kind="stage", text=stage)
        yield Line(kind="turn", turn=turn, evidence=turn.seq == call.disposition_seq)
        yield from _notes(notes.pop(turn.seq, []))
        previous = turn.seq
    for late in notes.values():
        yield from _notes(late)


def _notes(notes: list[Note]) -> Iterator[Line]:
    for note in notes:
        yield Line(kind="note", note=note)


def _gap(first: int, last: int) -> Line:
    which = f"Turn {first} is" if first == last else f"Turns {first}–{last} are"
    return Line(kind="gap", text=f"{which} missing")
