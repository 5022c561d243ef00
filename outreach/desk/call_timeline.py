"""Both sides' events of one call on one line of time, with what passed between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from outreach.desk.call_events import meaning_of
from outreach.models import Call, CallEvent, EventSource, Turn

_OURS = str(EventSource.OURS.label)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One thing that happened, as somebody saw it."""

    at: datetime
    source: str
    text: str
    after: str = ""
    """How long after the moment before."""
    event_id: int | None = None
    """The stored event; none for what we did ourselves."""
    is_incident: bool = False


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long one step of the call took."""

    step: str
    took: str
    means: str


def timeline_of(call: Call, events: Iterable[CallEvent]) -> list[Moment]:
    """Return what we did and what we were told, oldest first."""
    moments = [*_ours(call), *(_told(event) for event in events)]
    moments.sort(key=lambda moment: moment.at)
    timed: list[Moment] = []
    for moment in moments:
        gap = (moment.at - timed[-1].at).total_seconds() if timed else None
        timed.append(_after(moment, gap))
    return timed


def latencies_of(call: Call, turns: Sequence[Turn]) -> list[Latency]:
    """Return how long each step took, of those that have happened; `turns` are in order."""
    greeting = next((turn.said_at for turn in turns if turn.speaker == "alex"), None)
    steps: tuple[tuple[str, datetime | None, datetime | None, str], ...] = (
        ("Alex ready", call.queued_at, call.ready_at, "From the claim until Alex was ready in the room."),
        ("Decided", call.ready_at, call.dialing_at, "From ready until the last check said: dial."),
        (
            "Carrier took it",
            call.dialing_at,
            call.placed_at,
            "From our request until the carrier accepted it.",
        ),
        ("Until it rang", call.placed_at, call.ringing_at, "From the carrier's yes until the phone rang."),
        ("Rang", call.ringing_at, call.answered_at or call.ended_at, "How long the phone rang."),
        ("First word", call.answered_at, greeting, "From picking up until Alex's first sentence was out."),
        ("Settled", call.ended_at, call.settled_at, "From the free line until what follows was decided."),
    )
    return [
        Latency(step=step, took=_span((end - start).total_seconds()), means=means)
        for step, start, end, means in steps
        if start is not None and end is not None and end >= start
    ]


def _ours(call: Call) -> list[Moment]:
    asked_by = f"Asked for by {call.requested_by}" if call.requested_by else "Its turn had come"
    steps = (
        (call.queued_at, asked_by),
        (call.preparing_at, "Opened a room and sent for Alex"),
        (call.dialing_at, "Checked everything again and asked the carrier to dial"),
        (call.placed_at, "The carrier accepted the call"),
        (call.hangup_at, "Asked for the call to be ended"),
        (call.ended_at, "The line is free"),
        (call.settled_at, "Decided what follows"),
    )
    return [Moment(at=at, source=_OURS, text=text) for at, text in steps if at is not None]


def _told(event: CallEvent) -> Moment:
    return Moment(
        at=event.received_at,
        source=event.get_source_display(),
        text=meaning_of(event),
        event_id=event.pk,
        is_incident=event.incident,
    )


def _after(moment: Moment, gap: float | None) -> Moment:
    return Moment(
        at=moment.at,
        source=moment.source,
        text=moment.text,
        after="" if gap is None else f"+{_span(gap)}",
        event_id=moment.event_id,
        is_incident=moment.is_incident,
    )


def _span(seconds: float) -> str:
    """Return seconds as read at a glance: "12 ms", "1.3 s", "2 min 5 s", "3 h 20 min", "4 d 2 h"."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
