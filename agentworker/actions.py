"""What Alex can do in a call, apart from talking: each action is a fact, a note or a stage.

The tools of the language model, the phrase list and the pass over the last words all end here, so that
what is recorded does not depend on who understood it.
"""

from __future__ import annotations

from typing import Literal, get_args
from uuid import uuid4
from zoneinfo import ZoneInfo

from agentworker.call_clock import CallClock
from agentworker.callback_times import Agreed, Refused, check_time, next_times
from agentworker.reporter import Reporter
from agentworker.transcript import Transcript
from outreach.domain.contracts import AnsweredFact, Brief, CallbackAgreed, OptOut, Outcome, Stage
from outreach.domain.disposition import AnsweredBy, Disposition

HowOptedOut = Literal["phrase", "tool", "last_words"]
_REASON_LIMIT = 300


class ImpossibleAction(Exception):
    """The action cannot be taken as asked; the message is for the language model."""


class CallActions:
    """Records what the conversation achieves."""

    def __init__(self, *, brief: Brief, clock: CallClock, reporter: Reporter, transcript: Transcript) -> None:
        self._brief = brief
        self._clock = clock
        self._reporter = reporter
        self._transcript = transcript
        self._zone = ZoneInfo(brief.person.time_zone)
        self.opted_out = False
        self.achieved: Disposition | None = None
        """The last thing that was achieved; the product decides which of several stands."""
        self.count = 0
        """How many actions had an effect on who is called."""

    def take_note(self, *, text: str) -> str:
        """Keep a note."""
        self._transcript.note(_required(text, "text"))
        return "Noted. Do not mention the note."

    def next_stage(self, *, stage: Stage) -> str:
        """Move the conversation on.

        :raises ImpossibleAction: when there is no such stage.
        """
        if stage not in get_args(Stage):
            raise ImpossibleAction(f"There is no such stage. Stages: {', '.join(get_args(Stage))}.")
        self._transcript.move_to(stage)
        return f"You are in the stage {stage} now. Go on."

    def agree_callback(self, *, when: str, reason: str, by: Literal["alex", "human"]) -> str:
        """Promise a call at the person's local time `when`; return how to read it back.

        :raises ImpossibleAction: when that time is past, closed or not a time; names the next possible ones.
        """
        checked = check_time(
            when,
            now=self._clock.now(),
            zone=self._zone,
            hours=self._brief.callback_hours,
            closed=self._brief.closed_dates,
        )
        if isinstance(checked, Refused):
            raise ImpossibleAction(f"Not agreed. {checked.reason} Ask the person for another time.")
        self._promise(checked, reason=reason, by=by)
        who = "A colleague will call" if by == "human" else "You will call"
        return (
            f"Agreed. {who} back on {checked.spoken}. Read exactly this time back to the person "
            "and ask whether it is right. If it is, say goodbye and end the call."
        )

    def ask_for_human(self, *, reason: str, when: str) -> str:
        """Promise that a person calls back; without a time, at the next opening.

        :raises ImpossibleAction: when the time that was named is not possible.
        """
        if when.strip():
            return self.agree_callback(when=when, reason=reason, by="human")
        opening = next_opening(brief=self._brief, clock=self._clock, zone=self._zone)
        self._promise(opening, reason=reason, by="human")
        return (
            f"Recorded: a colleague, a human, will call back from {opening.spoken} on. Say so. "
            "If the person names a better time, use this tool again with it. "
            "Then say goodbye and end the call."
        )

    def _promise(self, agreed: Agreed, *, reason: str, by: Literal["alex", "human"]) -> None:
        self._reporter.fact(
            CallbackAgreed(
                fact_id=uuid4(),
                at=self._clock.now(),
                promised_at=agreed.at,
                by=by,
                reason=reason[:_REASON_LIMIT],
                evidence_seq=self._transcript.last_person_turn,
            )
        )
        self.achieved = Disposition.CALLBACK_REQUESTED
        self.count += 1

    def record_outcome(self, disposition: Disposition, *, reason: str = "") -> None:
        """Record what the conversation achieved so far."""
        self._reporter.fact(
            Outcome(
                fact_id=uuid4(),
                at=self._clock.now(),
                disposition=disposition,
                reason=reason[:_REASON_LIMIT],
                evidence_seq=self._transcript.last_person_turn,
            )
        )
        self.achieved = disposition
        self.count += 1

    def opt_out(self, *, how: HowOptedOut) -> None:
        """Record at once that this person must never be called again; a second time is no news."""
        if self.opted_out:
            return
        self.opted_out = True
        self._reporter.fact(
            OptOut(
                fact_id=uuid4(),
                at=self._clock.now(),
                how=how,
                evidence_seq=self._transcript.last_person_turn,
            )
        )
        self.achieved = Disposition.DO_NOT_CALL
        self.count += 1

    def answered_by(self, who: AnsweredBy) -> None:
        """Record who picked up."""
        self._reporter.fact(AnsweredFact(fact_id=uuid4(), at=self._clock.now(), answered_by=who))


def next_opening(*, brief: Brief, clock: CallClock, zone: ZoneInfo) -> Agreed:
    """Return the next time at which a callback is possible.

    :raises ImpossibleAction: when there is none in the coming weeks.
    """
    now = clock.now()
    times = next_times(now=now, zone=zone, hours=brief.callback_hours, closed=brief.closed_dates, count=1)
    if not times:
        raise ImpossibleAction("There is no time for a callback. Say that we will write instead.")
    checked = check_time(
        times[0].isoformat(), now=now, zone=zone, hours=brief.callback_hours, closed=brief.closed_dates
    )
    if isinstance(checked, Refused):
        raise ImpossibleAction(checked.reason)
    return checked


def _required(text: str, name: str) -> str:
    if not text.strip():
        raise ImpossibleAction(f"{name} must not be empty.")
    return text.strip()
