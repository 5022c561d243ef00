"""The turns of one call: numbered in order of being spoken, told while and after they are spoken."""

from __future__ import annotations

from uuid import UUID

from agentworker.call_clock import CallClock
from agentworker.reporter import Reporter
from outreach.domain.contracts import NoteWord, PartialWord, Stage, StageWord, ToolWord, TurnWord


class Transcript:
    """Numbers turns 1..n over both speakers, without gaps.

    A turn of Alex's takes its number when its first piece reaches the line, and ends when the line says
    so; a turn of the person's is there at once. What was never spoken has no number.
    """

    def __init__(self, *, call_id: UUID, clock: CallClock, reporter: Reporter) -> None:
        self._call_id = call_id
        self._clock = clock
        self._reporter = reporter
        self._alex: int | None = None
        self._alex_text = ""
        self.stage: Stage = "opening"
        self.n_turns = 0
        self.n_notes = 0
        self.last_person_turn: int | None = None
        self.alex_spoke_last = False
        self.unanswered: list[str] = []
        """What the person said since Alex last finished a turn or used a tool."""

    @property
    def alex_is_speaking(self) -> bool:
        """Tell whether a turn of Alex's is under way."""
        return self._alex is not None

    def person_speaking(self) -> None:
        """Tell that the person has begun to speak."""
        self._reporter.word(PartialWord(call_id=self._call_id, at=self._clock.now(), speaker="person"))

    def person_said(self, text: str) -> int:
        """Number what the person said; return the number."""
        self.n_turns += 1
        self.last_person_turn = self.n_turns
        self.alex_spoke_last = False
        self.unanswered.append(text)
        self._turn(seq=self.n_turns, speaker="person", text=text, interrupted=False)
        return self.n_turns

    def alex_speaking(self, text: str) -> None:
        """Take a piece of Alex's speech that reached the line."""
        if self._alex is None:
            self.n_turns += 1
            self._alex, self._alex_text = self.n_turns, ""
        self._alex_text += text
        now = self._clock.now()
        self._reporter.alex_piece(seq=self._alex, text=text, stage=self.stage, at=now)
        self._reporter.word(PartialWord(call_id=self._call_id, at=now, speaker="alex", text=self._alex_text))

    def alex_said(self, text: str, *, interrupted: bool) -> None:
        """End Alex's turn with the text that was really spoken."""
        if self._alex is None:
            return
        seq, self._alex = self._alex, None
        self._turn(seq=seq, speaker="alex", text=text.strip(), interrupted=interrupted)
        if not interrupted:
            self.alex_spoke_last = True
            self.answered()

    def answered(self) -> None:
        """Note that what the person said has had its effect."""
        self.unanswered.clear()

    def close(self) -> None:
        """End a turn of Alex's that the line left open."""
        self.alex_said(self._alex_text, interrupted=True)

    def note(self, text: str) -> int:
        """Number a note; return the number."""
        self.n_notes += 1
        self._reporter.word(
            NoteWord(
                call_id=self._call_id,
                at=self._clock.now(),
                seq=self.n_notes,
                text=text,
                turn_seq=self.last_person_turn,
            )
        )
        return self.n_notes

    def move_to(self, stage: Stage) -> None:
        """Tell that the conversation moved on; the same stage again is no news."""
        if stage != self.stage:
            self.stage = stage
            self._reporter.word(StageWord(call_id=self._call_id, at=self._clock.now(), stage=stage))

    def tool_used(self, *, name: str, failed: bool) -> None:
        """Tell that Alex used a tool."""
        self._reporter.word(ToolWord(call_id=self._call_id, at=self._clock.now(), name=name, failed=failed))

    def _turn(self, *, seq: int, speaker: str, text: str, interrupted: bool) -> None:
        self._reporter.word(
            TurnWord(
                call_id=self._call_id,
                at=self._clock.now(),
                seq=seq,
                speaker="alex" if speaker == "alex" else "person",
                text=text,
                stage=self.stage,
                interrupted=interrupted,
            )
        )
