"""One call from end to end, written against the line: be ready, wait, open, talk, end with a reason."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from agentworker.answering import MACHINES
from agentworker.ending import Ending, report_end
from agentworker.exchange import Exchange
from agentworker.last_words import act_on_last_words
from agentworker.line import Line, LineUnavailable
from agentworker.reporter import Permission, Reporter
from agentworker.session import Models
from agentworker.usage import usage_of
from outreach.domain.contracts import Brief
from outreach.domain.disposition import AnsweredBy, Disposition, EndedBy

logger = logging.getLogger(__name__)
T = TypeVar("T")

_NOTHING_TO_SAY = frozenset({EndedBy.ROOM_CLOSED, EndedBy.NOBODY_CAME, EndedBy.WORKER_STOPPED})


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The waits of a conversation that are not in its brief, in seconds."""

    ready_every: float = 2.0
    """Between two `ready`; the dial wants one that is less than five seconds old."""
    ready_retry: float = 0.2
    ready_within: float = 6.0
    """In which the product must have answered the first `ready`."""
    farewell_within: float = 10.0
    """That a last sentence may take before the line is cut."""


class Conversation:
    """Holds one call. `run` returns when it is over and its end is reported."""

    def __init__(
        self, *, brief: Brief, line: Line, reporter: Reporter, models: Models, pace: Pace | None = None
    ) -> None:
        self._brief = brief
        self._line = line
        self._reporter = reporter
        self._models = models
        self._pace = pace or Pace()
        self._talk = Exchange(brief=brief, reporter=reporter, models=models, audio=line.has_audio)

    async def run(self) -> bool:
        """Hold the call; return whether it was ours to hold (false: told to leave, or no line)."""
        talk = self._talk
        try:
            await self._open_line()
            if not await self._stay_until_person_joins():
                await self._line.leave()
                return False
            if not talk.has_ended:
                await self._hold()
            await self._close()
        except LineUnavailable as exc:
            logger.warning("the line is not there", extra={"reason": str(exc)})
            return False
        except BaseException:
            talk.end(EndedBy.WORKER_STOPPED)
            await asyncio.shield(self._close())
            raise
        finally:
            await talk.session.aclose()
        return True

    async def _open_line(self) -> None:
        """Open the line and try the voice: nobody's phone rings for an Alex who could only be silent."""
        talk = self._talk
        trying = asyncio.create_task(talk.spare_voice.prepare())
        try:
            await self._line.open(session=talk.session, agent=talk.alex, listener=talk)
            if not await trying:
                talk.end(EndedBy.TTS_FAILURE)
        finally:
            trying.cancel()

    async def _stay_until_person_joins(self) -> bool:
        """Repeat `ready` until the person is there; return false when told to leave."""
        joined = asyncio.create_task(self._line.wait_for_person())
        talk, clock = self._talk, self._talk.clock
        accepted = False
        try:
            while not joined.done() and not talk.has_ended:
                answer = await self._reporter.ready(at=clock.now())
                accepted = accepted or answer is Permission.STAY
                too_late = not accepted and clock.elapsed() > self._pace.ready_within
                if answer is Permission.LEAVE or too_late:
                    return False
                pause = self._pace.ready_every if accepted else self._pace.ready_retry
                events: set[asyncio.Future[Any]] = {joined, talk.ending}
                await asyncio.wait(events, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                if not joined.done() and clock.elapsed() > self._brief.limits.join_timeout:
                    talk.end(EndedBy.NOBODY_CAME)
            return True
        finally:
            joined.cancel()

    async def _hold(self) -> None:
        talk = self._talk
        length = asyncio.create_task(talk.patience.watch_length(goodbye=self._brief.closing_line))
        silence: asyncio.Task[None] | None = None
        try:
            await self._greet()
            if not talk.has_ended:
                silence = asyncio.create_task(talk.patience.watch_silence())
            # Shielded: cancelling this task must not cancel the reason that it is about to be given.
            await asyncio.shield(talk.ending)
        finally:
            length.cancel()
            if silence is not None:
                silence.cancel()

    async def _greet(self) -> None:
        """Find out who picked up and say the opening line, beside it where the line wants it so.

        A screening service talks over what it did not wait for, so it hears the opening line again.
        """
        talk, opening = self._talk, self._brief.opening_line
        if self._line.greets_at_once:
            judging = asyncio.create_task(self._find_out_who_answered())
            try:
                await self._unless_ended(talk.open(opening))
                await judging
            finally:
                judging.cancel()
            if talk.answered_by is not AnsweredBy.SCREENING:
                return
        else:
            await self._find_out_who_answered()
        if not talk.has_ended:
            await self._unless_ended(talk.open(opening))

    async def _find_out_who_answered(self) -> None:
        talk = self._talk
        who = await self._unless_ended(
            self._line.who_answered(session=talk.session, first_words=talk.first_words)
        )
        if who is None:
            return
        talk.judged(who)
        if (
            who is AnsweredBy.VOICEMAIL
            and self._brief.voicemail_line
            and not self._brief.hang_up_on_voicemail
        ):
            await self._unless_ended(self._leave_message())
        if who in MACHINES:
            talk.end(EndedBy.MACHINE)

    async def _leave_message(self) -> None:
        await self._talk.patience.until_greeting_is_over()
        await self._talk.say(self._brief.voicemail_line, uninterrupted=True)
        self._talk.actions.record_outcome(Disposition.LEFT_VOICEMAIL)

    async def _unless_ended(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return what `work` returns, or None when the call ends first."""
        task = asyncio.create_task(work)
        try:
            events: set[asyncio.Future[Any]] = {task, self._talk.ending}
            await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _close(self) -> None:
        """Say the last sentence, hang up, hear out the line, understand the last words, report the end."""
        talk = self._talk
        ending = talk.ending.result()
        if not talk.person_is_gone:
            with suppress(TimeoutError, RuntimeError):
                await asyncio.wait_for(self._farewell(ending), self._pace.farewell_within)
        await talk.interrupt(force=True)
        await self._line.hang_up()
        talk.transcript.close()
        await self._hear_last_words()
        report_end(
            ending=ending,
            answered_by=talk.answered_by,
            transcript=talk.transcript,
            actions=talk.actions,
            clock=talk.clock,
            usage=usage_of(talk.session.usage),
            reporter=self._reporter,
        )

    async def _farewell(self, ending: Ending) -> None:
        if ending.by in _NOTHING_TO_SAY:
            return
        if ending.sentence:
            await self._talk.interrupt(force=True)
            await self._talk.say(ending.sentence, uninterrupted=True)
        elif (speech := self._talk.session.current_speech) is not None:
            await speech.wait_for_playout()

    async def _hear_last_words(self) -> None:
        talk = self._talk
        words = list(talk.transcript.unanswered)
        machine = talk.answered_by in MACHINES or talk.answered_by is AnsweredBy.SCREENING
        if not words or machine or talk.actions.opted_out:
            return
        used = await act_on_last_words(
            model=self._models.llm,
            context=talk.alex.chat_ctx,
            words=words,
            tools=talk.alex.tools,
            actions=talk.actions,
        )
        for name in used:
            talk.transcript.tool_used(name=name, failed=False)
