"""One person's calls on their page: how long each part took, what was noted, and where it is said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Min

from outreach.desk.badges import words_of
from outreach.desk.rendering import seconds_between
from outreach.domain.contracts import STAGES
from outreach.models import Call, Facilitator, Note, Turn

_TITLES = {
    "first": "First call",
    "retry": "Called again",
    "callback": "Called as promised",
    "manual": "Called out of turn",
}


class Span(NamedTuple):
    """A part of a call and its length in seconds."""

    label: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One call to a person."""

    call: Call
    title: str
    spans: Sequence[Span]
    """From the queue to the end of the ringing, and the talk as a whole."""
    stages: Sequence[Span]
    """The stages of the talk."""
    notes: Sequence[Note]


def attempts_of(person: Facilitator, *, most: int, words: bool) -> list[Attempt]:
    """Return the newest calls to `person`.

    :param words: whether what was noted is shown, too.
    """
    calls = list(Call.objects.by_phone().filter(facilitator=person).order_by("-queued_at")[:most])
    talked = [call.pk for call in calls if call.answered_at is not None]
    begins = _stage_begins(talked)
    notes: dict[UUID, list[Note]] = defaultdict(list)
    if words and talked:
        for note in Note.objects.filter(call__in=talked).order_by("seq"):
            notes[note.call_id].append(note)
    return [
        Attempt(
            call=call,
            title=_TITLES.get(call.kind, words_of(call.kind)),
            spans=_spans(call),
            stages=_stages(begins[call.pk], call.ended_at),
            notes=notes[call.pk],
        )
        for call in calls
    ]


def _stage_begins(calls: Sequence[UUID]) -> dict[UUID, list[tuple[datetime, str]]]:
    """Return when which stage of each call began, in that order."""
    begins: dict[UUID, list[tuple[datetime, str]]] = defaultdict(list)
    if not calls:
        return begins
    first = Turn.objects.filter(call__in=calls, stage__in=STAGES).values("call", "stage")
    for row in first.annotate(began=Min("said_at")).order_by("began"):
        begins[row["call"]].append((row["began"], row["stage"]))
    return begins


def _spans(call: Call) -> list[Span]:
    """Return how long it took until Alex was ready, how long it rang, and how long they talked."""
    measured = [
        ("ready after", seconds_between(call.queued_at, call.ready_at)),
        ("rang", seconds_between(call.ringing_at or call.placed_at, call.answered_at or call.ended_at)),
        ("talked", seconds_between(call.answered_at, call.ended_at)),
    ]
    return [Span(label, seconds) for label, seconds in measured if seconds is not None]


def _stages(begins: Sequence[tuple[datetime, str]], ended_at: datetime | None) -> list[Span]:
    """Return each stage's length: until the next one began, or the call ended."""
    ends = [*[at for at, _ in begins], ended_at][1:]
    return [
        Span(words_of(stage), max(0.0, (end - began).total_seconds()))
        for (began, stage), end in zip(begins, ends, strict=True)
        if end is not None
    ]
