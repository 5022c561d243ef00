"""Every persona on a line with the real Alex, whose model is the emulated Groq: how each call ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit.plugins import groq

from agentworker.conversation import Conversation
from agentworker.line import LineJob
from agentworker.session import Models
from agentworker.written_line import WrittenLine
from outreach.domain import defaults
from outreach.domain.contracts import Brief, CallbackAgreed, Limits, OptOut, Outcome
from outreach.domain.disposition import AnsweredBy, Disposition
from outreach.domain.script import parse_script, render
from outreach.services.scripts import SEED
from sandbox import sample
from sandbox.callees import TABLE, Ear, Persona, persona_for
from sandbox.groq_api import GroqFaults, make_app
from sandbox.legs import AlexSaid, AlexSpeaking, Leg, SipInvite
from tests.agent_kit import QUICK, MemoryReporter, a_brief, serving

pytestmark = pytest.mark.integration

KEY = "gsk_rehearsal"


class LegLine(WrittenLine):
    """Alex's line with a persona at the other end of a real leg, and nothing in between."""

    seconds_a_piece = 0.001

    def __init__(self, persona: Persona, *, attempt: int) -> None:
        super().__init__(LineJob(room="call-of-a-test"))
        self.ear = Ear(persona=persona.name)
        self._persona = persona
        self._attempt = attempt
        self._talking: asyncio.Task[None] | None = None
        invite = SipInvite(user="call-1", caller="+13035550100", called=persona.number)
        self.leg = Leg(sid="PA_1", identity="sip_1", invite=invite, to_alex=self._hear, leave=self._gone)

    async def connect(self) -> None:
        """Let the person pick up."""
        self.leg.pick_up()
        self.person_joined()
        self._talking = asyncio.create_task(self._persona.talk(self.leg, attempt=self._attempt, ear=self.ear))

    def deliver(self, *, utterance: int, text: str) -> bool:
        """Let the person hear a piece."""
        self.leg.hear(AlexSpeaking(utterance, text))
        return self.leg.ended_reason is None

    def delivered(self, *, utterance: int, text: str, interrupted: bool) -> None:
        """Let the person hear that an utterance is over."""
        self.leg.hear(AlexSaid(utterance, text, interrupted))

    async def hang_up(self) -> None:
        """End the leg and wait for the person to notice."""
        self.leg.end(reason="ROOM_DELETED", sip_status=487)
        if self._talking is not None:
            await self._talking

    async def leave(self) -> None:
        """Go."""
        await self.hang_up()

    def _hear(self, frame: dict[str, Any]) -> bool:
        if frame["type"] == "speaking":
            self.listener.person_speaking()
        else:
            self.listener.person_said(frame["text"])
        return True

    def _gone(self, leg: Leg, reason: str) -> None:
        leg.end(reason=reason, sip_status=487)
        self.listener.person_left()


@pytest.fixture
async def groq_url() -> AsyncIterator[str]:
    """Serve an emulated Groq."""
    async with serving(make_app(api_key=KEY, faults=GroqFaults())) as url:
        yield url + "/openai/v1"


def brief_of(opening: str) -> Brief:
    """Return a brief with the script that ships, rendered for the sample campaign."""
    script = parse_script(SEED.read_text(encoding="utf-8"))
    campaign = sample.CAMPAIGN
    values = {
        "company": campaign.company,
        "platform": campaign.platform,
        "platform_facts": campaign.platform_facts,
        "person_name": "Ana",
        "now_local": "Tuesday 24 March 2026, 10:00",
        "time_zone": "Europe/Paris",
    }
    return a_brief(
        opening=opening,
        instructions=render(script.instructions, values),
        opening_line=render(script.openings[opening], values),  # type: ignore[index]
        closing_line=render(script.closing_line, values),
        company=campaign.company,
        limits=Limits(join_timeout=1.0, max_duration=30.0, closing_at=25.0, silence=0.3),
    )


async def call(
    name: str, groq_url: str, *, opening: str = "first_call", seed: int = 1
) -> tuple[LegLine, MemoryReporter]:
    """Let Alex call a persona; return the line and what was reported."""
    place = next(place for place, persona in enumerate(TABLE) if persona.name == name)
    line = LegLine(persona_for(f"+121255501{place:02d}", 1, pace=0.1), attempt=1)
    reporter = MemoryReporter()
    models = Models(llm=groq.LLM(model=defaults.LLM_MODEL, base_url=groq_url, api_key=KEY))
    conversation = Conversation(
        brief=brief_of(opening), line=line, reporter=reporter, models=models, pace=QUICK
    )
    try:
        await asyncio.wait_for(conversation.run(), 20)
    finally:
        await models.llm.aclose()
    return line, reporter


def dispositions(reporter: MemoryReporter) -> list[Disposition]:
    """Return what was achieved, in order."""
    achieved: list[Disposition] = []
    for fact in reporter.facts:
        if isinstance(fact, OptOut):
            achieved.append(Disposition.DO_NOT_CALL)
        elif isinstance(fact, CallbackAgreed):
            achieved.append(Disposition.CALLBACK_REQUESTED)
        elif isinstance(fact, Outcome):
            achieved.append(fact.disposition)
    return achieved


class TestEveryPersona:
    @pytest.mark.parametrize(
        ("name", "achieved"),
        [
            ("interested", ["interested"]),
            ("interested_with_questions", ["interested"]),
            ("call_back_tomorrow", ["callback_requested"]),
            ("call_back_in_two_hours", ["callback_requested"]),
            ("not_interested", ["not_interested"]),
            ("stop_calling", ["do_not_call"]),
            ("stop_and_hang_up", ["do_not_call"]),
            ("wrong_person", ["wrong_person"]),
            ("silent", []),
            ("hangs_up_mid_sentence", ["hung_up"]),
            ("voicemail", []),
            ("ivr", []),
            ("screening_then_interested", ["interested"]),
            ("screening_then_gone", []),
            ("speaks_spanish", []),
            ("wants_human", ["callback_requested", "callback_requested"]),
        ],
    )
    async def test_ends_as_it_is_meant_to(self, name: str, achieved: list[str], groq_url: str) -> None:
        line, reporter = await call(name, groq_url)
        assert dispositions(reporter) == achieved, line.ear.record()["spoken"]
        assert reporter.end.n_turns == line.ear.turns_spoken

    @pytest.mark.parametrize(
        ("name", "who"),
        [
            ("interested", AnsweredBy.HUMAN),
            ("voicemail", AnsweredBy.VOICEMAIL),
            ("ivr", AnsweredBy.IVR),
            ("screening_then_gone", AnsweredBy.UNAVAILABLE),
        ],
    )
    async def test_is_taken_for_what_it_is(self, name: str, who: AnsweredBy, groq_url: str) -> None:
        _, reporter = await call(name, groq_url)
        assert reporter.end.answered_by is who

    async def test_talks_when_this_is_the_call_that_it_asked_for(self, groq_url: str) -> None:
        line, reporter = await call("call_back_tomorrow", groq_url, opening="asked_for_callback")
        assert dispositions(reporter) == ["interested"], line.ear.record()["spoken"]

    async def test_is_promised_the_time_that_it_named(self, groq_url: str) -> None:
        _, reporter = await call("call_back_tomorrow", groq_url)
        (promise,) = reporter.of_kind("callback")
        assert promise.promised_at.isoformat() == "2026-03-25T14:00:00+00:00"
