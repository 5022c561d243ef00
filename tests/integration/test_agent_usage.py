"""What a conversation took of the models is told with its end."""

from __future__ import annotations

import pytest
from livekit.agents.metrics import AgentSessionUsage, LLMModelUsage, STTModelUsage, TTSModelUsage

from agentworker.usage import usage_of
from outreach.domain.contracts import Usage
from tests.agent_kit import Callee, Reply, groq_stub, hold, tool

pytestmark = pytest.mark.integration


async def test_the_end_counts_every_answer_of_the_model_the_one_after_the_call_included() -> None:
    async def person(callee: Callee) -> None:
        callee.join()
        callee.say("Hello?")
        await callee.hear()
        callee.say("What is it about?")
        await callee.hear()
        callee.say("Take me off, bye.")
        callee.hang_up()

    async with groq_stub() as groq:
        groq.replies = [Reply("A platform."), Reply("", [tool("mark_not_interested", reason="said so")])]
        held = await hold(person, groq=groq)
    asked = len(groq.requests)
    assert asked >= 2
    usage = held.reporter.end.usage
    assert (usage.llm_input_tokens, usage.llm_output_tokens) == (100 * asked, 7 * asked)
    assert usage.llm_model == "openai/gpt-oss-120b"
    assert (usage.stt_seconds, usage.tts_characters, usage.tts_model) == (0.0, 0, "")


def test_adds_up_what_the_session_counted_for_each_model() -> None:
    counted = AgentSessionUsage(
        model_usage=[
            LLMModelUsage(provider="groq", model="a", input_tokens=3, output_tokens=1),
            LLMModelUsage(provider="groq", model="b", input_tokens=4, output_tokens=2),
            STTModelUsage(provider="groq", model="ears", audio_duration=2.5),
            TTSModelUsage(provider="groq", model="voice", characters_count=80),
        ]
    )
    assert usage_of(counted) == Usage(
        llm_input_tokens=7,
        llm_output_tokens=3,
        stt_seconds=2.5,
        tts_characters=80,
        llm_model="a",
        stt_model="ears",
        tts_model="voice",
    )
