"""Following one call on a terminal: its way, every word as it is spoken, how it ends, what follows."""

from __future__ import annotations

import time
from datetime import datetime
from uuid import UUID

from django.core.management.base import CommandError
from rich.status import Status
from rich.text import Text

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import AnyWord, NoteWord, PartialWord, StageWord, TurnWord
from outreach.domain.disposition import AnsweredBy
from outreach.integrations import livekit, twilio
from outreach.management.operating import Desk, plain
from outreach.management.word_feed import WordFeed
from outreach.management.wording import ANSWERERS, ending_of, in_words, span, what_follows
from outreach.models import Call, Note, TranscriptState, Turn
from outreach.services import clock, dialing

LISTEN_SECONDS = 0.3
LOOK_EVERY = 0.5
#: How long the recorder may lag behind a call that is settled, in seconds.
RECORDER_PATIENCE = 5.0
#: A call that nobody prepares for this long wants an explanation, in seconds.
QUEUE_PATIENCE = 8.0

#: The moments on a call's row, in the order of its way, and what each means.
_STEPS = {
    "preparing_at": "Alex is sent into the room",
    "ready_at": "Alex is in the room and ready",
    "dialing_at": "Dialled",
    "ringing_at": "It rings",
    "answered_at": "Answered",
    "hangup_at": "We asked the carrier to hang up",
}
_STANDS = {
    CallStatus.QUEUED: "waiting for a worker to prepare the call",
    CallStatus.PREPARING: "waiting for Alex",
    CallStatus.DIALING: "waiting for the carrier",
    CallStatus.UNKNOWN: "the carrier did not say whether it took the call; being looked into",
    CallStatus.RINGING: "ringing",
    CallStatus.IN_PROGRESS: "in conversation",
}
_STYLES = {"alex": "green", "person": "yellow"}


