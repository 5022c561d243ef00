"""What a turn of a conversation in text costs beside the framework: our share, and calls per process.

The same model, which answers at once, speaks through the product's conversation and through a bare session of
the framework, turn by turn on both. The difference is ours: hearing, judging, numbering, spooling to disk,
sending words to Redis, speaking in pieces.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from livekit.agents import Agent, llm
from livekit.agents.voice.io import TextOutput

from agentworker.conversation import Conversation
from agentworker.hooks import Answer, Hooks
from agentworker.line import LineJob
from agentworker.reporter import CallReporter
from agentworker.session import Models, build_session
from agentworker.spool import Spool, spool_path
from agentworker.word_stream import WordStream
from agentworker.written_line import WrittenLine
from benchmarks.figures import Figure, Report, main, median
from benchmarks.people import a_running_campaign, add_people
from benchmarks.stage import stage
from outreach.domain.contracts import Brief
from outreach.domain.standing import CallKind
from outreach.models import Call, Facilitator
from outreach.services import clock
from outreach.services.briefing import brief_for

TURNS = 15
CONVERSATIONS = 8
#: Calls of six turns, several at once, in one process.
AT_ONCE, SHORT_TURNS, SHORT_CALLS = 4, 6, 24
#: Seconds that a person thinks: longer than anything that is still going on from the turn before.
THINKS = 0.03
PATIENCE = 20.0
QUESTION = "And how much of my time would that take in a usual week, if I may ask?"
REPLY = (
    "That depends on you. Most people give an hour or two, whenever it suits them, and you may stop at any "
    "time. Would you like to hear how the first weeks usually go?"
)


def measure(report: Report) -> None:
    """Hold conversations by turns with and without the product; then as many calls as one process can."""
    with stage() as running:
        brief = _brief()
        result = asyncio.run(_hold(brief, running.directory / "spool"))
    share = median([ours - bare for ours, bare in zip(result.ours, result.bare, strict=True)])
    report.figures += [
        Figure(name="our share of a turn", value=share * 1000, unit="ms", at_most=5),
        Figure(name="a turn with the product", value=median(result.ours) * 1000, unit="ms"),
        Figure(name="a turn with the framework alone", value=median(result.bare) * 1000, unit="ms"),
        Figure(name=f"calls of {SHORT_TURNS} turns in one process", value=result.calls_a_minute, unit="/min"),
        Figure(name="processor time of one such call", value=result.cpu_a_call * 1000, unit="ms"),
    ]
    report.remarks.append(f"{CONVERSATIONS} conversations of {TURNS} turns each; the model answers at once.")


@dataclass
class _Result:
    """Seconds of each turn, both sides in the same order, and what one process can hold."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    calls_a_minute: float = 0.0
    cpu_a_call: float = 0.0


async def _hold(brief: Brief, spool: Path) -> _Result:
    result = _Result()
    await _with_the_product(brief, spool, turns=2)  # imports and connections
    for _ in range(CONVERSATIONS):
        result.ours += await _with_the_product(brief, spool, turns=TURNS)
        result.bare += await _with_the_framework(brief, turns=TURNS)
    left = iter(range(SHORT_CALLS))

    async def be_a_place() -> None:
        for _ in left:
            await _with_the_product(brief, spool, turns=SHORT_TURNS, thinks=0.0)

    began, spent = time.perf_counter(), time.process_time()
    await asyncio.gather(*(be_a_place() for _ in range(AT_ONCE)))
    result.calls_a_minute = SHORT_CALLS / (time.perf_counter() - began) * 60
    result.cpu_a_call = (time.process_time() - spent) / SHORT_CALLS
    return result


async def _with_the_product(
    brief: Brief, directory: Path, *, turns: int, thinks: float = THINKS
) -> list[float]:
    """Hold one call as a job of the agent worker does; return the seconds of each turn."""
    brief = brief.model_copy(update={"call_id": uuid4()})
    reporter = CallReporter(
        call_id=brief.call_id,
        worker_id="benchmark",
        job_id="job",
        hooks=cast("Hooks", _Hooks()),
        stream=WordStream(url=os.environ["REDIS_URL"]),
        spool=Spool(spool_path(directory, call_id=brief.call_id, job_id="job")),
    )
    line = _Line(turns=turns, thinks=thinks)
    talk = Conversation(brief=brief, line=line, reporter=reporter, models=Models(llm=_AtOnce()))
    await asyncio.wait_for(talk.run(), PATIENCE)
    await reporter.finish(within=2)
    if len(line.took) != turns:
        raise RuntimeError(f"{len(line.took)} turns were held instead of {turns}")
    return line.took


