"""The scripted model against the personas: whole conversations, with the tools that Alex really offers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from livekit.agents import llm

from agentworker.alex import Alex
from sandbox.alex_mind import Thought, think
from sandbox.callees import TABLE, Ear, persona_for
from sandbox.legs import AlexSaid, AlexSpeaking, Leg, SipInvite

pytestmark = pytest.mark.integration

INSTRUCTIONS = "You are Alex. It is Tuesday 03 March 2026, 10:05 in Europe/London."
OPENING = "Hello Mia, this is Alex, an AI assistant calling for Lumen. Is now a good time for two minutes?"
ASKED_FOR = (
    "Hello Mia, this is Alex, the AI assistant of Lumen. You asked me to call you today. Is now a good time?"
)
INVITE = SipInvite(user="call-1", caller="+12125550100", called="+12125550101")
RESULTS = {
    "mark_interested": "Recorded. Say what happens next, thank them, say goodbye and end the call.",
    "schedule_callback": "Agreed. You will call back on {when} your time (GMT). Read exactly this time back "
    "to the person and ask whether it is right. If it is, say goodbye and end the call.",
    "ask_for_human": "Recorded: a colleague, a human, will call back from Wednesday 4 March at 09:00 "
    "your time (GMT) on. Say so.",
}


class NoTalk:
    """A conversation that asks for nothing."""

    may_reply = True

    def opt_out_understood(self) -> None:
        """Do nothing."""

    def wants_to_hang_up(self) -> None:
        """Do nothing."""


@pytest.fixture(scope="module")
def tools() -> list[dict[str, Any]]:
    """Return the tools of the real Alex as they go over the wire."""
    alex = Alex(instructions="", actions=None, talk=NoTalk())  # type: ignore[arg-type]
    return llm.ToolContext(alex.tools).parse_function_tools("openai")


class MindOnALine:
    """The model at the other end of a leg: its tool calls get canned results, its words are spoken."""

    def __init__(self, tools: list[dict[str, Any]], *, opening: str = OPENING, seed: int = 0) -> None:
        self.tools = tools
        self.seed = seed
        self.opening = opening
        self.used: list[tuple[str, dict[str, Any]]] = []
        self.said: list[str] = []
        self.messages: list[dict[str, Any]] = [{"role": "system", "content": INSTRUCTIONS}]
        self._utterances = 0
        self.leg = Leg(sid="PA_1", identity="sip_1", invite=INVITE, to_alex=self._hear, leave=self._leave)
        self.leg.pick_up()

    @property
    def names_used(self) -> list[str]:
        return [name for name, _ in self.used]

    def _leave(self, leg: Leg, reason: str) -> None:
        leg.end(reason=reason, sip_status=487)

    def _hear(self, frame: dict[str, Any]) -> bool:
        if frame["type"] == "said":
            self.messages.append({"role": "user", "content": frame["text"]})
            if not self.said:
                self._say(self.opening)
            else:
                self._answer()
        return True

    def _answer(self) -> None:
        for _ in range(4):
            thought = think({"messages": self.messages, "tools": self.tools}, seed=self.seed)
            if thought.content:
                self._say(thought.content)
            self._use(thought)
            if not thought.uses or thought.content:
                break
        if "end_call" in self.names_used or "stop_calling_me" in self.names_used:
            self.leg.end(reason="ROOM_DELETED", sip_status=487)

    def _say(self, text: str) -> None:
        self._utterances += 1
        self.said.append(text)
        self.messages.append({"role": "assistant", "content": text})
        self.leg.hear(AlexSpeaking(self._utterances, text))
        self.leg.hear(AlexSaid(self._utterances, text, interrupted=False))

    def _use(self, thought: Thought) -> None:
        for use in thought.uses:
            call_id = f"fc_{len(self.used)}"
            self.used.append((use.name, dict(use.arguments)))
            call = {"name": use.name, "arguments": json.dumps(use.arguments)}
            self.messages.append(
                {"role": "assistant", "tool_calls": [{"id": call_id, "type": "function", "function": call}]}
            )
            result = RESULTS.get(use.name, "Noted.").replace("{when}", str(use.arguments.get("when")))
            self.messages.append({"role": "tool", "tool_call_id": call_id, "content": result})


async def converse(
    name: str, tools: list[dict[str, Any]], *, opening: str = OPENING, seed: int = 0
) -> MindOnALine:
    """Let a persona talk with the model until the line is cut."""
    place = next(place for place, persona in enumerate(TABLE) if persona.name == name)
    mind = MindOnALine(tools, opening=opening, seed=seed)
    persona = persona_for(f"+121255501{place:02d}", seed, pace=0.05)
    await asyncio.wait_for(persona.talk(mind.leg, attempt=1, ear=Ear()), 5)
    return mind


class TestConversations:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize(
        ("name", "tool"),
        [
            ("interested", "mark_interested"),
            ("interested_with_questions", "mark_interested"),
            ("not_interested", "mark_not_interested"),
            ("stop_calling", "stop_calling_me"),
            ("wrong_person", "wrong_person"),
            ("wants_human", "ask_for_human"),
            ("call_back_tomorrow", "schedule_callback"),
            ("call_back_in_two_hours", "schedule_callback"),
            ("speaks_spanish", "end_call"),
        ],
    )
    async def test_end_with_the_tool_that_the_person_calls_for(
        self, name: str, tool: str, seed: int, tools: list[dict[str, Any]]
    ) -> None:
        mind = await converse(name, tools, seed=seed)
        decisive = {
            "mark_interested", "mark_not_interested", "stop_calling_me", "wrong_person", "ask_for_human",
            "schedule_callback",
        } - {tool}  # fmt: skip
        assert tool in mind.names_used, mind.said
        assert not decisive & set(mind.names_used), mind.said

    async def test_walk_through_the_stages_of_an_onboarding(self, tools: list[dict[str, Any]]) -> None:
        mind = await converse("interested", tools)
        stages = [arguments["stage"] for name, arguments in mind.used if name == "next_stage"]
        assert stages == ["pitch", "questions", "close"]
        assert mind.names_used.count("take_note") in {2, 3}
        assert mind.names_used[-2:] == ["mark_interested", "end_call"]

    @pytest.mark.parametrize(
        ("name", "when"),
        [("call_back_tomorrow", "2026-03-04T15:00"), ("call_back_in_two_hours", "2026-03-03T12:05")],
    )
    async def test_resolve_the_time_that_was_asked_for_and_read_it_back(
        self, name: str, when: str, tools: list[dict[str, Any]]
    ) -> None:
        mind = await converse(name, tools)
        assert dict(mind.used)["schedule_callback"]["when"] == when
        assert any(when in line and line.endswith("Is that right?") for line in mind.said)
        assert mind.names_used.count("schedule_callback") == 1

    async def test_come_to_an_end_when_it_is_the_call_that_they_asked_for(
        self, tools: list[dict[str, Any]]
    ) -> None:
        mind = await converse("call_back_tomorrow", tools, opening=ASKED_FOR)
        assert "mark_interested" in mind.names_used

    async def test_are_the_same_again_with_the_same_seed(self, tools: list[dict[str, Any]]) -> None:
        first = await converse("interested", tools, seed=3)
        again = await converse("interested", tools, seed=3)
        assert first.said == again.said


class TestLastWords:
    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("Never call here again", ["stop_calling_me"]),
            ("I'm not interested, bye", ["mark_not_interested"]),
            ("You have the wrong number", ["wrong_person"]),
            ("Call me back tomorrow at nine", ["schedule_callback"]),
            ("Hello? Who is this?", []),
            ("Sure, go ahead.", []),
        ],
    )
    def test_are_recorded_when_they_ask_for_something(
        self, words: str, expected: list[str], tools: list[dict[str, Any]]
    ) -> None:
        hung_up = "The person has hung up; nobody hears you any more. Record what their last words ask for."
        messages = [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "assistant", "content": OPENING},
            {"role": "system", "content": hung_up},
            {"role": "user", "content": words},
        ]
        thought = think({"messages": messages, "tools": tools})
        assert [use.name for use in thought.uses] == expected


class TestGreetings:
    @pytest.mark.parametrize(
        ("words", "label"),
        [
            ("Hello?", "human"),
            ("You have reached the voicemail of this number. Leave a message after the tone.", "machine-vm"),
            ("For sales, press one.", "machine-ivr"),
        ],
    )
    def test_are_judged_for_the_detector_of_answering_machines(self, words: str, label: str) -> None:
        tool = {"type": "function", "function": {"name": "save_prediction", "parameters": {}}}
        thought = think({"messages": [{"role": "user", "content": words}], "tools": [tool]})
        assert thought.uses[0].arguments == {"label": label}
