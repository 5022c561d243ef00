"""Calls that once happened, played again: the person says their lines, Alex answers as he does today."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from livekit.plugins import groq

from agentworker.conversation import Conversation
from agentworker.session import Models
from outreach.domain import defaults
from outreach.domain.contracts import Brief, CallbackAgreed, Interval, Limits, OptOut, Outcome, Person
from outreach.domain.disposition import Disposition, EndedBy, stronger
from outreach.domain.script import parse_script, render
from outreach.services.scripts import SEED
from tests.agent_kit import QUICK, Callee, MemoryLine, MemoryReporter, a_brief

FILES = sorted((Path(__file__).parent / "scenarios").glob("*.json"))
KEY = "gsk_of_scenarios"
VERSION = 1
#: How long a second utterance of Alex is waited for where there was one in the call.
SECOND_UTTERANCE_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Step:
    """What the person does after Alex has spoken so many times: speaks, or (without lines) leaves."""

    alex_spoke: int
    interrupts: bool
    lines: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One file."""

    content: Mapping[str, Any]

    @property
    def expected(self) -> Disposition:
        """What must come of it."""
        return Disposition(self.content["expected"]["disposition"])

    @property
    def answered_by(self) -> str:
        """Who picked up."""
        return str(self.content["expected"]["answered_by"])

    def steps(self) -> list[Step]:
        """Return the person's lines, each run of them after the run of Alex's that came before."""
        steps: list[Step] = []
        spoke, cut_off, lines = 0, False, []
        for turn in self.content["turns"]:
            if turn["speaker"] == "person":
                lines.append(turn["text"])
                continue
            if lines:
                steps.append(Step(alex_spoke=spoke, interrupts=cut_off, lines=lines))
                spoke, lines = 0, []
            spoke, cut_off = spoke + 1, turn.get("interrupted", False)
        return [*steps, Step(alex_spoke=spoke, interrupts=cut_off, lines=lines)]

    def brief(self) -> Brief:
        """Return what Alex is told: the script that ships, for whoever stands in for the person."""
        script, person, campaign = (
            parse_script(SEED.read_text(encoding="utf-8")),
            self.content["person"],
            self.content["campaign"],
        )
        now = datetime.fromisoformat(self.content["now_at"])
        local = now.astimezone(ZoneInfo(person["time_zone"]))
        values = {
            **campaign,
            "person_name": person["name"],
            "organisation": person["organisation"],
            "language": person["language"],
            "now_local": f"{local:%A %d %B %Y, %H:%M}",
            "time_zone": person["time_zone"],
            **{f"extra.{key}": value for key, value in person["extra"].items()},
        }
        return a_brief(
            now_at=now,
            opening=self.content["opening"],
            instructions=render(script.instructions, values),
            opening_line=render(script.openings[self.content["opening"]], values),
            closing_line=render(script.closing_line, values),
            company=campaign["company"],
            person=Person(**person),
            callback_hours=[Interval(weekday=day, opens="09:00", closes="20:00") for day in range(7)],
            limits=Limits(join_timeout=1.0, max_duration=30.0, closing_at=25.0, silence=0.5),
        )


def load(path: Path) -> Scenario:
    """Read a file that the desk made of a call."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["scenario"] != VERSION:
        raise ValueError(
            f"{path.name} is of version {content['scenario']}: make it anew from the call's page"
        )
    return Scenario(content=content)


async def play(scenario: Scenario, *, groq_url: str) -> MemoryReporter:
    """Let the person say their lines to Alex; return what he reported."""
    reporter = MemoryReporter()
    models = Models(llm=groq.LLM(model=defaults.LLM_MODEL, base_url=groq_url, api_key=KEY))
    line = MemoryLine(lambda callee: _speak(callee, scenario))
    talk = Conversation(brief=scenario.brief(), line=line, reporter=reporter, models=models, pace=QUICK)
    try:
        await asyncio.wait_for(talk.run(), 20)
    finally:
        await models.llm.aclose()
    return reporter


def disposition_of(reporter: MemoryReporter) -> Disposition:
    """Return what the reported facts come to, as the product settles them."""
    achieved: Disposition | None = None
    for fact in reporter.facts:
        if isinstance(fact, OptOut):
            achieved = stronger(achieved, Disposition.DO_NOT_CALL)
        elif isinstance(fact, CallbackAgreed):
            achieved = stronger(achieved, Disposition.CALLBACK_REQUESTED)
        elif isinstance(fact, Outcome):
            achieved = stronger(achieved, fact.disposition)
    hung_up = reporter.end.ended_by is EndedBy.CALLEE
    return achieved or (Disposition.HUNG_UP if hung_up else Disposition.NO_OUTCOME)


async def _speak(callee: Callee, scenario: Scenario) -> None:
    callee.join()
    for step in scenario.steps():
        await _listen(callee, step)
        for text in step.lines:
            callee.say(text)
    if scenario.content["ended_by"] == EndedBy.CALLEE.value:
        callee.hang_up()
    else:
        await asyncio.Event().wait()


async def _listen(callee: Callee, step: Step) -> None:
    """Hear Alex out, or only until he has begun where the person cut him off."""
    callee.heard_piece.clear()
    if step.alex_spoke and step.interrupts:
        await asyncio.wait_for(callee.heard_piece.wait(), 5)
        return
    for n in range(step.alex_spoke):
        try:
            await asyncio.wait_for(callee.heard.get(), SECOND_UTTERANCE_SECONDS if n else 5)
        except TimeoutError:
            if not n:
                raise
