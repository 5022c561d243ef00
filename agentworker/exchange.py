"""What is said in a call and what follows from it: turns, a "stop", replies, machines, failing models."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from livekit.agents import NOT_GIVEN, ErrorEvent, FunctionToolsExecutedEvent, llm, stt, tts

from agentworker import sentences
from agentworker.actions import CallActions
from agentworker.alex import Alex
from agentworker.answering import MACHINES, judge_words
from agentworker.call_clock import CallClock
from agentworker.ending import Ending
from agentworker.instructions import instructions_for
from agentworker.model_failures import ModelFailures
from agentworker.opening import WordsBeside, is_mere_hello
from agentworker.patience import Patience
from agentworker.reporter import Reporter
from agentworker.session import Models, build_session
from agentworker.spare_voice import SpareVoice
from agentworker.transcript import Transcript
from outreach.domain.contracts import Brief
from outreach.domain.disposition import AnsweredBy, EndedBy
from outreach.domain.stop_phrases import asks_to_stop

JUDGED_TURNS = 6
"""Among how many first turns a person who was not heard at first may turn out to be a machine."""
REMEMBERED_WITHIN = 0.5
"""Seconds that a speech that is over may take to enter the conversation."""


class Exchange:
    """The talking itself. It listens to the line (`Listener`) and to Alex (`alex.Talk`)."""

    def __init__(self, *, brief: Brief, reporter: Reporter, models: Models, audio: bool) -> None:
        self.clock = CallClock(now_at=brief.now_at)
        self.transcript = Transcript(call_id=brief.call_id, clock=self.clock, reporter=reporter)
        self.actions = CallActions(
            brief=brief, clock=self.clock, reporter=reporter, transcript=self.transcript
        )
        self.session = build_session(models, audio=audio)
        self.spare_voice = SpareVoice(models.tts if audio else None)
        self.alex = Alex(instructions=instructions_for(brief), actions=self.actions, talk=self)
        self.patience = Patience(session=self.session, limits=brief.limits, end=self.end)
        loop = asyncio.get_running_loop()
        self.ending: asyncio.Future[Ending] = loop.create_future()
        self.first_words: asyncio.Future[str] = loop.create_future()
        self.answered_by: AnsweredBy | None = None
        self.is_open = False
        self.person_is_gone = False
        self._closing_line = brief.closing_line
        self._audio = audio
        self._failures = ModelFailures()
        self._beside = WordsBeside()
        self._to_answer: list[str] = []
        self._answering: asyncio.Task[None] | None = None
        self.session.on("function_tools_executed", self._tools_used)
        self.session.on("error", self._failed)

    @property
    def has_ended(self) -> bool:
        """Tell whether the call is ending."""
        return self.ending.done()

    @property
    def may_reply(self) -> bool:
        """Tell whether the model answers what is said: not before the opening line, nor to a machine."""
        by_person = self.answered_by not in MACHINES and self.answered_by is not AnsweredBy.SCREENING
        return self.is_open and by_person and not self.has_ended

    def end(self, by: EndedBy, sentence: str = "") -> None:
        """End the call for a reason, with a last `sentence`; the first reason stands."""
        if not self.has_ended:
            self.ending.set_result(Ending(by=by, sentence=sentence))

    async def interrupt(self, *, force: bool = False) -> None:
        """Fall silent. What may not be interrupted refuses, and is let finish."""
        with suppress(RuntimeError):
            await self.session.interrupt(force=force)

    async def say(self, text: str, *, uninterrupted: bool = False) -> None:
        """Say `text` word for word; return when it is over or was interrupted."""
        sound = self.spare_voice.sound_of(text)
        speech = self.session.say(text, audio=sound or NOT_GIVEN, allow_interruptions=not uninterrupted)
        await speech.wait_for_playout()

    async def open(self, line: str) -> None:
        """Say the opening line; from now on the model answers, and knows what was said before."""
        if self._audio:
            await self._open_aloud(line)
            return
        remembered = 0
        while remembered < len(words := self.transcript.unanswered):
            await self.alex.remember("user", words[remembered])
            remembered += 1
        self.transcript.answered()
        self.is_open = True
        await self.say(line)

    def judged(self, who: AnsweredBy) -> None:
        """Take a verdict about who picked up; a machine that nobody converses with ends the call."""
        if who is not self.answered_by:
            self.answered_by = who
            self.actions.answered_by(who)

    # What the line tells.

    def person_speaking(self) -> None:
        """Fall silent when the person begins to speak; a session with ears does that itself."""
        self.patience.person_speaking()
        self.transcript.person_speaking()
        if not self._audio and self.may_reply:
            with suppress(RuntimeError):
                self.session.interrupt()

    def person_quiet(self) -> None:
        """Note that the person stopped speaking."""
        self.patience.person_quiet()

    def person_said(self, text: str) -> None:
        """Number the words, act at once on a "stop", and let the model answer."""
        self._failures.heard()
        self.patience.person_said()
        seq = self.transcript.person_said(text)
        if not self.first_words.done():
            self.first_words.set_result(text)
        if asks_to_stop(text) and self.answered_by not in MACHINES:
            self.actions.opt_out(how="phrase")
            self.opt_out_understood()
        elif self._audio and not self.is_open:
            self._beside.said(text)
        elif self.is_open and not self.has_ended and self._is_person(text, seq) and not self._audio:
            self._to_answer.append(text)
            if self._answering is None or self._answering.done():
                self._answering = asyncio.create_task(self._answer())

    def alex_speaking(self, text: str) -> None:
        """Number and tell a piece of Alex's speech."""
        self.transcript.alex_speaking(text)

    def alex_said(self, text: str, *, interrupted: bool) -> None:
        """End Alex's turn."""
        self.transcript.alex_said(text, interrupted=interrupted)
        self.patience.alex_said()
        if not interrupted:
            self._failures.thought()

    def person_left(self) -> None:
        """End the call: the person hung up."""
        self.person_is_gone = True
        self.end(EndedBy.CALLEE)

    def room_closed(self) -> None:
        """End the call: the line is gone."""
        self.person_is_gone = True
        self.end(EndedBy.ROOM_CLOSED)

    # What Alex tells.

    def opt_out_understood(self) -> None:
        """End the call kindly: this person will not be called again."""
        self.end(EndedBy.OPT_OUT, sentences.OPT_OUT_GOODBYE)

    def wants_to_hang_up(self) -> None:
        """End the call; with the closing line when the person spoke last."""
        self.end(EndedBy.ALEX, "" if self.transcript.alex_spoke_last else self._closing_line)

    def turn_taken(self, text: str) -> None:
        """Note that the session has a turn of the person's, and answers or remembers it."""
        self._beside.taken_up(text)

    async def _open_aloud(self, line: str) -> None:
        """Say the opening line to its end: who calls is heard, whatever a person says at picking up.

        The session takes no turn that comes beside it; what was more than a hello is answered then.
        """
        self.transcript.answered()
        await self.say(line, uninterrupted=True)
        self.is_open = True
        left = await self._beside.left_over()
        for words in left:
            await self.alex.remember("user", words)
        if self.may_reply and not all(is_mere_hello(words) for words in left):
            self.session.generate_reply()

    async def _answer(self) -> None:
        """Let the model answer once it will remember what Alex has just said.

        A reply sees the conversation as it is when it begins, and a speech enters the conversation a moment
        after its last word; a quick answer would otherwise be answered without the question.
        """
        deadline = self.clock.elapsed() + REMEMBERED_WITHIN
        while self._is_finishing_a_speech() and self.clock.elapsed() < deadline:
            await asyncio.sleep(0.005)
        await self.interrupt()
        if self.may_reply and self._to_answer:
            words = " ".join(self._to_answer)
            self._to_answer.clear()
            self.session.generate_reply(user_input=words)

    def _is_finishing_a_speech(self) -> bool:
        return self.session.agent_state == "speaking" and not self.transcript.alex_is_speaking

    def _is_person(self, text: str, seq: int) -> bool:
        """Judge the first turns again: a mailbox may start late, a screened person may come on the line."""
        known = self.answered_by is AnsweredBy.HUMAN
        if known or (seq > JUDGED_TURNS and self.answered_by is not AnsweredBy.SCREENING):
            return True
        who = judge_words(text)
        self.judged(who)
        if who in MACHINES:
            self.end(EndedBy.MACHINE)
        return who is AnsweredBy.HUMAN

    def _tools_used(self, event: FunctionToolsExecutedEvent) -> None:
        for call, output in event.zipped():
            failed = output is None or output.is_error
            self.transcript.tool_used(name=call.name, failed=failed)
            if not failed:
                self.transcript.answered()

    def _failed(self, event: ErrorEvent) -> None:
        """Act on a model that is down: ask once more, then say so kindly and end."""
        error = event.error
        heard = self.is_open or (isinstance(error, tts.TTSError) and not self.spare_voice.is_tried)
        if self.has_ended or not heard or getattr(error, "recoverable", True):
            return
        ended_by = self._failures.count(error)
        if ended_by is not None:
            self.end(ended_by, sentences.APOLOGY)
        elif isinstance(error, llm.LLMError):
            self.session.generate_reply()
        elif isinstance(error, stt.STTError):
            self.session.say(sentences.SORRY_SAY_AGAIN)
