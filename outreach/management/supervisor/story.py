"""What happens in the calls, as one line each: who is called, what is said, how it ends, what follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import AnyWord, NoteWord, TurnWord
from outreach.domain.disposition import AnsweredBy, Disposition
from outreach.domain.phone_number import mask
from outreach.domain.standing import CallKind, Standing
from outreach.management.supervisor.callers import Callers
from outreach.management.supervisor.story_line import Line
from outreach.management.word_feed import WordFeed
from outreach.models import Call, CampaignState, Facilitator
from outreach.services import clock

_KINDS = {
    CallKind.FIRST: "first call",
    CallKind.RETRY: "another try",
    CallKind.CALLBACK: "the callback they asked for",
    CallKind.MANUAL: "called by hand",
}
_ENDINGS = {
    CallStatus.NO_ANSWER: "does not answer",
    CallStatus.BUSY: "is busy",
    CallStatus.FAILED: "cannot be reached",
    CallStatus.CANCELED: "was not rung after all",
    CallStatus.NOT_PLACED: "was never dialled",
}
_CLOSINGS = {
    Standing.INTERESTED: "an operator goes on from here",
    Standing.NOT_INTERESTED: "left in peace",
    Standing.SUPPRESSED: "never called again",
    Standing.EXHAUSTED: "tried often enough, not called again",
}
_MACHINES = {
    AnsweredBy.VOICEMAIL.value: "a voicemail",
    AnsweredBy.IVR.value: "a phone menu",
    AnsweredBy.SCREENING.value: "a call screening service",
    AnsweredBy.UNAVAILABLE.value: "an announcement",
}


@dataclass
class _Known:
    name: str
    answered: bool = False
    ended: bool = False


class Story:
    """Follows the calls table and the stream of words from now on."""

    def __init__(self) -> None:
        """Begin after everything that has happened already."""
        self._words = WordFeed()
        self._since = clock.now()
        self._calls: dict[UUID, _Known] = {}
        self._callers = Callers()
        self.conversations = 0
        self._all_done = True

    def go_on(self) -> Iterator[Line]:
        """Yield what has happened since the last time."""
        now = clock.now()
        known = Q(settled_at__isnull=True) | Q(pk__in=list(self._calls)) | Q(settled_at__gt=self._since)
        changed = Call.objects.filter(known).select_related("facilitator").order_by("queued_at")
        calls = list(changed)
        for call in calls:
            yield from self._began(call)
        yield from self._said()
        for call in calls:
            yield from self._ended(call)
        yield from self._callers.go_on(now=now, local=local)
        yield from self._nobody_is_left()
        self._since = now

    def close(self) -> None:
        """Let go of the stream."""
        self._words.close()

    def _began(self, call: Call) -> Iterator[Line]:
        known = self._calls.get(call.pk)
        if not call.is_phone_call:
            yield from self._talk_began(call, known)
            return
        if known is not None and call.answered_at is not None and not known.answered:
            known.answered = True
            yield Line(source="phone", text=f"{known.name} answers")
        if known is not None or call.dialing_at is None:
            return
        person = call.person
        self._calls[call.pk] = _Known(name=person.name)
        kind = _KINDS[CallKind(call.kind)]
        yield Line(source="dialer", text=f"calls {person.name} {mask(call.number)} ({kind})")

    def _talk_began(self, call: Call, known: _Known | None) -> Iterator[Line]:
        if known is not None or call.answered_at is None:
            return
        self._calls[call.pk] = _Known(name=call.who, answered=True)
        source, whom = ("phone", "nobody of a list") if call.rings else ("browser", "nobody")
        yield Line(source=source, text=f"{call.who} talks with Alex; {whom} is called")

    def _said(self) -> Iterator[Line]:
        for word in self._words.read(seconds=0):
            yield from self._word(word)

    def _word(self, word: AnyWord) -> Iterator[Line]:
        name = self._name_of(word.call_id)
        if isinstance(word, TurnWord):
            cut = " —" if word.interrupted else ""
            if word.speaker == "alex":
                yield Line(source="alex", text=f"to {name}: {word.text}{cut}")
            else:
                yield Line(source="person", text=f"{name}: {word.text}{cut}")
        elif isinstance(word, NoteWord):
            yield Line(source="alex", text=f"notes about {name}: {word.text}")

    def _name_of(self, call_id: UUID) -> str:
        if call_id in self._calls:
            return self._calls[call_id].name
        found = Call.objects.filter(pk=call_id).select_related("facilitator").first()
        return found.who if found else "somebody"

    def _ended(self, call: Call) -> Iterator[Line]:
        known = self._calls.get(call.pk)
        if known is None or call.ended_at is None:
            return
        if not known.ended:
            known.ended = True
            source = "phone" if call.rings else "browser"
            yield Line(source=source, text=f"{known.name} {_how_it_ended(call)}")
        if call.settled_at is not None:
            del self._calls[call.pk]
            if not call.is_phone_call:
                return
            self._all_done = False
            self.conversations += call.status == CallStatus.COMPLETED and bool(call.n_turns)
            yield Line(source="next", text=f"{known.name}: {_outcome(call)}{_what_follows(call.person)}")

    def _nobody_is_left(self) -> Iterator[Line]:
        """Say once when nobody is in a call and nobody of a running campaign will be called."""
        if self._all_done or self._calls:
            return
        waiting = Facilitator.objects.filter(
            campaign__state=CampaignState.RUNNING, next_call_at__isnull=False
        )
        if Call.objects.by_phone().filter(settled_at=None).exists() or waiting.exists():
            return
        self._all_done = True
        counts = Facilitator.objects.values_list("standing").annotate(Count("pk")).order_by("standing")
        summary = ", ".join(f"{count} {standing.replace('_', ' ')}" for standing, count in counts)
        unfinished = Facilitator.objects.filter(next_call_at__isnull=False).exists()
        why = "No campaign is running" if unfinished else "Nobody is left to call"
        yield Line(source="next", text=f"{why}: {summary}.")


def _how_it_ended(call: Call) -> str:
    if call.status == CallStatus.COMPLETED:
        return f"is off the line after {call.duration_seconds or 0} s"
    ending = _ENDINGS.get(CallStatus(call.status), call.status)
    # The carrier's codes for "busy" and "no answer" say no more than the words.
    rang = call.status in (CallStatus.BUSY, CallStatus.NO_ANSWER)
    reason = call.failure_reason or ("" if rang or not call.failure_code else f"code {call.failure_code}")
    return f"{ending} ({reason})" if reason else ending


def _outcome(call: Call) -> str:
    said = str(call.get_disposition_display()) if call.disposition else ""
    if call.disposition == Disposition.NO_OUTCOME and call.answered_by in _MACHINES:
        said = f"reached {_MACHINES[call.answered_by]}"
    fault = "our own fault, does not count" if call.our_fault else ""
    return "".join(f"{part.lower()} → " for part in (said, fault) if part)


def _what_follows(person: Facilitator) -> str:
    standing = Standing(person.standing)
    if person.next_call_at is not None:
        verb = "called back" if standing is Standing.CALLBACK_DUE else "tried again"
        return f"{verb} {local(person.next_call_at, person.time_zone)}"
    if standing in (Standing.HELD, Standing.NEEDS_REVIEW):
        return f"waits for an operator: {person.standing_reason}"
    return _CLOSINGS.get(standing, standing.replace("_", " "))


def local(moment: datetime, zone: str) -> str:
    """Return a moment as the person's own clock shows it."""
    there = moment.astimezone(ZoneInfo(zone or "UTC"))
    return f"{there:%a} {there.day} {there:%b %H:%M} {zone or 'UTC'}"