class Follower:
    """Shows one call until it is settled or the operator stops watching."""

    def __init__(self, *, call_id: UUID, desk: Desk, feed: WordFeed) -> None:
        """Follow `call_id`; `feed` was opened before the call was claimed, so that no word is missed."""
        self._call_id = call_id
        self._desk = desk
        self._feed = feed
        self._steps: set[str] = set()
        self._turns: set[int] = set()
        self._notes: set[int] = set()
        self._speaking: PartialWord | None = None
        self._unsaid: list[tuple[datetime, Text]] = []
        self._name = plain(Call.objects.values_list("facilitator__name", flat=True).get(pk=call_id))

    def follow(self) -> bool:
        """Show everything; return whether the end was seen. Ctrl-C asks what is meant by it."""
        while True:
            try:
                with self._desk.console.status("") as status:
                    call = self._until_settled(status)
            except KeyboardInterrupt:
                if not self._go_on():
                    return False
                continue
            self._show_ending(call)
            return True

    def _until_settled(self, status: Status) -> Call:
        looked = 0.0
        began = time.monotonic()
        settled_at: float | None = None
        while True:
            heard = [
                word for word in self._feed.read(seconds=LISTEN_SECONDS) if word.call_id == self._call_id
            ]
            for word in heard:
                self._show_word(word)
            # What the network did is asked for with every word, or "hello" would come before "answered".
            if not heard and time.monotonic() - looked < LOOK_EVERY and settled_at is None:
                continue
            looked = time.monotonic()
            call = Call.objects.select_related("facilitator").get(pk=self._call_id)
            self._show_steps(call)
            self._show_stored()
            self._flush()
            if call.settled_at is not None:
                settled_at = settled_at or time.monotonic()
                if _is_recorded(call) or time.monotonic() - settled_at > RECORDER_PATIENCE:
                    return call
            status.update(self._stands(call, waited=time.monotonic() - began))

    def _stands(self, call: Call, *, waited: float) -> Text:
        line = Text(_STANDS.get(CallStatus(call.status), "settling"))
        if call.stage:
            line.append(f" · {call.stage}")
        if call.answered_at is not None and call.ended_at is None:
            line.append(f" · {span((clock.now() - call.answered_at).total_seconds())}")
        if call.status == CallStatus.QUEUED.value and waited > QUEUE_PATIENCE:
            line.append(" · is a Celery worker running? (make up starts everything)", style="yellow")
        if self._feed.is_away:
            line.append(" · Redis is away: words come late", style="yellow")
        if self._speaking is not None:
            line.append(f"\n  {self._speaker(self._speaking.speaker)}: ", style="dim")
            line.append(plain(self._speaking.text) or "speaking…", style="italic dim")
        return line

    def _show_steps(self, call: Call) -> None:
        for field, sentence in _STEPS.items():
            at = getattr(call, field)
            if at is not None and field not in self._steps:
                self._steps.add(field)
                self._line(at, "call", sentence, "cyan")
        if call.answered_by and "answered_by" not in self._steps:
            self._steps.add("answered_by")
            answerer = ANSWERERS[AnsweredBy(call.answered_by)]
            self._line(call.answered_at or clock.now(), "call", f"Alex speaks with {answerer}", "cyan")
        if call.ended_at is not None and "ended_at" not in self._steps:
            self._steps.add("ended_at")
            self._line(call.ended_at, "call", ending_of(call), "cyan")

    def _show_word(self, word: AnyWord) -> None:
        if isinstance(word, TurnWord):
            self._show_turn(word.seq, word.at, word.speaker, word.text, interrupted=word.interrupted)
        elif isinstance(word, NoteWord):
            self._show_note(word.seq, word.at, word.text)
        elif isinstance(word, PartialWord):
            self._speaking = word
        elif isinstance(word, StageWord):
            self._line(word.at, "stage", word.stage, "dim")

    def _show_stored(self) -> None:
        """Show what the database has and the stream did not bring."""
        stored = Turn.objects.filter(call_id=self._call_id).exclude(seq__in=self._turns).order_by("seq")
        for turn in stored:
            self._show_turn(turn.seq, turn.said_at, turn.speaker, turn.text, interrupted=turn.interrupted)
        noted = Note.objects.filter(call_id=self._call_id).exclude(seq__in=self._notes).order_by("seq")
        for note in noted:
            self._show_note(note.seq, note.noted_at, note.text)

    def _show_turn(self, seq: int, at: datetime, speaker: str, text: str, *, interrupted: bool) -> None:
        if seq in self._turns:
            return
        self._turns.add(seq)
        if self._speaking is not None and self._speaking.speaker == speaker:
            self._speaking = None
        self._line(at, self._speaker(speaker), text + (" —" if interrupted else ""), _STYLES[speaker])

    def _show_note(self, seq: int, at: datetime, text: str) -> None:
        if seq not in self._notes:
            self._notes.add(seq)
            self._line(at, "note", text, "magenta")

    def _speaker(self, speaker: str) -> str:
        return "Alex" if speaker == "alex" else self._name

    def _line(self, at: datetime, source: str, text: str, style: str) -> None:
        line = Text(f"{at:%H:%M:%S}  ", style="dim")
        line.append(f"{source}: " if source not in ("call", "stage", "note") else f"[{source}] ", style=style)
        line.append(plain(text), style="" if source == "call" else style)
        self._unsaid.append((at, line))

    def _flush(self) -> None:
        """Print what is new in the order in which it happened."""
        for _, line in sorted(self._unsaid, key=lambda unsaid: unsaid[0]):
            self._desk.write(line)
        self._unsaid.clear()

    def _show_ending(self, call: Call) -> None:
        person = call.person
        person.refresh_from_db()
        ending = Text("\n")
        ending.append(f"{in_words(call.disposition or call.status).capitalize()}. ", style="bold")
        ending.append(f"{self._name} is now {in_words(person.standing)}. {plain(what_follows(person))}")
        if call.our_fault:
            ending.append("\nThis call failed by our own fault: it costs them no attempt.", style="yellow")
        if call.transcript == TranscriptState.INCOMPLETE:
            ending.append("\nThe transcript is incomplete: turns are missing.", style="red")
        self._desk.write(ending)

    def _go_on(self) -> bool:
        """Ask what Ctrl-C means; return whether to watch on."""
        choices = {"h": "hang up", "s": "stop watching", "w": "watch on"}
        try:
            answer = self._desk.choose("The call goes on.", choices, default="w")
        except (KeyboardInterrupt, CommandError):
            answer = "s"
        if answer == "h":
            dialing.hang_up(
                call_id=self._call_id,
                telephony=twilio.telephony(),
                rooms=livekit.rooms(),
                by_operator=True,
            )
        if answer == "s":
            self._desk.say(f"The call goes on without you: {self._call_id}")
        return answer != "s"


def _is_recorded(call: Call) -> bool:
    """Tell whether nothing more is to come: no conversation, or all of it is stored."""
    return call.answered_at is None or call.transcript != TranscriptState.OPEN or not call.n_turns
