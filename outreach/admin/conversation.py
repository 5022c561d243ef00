"""A call's transcript as a conversation: stages, turns, notes and tools in place, and what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from outreach.desk.call_events import meaning_of
from outreach.domain.contracts import STAGES
from outreach.models import Call, CallEvent, Note, TranscriptState, Turn


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing to show between the first word and the last."""

    kind: Literal["stage", "turn", "note", "tool", "gap"]
    text: str = ""
    turn: Turn | None = None
    note: Note | None = None
    evidence: bool = False
    """Whether this turn shows the call's disposition."""
    failed: bool = False
    """Whether this tool came back with a failure."""
    key: str = ""
    """What the live stream knows a use of a tool by: its name, and the milliseconds of its time."""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """Everything that the call's page says about its words."""

    lines: list[Line]
    turns: Sequence[Turn]
    last_seq: int
    n_turns: int
    gaps: str
    """What the badge says of missing turns: "Turns 3, 7–9 missing"."""
    is_live: bool
    is_incomplete: bool


def conversation_of(call: Call, events: Iterable[CallEvent] = ()) -> Conversation:
    """Return the conversation of a call, with gaps where numbered turns are not stored.

    :param events: the call's events; those of Alex's tools are shown where he used them.
    """
    turns = list(call.turns.order_by("seq"))
    notes: dict[int, list[Note]] = defaultdict(list)
    for note in call.notes.order_by("seq"):
        notes[note.turn_seq or 0].append(note)
    last = turns[-1].seq if turns else 0
    expected = max(call.n_turns or 0, last)
    holes = _holes([turn.seq for turn in turns], expected)
    lines = list(_lines(turns, notes, _tools(events), call))
    if call.ended_at is not None and expected > last:
        lines.append(_gap(last + 1, expected))
    return Conversation(
        lines=lines,
        turns=turns,
        last_seq=last,
        n_turns=len(turns),
        gaps=_named(holes),
        is_live=call.settled_at is None,
        is_incomplete=call.transcript == TranscriptState.INCOMPLETE
        or (bool(holes) and call.settled_at is not None),
    )


def _lines(
    turns: Sequence[Turn], notes: dict[int, list[Note]], tools: list[CallEvent], call: Call
) -> Iterator[Line]:
    yield from _notes(notes.pop(0, []))
    stage, previous = "", 0
    for turn in turns:
        yield from _used(tools, before=turn)
        if turn.seq > previous + 1:
            yield _gap(previous + 1, turn.seq - 1)
        if turn.stage and turn.stage != stage and turn.stage in STAGES:
            stage = turn.stage
            yield Line(kind="stage", text=stage)
        yield Line(kind="turn", turn=turn, evidence=turn.seq == call.disposition_seq)
        yield from _notes(notes.pop(turn.seq, []))
        previous = turn.seq
    yield from _used(tools, before=None)
    for late in notes.values():
        yield from _notes(late)


def _tools(events: Iterable[CallEvent]) -> list[CallEvent]:
    return sorted((event for event in events if event.kind == "tool"), key=lambda event: event.received_at)


def _used(tools: list[CallEvent], *, before: Turn | None) -> Iterator[Line]:
    """Take from `tools` those that were used before a turn; all that are left, after the last one."""
    while tools and (before is None or tools[0].received_at < before.said_at):
        tool = tools.pop(0)
        at = int(tool.received_at.timestamp()) * 1000 + tool.received_at.microsecond // 1000
        key = f"{tool.payload.get('name', '')} {at}"
        yield Line(kind="tool", text=meaning_of(tool), failed=tool.incident, key=key)


def _notes(notes: list[Note]) -> Iterator[Line]:
    for note in notes:
        yield Line(kind="note", note=note)


def _gap(first: int, last: int) -> Line:
    which = f"Turn {first} is" if first == last else f"Turns {first}–{last} are"
    return Line(kind="gap", text=f"{which} missing")


def _holes(stored: Sequence[int], expected: int) -> list[tuple[int, int]]:
    """Return the first and last number of each run of turns from 1 to `expected` that is not stored."""
    holes: list[tuple[int, int]] = []
    previous = 0
    for seq in [*stored, expected + 1]:
        if seq > previous + 1:
            holes.append((previous + 1, seq - 1))
        previous = seq
    return holes


def _named(holes: Sequence[tuple[int, int]]) -> str:
    if not holes:
        return "Incomplete"
    runs = ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in holes)
    return f"Turn {runs} missing" if runs.isdecimal() else f"Turns {runs} missing"