async def _with_the_framework(brief: Brief, *, turns: int) -> list[float]:
    """Hold the same turns with a bare agent; return the seconds of each."""
    session = build_session(Models(llm=_AtOnce()), audio=False)
    mouth = _Mouth()
    session.output.transcription = mouth
    await session.start(Agent(instructions=brief.instructions), record=False)
    took = []
    for _ in range(turns):
        await asyncio.sleep(THINKS)
        mouth.over.clear()
        began = time.perf_counter()
        session.generate_reply(user_input=QUESTION)
        await asyncio.wait_for(mouth.over.wait(), PATIENCE)
        took.append(time.perf_counter() - began)
    await session.aclose()
    return took


class _AtOnce(llm.LLM):
    """A model that answers every time with the same words, at once."""

    def chat(self, *, chat_ctx: llm.ChatContext, conn_options: Any = None, **_: Any) -> llm.LLMStream:
        """Answer."""
        return _Words(self, chat_ctx=chat_ctx, tools=[], conn_options=conn_options)


class _Words(llm.LLMStream):
    async def _run(self) -> None:
        for word in REPLY.split(" "):
            delta = llm.ChoiceDelta(role="assistant", content=word + " ")
            self._event_ch.send_nowait(llm.ChatChunk(id="reply", delta=delta))


class _Mouth(TextOutput):
    """Takes what a bare session says."""

    def __init__(self) -> None:
        super().__init__(label="bare", next_in_chain=None)
        self.over = asyncio.Event()

    async def capture_text(self, text: str) -> None:
        """Hear nothing in particular."""

    def flush(self) -> None:
        """Note that an utterance is over."""
        self.over.set()


class _Line(WrittenLine):
    """A person who asks the same question after each utterance, and hangs up after the last."""

    seconds_a_piece = 0.0

    def __init__(self, *, turns: int, thinks: float) -> None:
        super().__init__(LineJob(room="benchmark"))
        self._turns, self._thinks = turns, thinks
        self._heard = asyncio.Event()
        self._person: asyncio.Task[None] | None = None
        self.took: list[float] = []

    async def connect(self) -> None:
        """Let the person pick up."""
        self._person = asyncio.create_task(self._talk())

    def deliver(self, *, utterance: int, text: str) -> bool:
        """Take a piece."""
        del utterance, text
        return True

    def delivered(self, *, utterance: int, text: str, interrupted: bool) -> None:
        """Let the person know that it is their turn."""
        del utterance, text, interrupted
        self._heard.set()

    async def hang_up(self) -> None:
        """End the call."""
        await self.leave()

    async def leave(self) -> None:
        """Go."""
        if self._person is not None:
            self._person.cancel()

    async def _talk(self) -> None:
        self.person_joined()
        await asyncio.sleep(0.01)
        self.listener.person_said("Hello?")
        await self._heard.wait()  # the opening line
        for _ in range(self._turns):
            await asyncio.sleep(self._thinks)
            self._heard.clear()
            began = time.perf_counter()
            self.listener.person_said(QUESTION)
            await self._heard.wait()
            self.took.append(time.perf_counter() - began)
        self.listener.person_left()


class _Hooks:
    """The product's answer to facts; none is part of a turn."""

    async def post_fact(self, **_: object) -> Answer:
        """Take every fact."""
        return Answer.TAKEN

    async def aclose(self) -> None:
        """Close nothing."""


def _brief() -> Brief:
    """Return the brief of a first call of the sample campaign, as `prepare_call` makes it."""
    campaign = a_running_campaign(calls_per_second=1, max_open_calls=1)
    add_people(campaign, first=1, last=1)
    person = Facilitator.objects.get()
    now: datetime = clock.now()
    call = Call.objects.create(
        facilitator=person,
        campaign=campaign,
        script_id=campaign.script_id,
        number=person.number,
        caller_id=campaign.caller_ids[0],
        kind=CallKind.FIRST.value,
        queued_at=now,
    )
    return brief_for(call, now=now)


if __name__ == "__main__":
    sys.exit(main("talk", measure, description=__doc__))
