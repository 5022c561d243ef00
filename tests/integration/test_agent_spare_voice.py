"""A voice that is down: no phone rings for it, and in a call the apology is heard all the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web
from livekit.agents import APIConnectionError, APIStatusError, llm, stt, tts
from livekit.plugins import groq

from agentworker import sentences
from agentworker.conversation import Conversation
from agentworker.exchange import Exchange
from agentworker.model_failures import ModelFailures, stays_so
from agentworker.session import Models, build_models
from outreach.domain.disposition import EndedBy
from tests.agent_kit import QUICK, MemoryLine, MemoryReporter, a_brief, model_settings, serving
from tests.integration.test_agent_voice import Loudspeaker, Orpheus

pytestmark = pytest.mark.integration


@dataclass
class Voice:
    """Groq's voice, which the test may take away."""

    orpheus: Orpheus
    models: Models
    status: int = 200


@pytest.fixture
async def voice() -> AsyncIterator[Voice]:
    orpheus, app = Orpheus(), web.Application()

    async def speech(request: web.Request) -> web.Response:
        if found.status != 200:
            body = {"error": {"message": "no", "code": "model_terms_required"}}
            return web.json_response(body, status=found.status)
        return await orpheus.speech(request)

    app.router.add_post("/openai/v1/audio/speech", speech)
    async with serving(app) as url, aiohttp.ClientSession() as http:
        settings = model_settings(url + "/openai/v1")
        speaks = groq.TTS(base_url=settings.base_url, api_key="gsk_x", voice="hannah", http_session=http)
        thinks = build_models(settings, audio=False).llm
        found = Voice(orpheus, Models(llm=thinks, tts=speaks))
        yield found
        await thinks.aclose()


class SoundLine(MemoryLine):
    """A line that claims to carry sound."""

    has_audio = True


async def held_without_a_person(voice: Voice) -> MemoryReporter:
    """Hold a call for which nobody comes."""
    reporter = MemoryReporter()
    brief = a_brief()
    conversation = Conversation(
        brief=brief, line=SoundLine(None), reporter=reporter, models=voice.models, pace=QUICK
    )
    await asyncio.wait_for(conversation.run(), 20)
    return reporter


class TestBeforeTheCall:
    async def test_is_not_ready_without_a_voice(self, voice: Voice) -> None:
        voice.status = 400
        reporter = await held_without_a_person(voice)
        assert reporter.readies == 0
        assert reporter.end.ended_by is EndedBy.TTS_FAILURE

    async def test_is_ready_with_one_and_has_the_apology_at_hand(self, voice: Voice) -> None:
        reporter = await held_without_a_person(voice)
        assert reporter.readies > 0
        assert reporter.end.ended_by is EndedBy.NOBODY_CAME
        assert voice.orpheus.inputs == [sentences.APOLOGY]


class TestInTheCall:
    async def test_says_the_apology_although_the_voice_is_gone(self, voice: Voice) -> None:
        exchange = Exchange(brief=a_brief(), reporter=MemoryReporter(), models=voice.models, audio=True)
        loudspeaker = Loudspeaker()
        exchange.session.output.audio = loudspeaker
        assert await exchange.spare_voice.prepare()
        await exchange.session.start(exchange.alex, record=False)
        voice.status = 401
        await asyncio.wait_for(exchange.say(sentences.APOLOGY, uninterrupted=True), 10)
        await exchange.session.aclose()
        assert loudspeaker.seconds == pytest.approx(0.1, rel=0.2)
        assert len(voice.orpheus.inputs) == 1

    async def test_ends_at_the_first_sentence_that_is_not_spoken(self, voice: Voice) -> None:
        exchange = Exchange(brief=a_brief(), reporter=MemoryReporter(), models=voice.models, audio=True)
        exchange.session.output.audio = Loudspeaker()
        await exchange.spare_voice.prepare()
        await exchange.session.start(exchange.alex, record=False)
        voice.status = 403
        await asyncio.wait_for(exchange.open("Hello, this is Alex."), 10)
        ending = await asyncio.wait_for(asyncio.shield(exchange.ending), 5)
        await exchange.session.aclose()
        assert (ending.by, ending.sentence) == (EndedBy.TTS_FAILURE, sentences.APOLOGY)


def thinking(error: Exception) -> llm.LLMError:
    """Return the failure of a model that thinks."""
    return llm.LLMError(timestamp=0, label="groq", error=error, recoverable=False)


class TestModelFailures:
    def test_asks_once_more_then_ends(self) -> None:
        failures, down = ModelFailures(), thinking(APIConnectionError())
        assert failures.count(down) is None
        assert failures.count(down) is EndedBy.LLM_FAILURE

    def test_forgets_a_failure_once_the_model_works_again(self) -> None:
        failures, down = ModelFailures(), thinking(APIConnectionError())
        failures.count(down)
        failures.thought()
        assert failures.count(down) is None

    def test_counts_hearing_by_itself(self) -> None:
        failures = ModelFailures()
        deaf = stt.STTError(timestamp=0, label="groq", error=APIConnectionError(), recoverable=False)
        failures.count(thinking(APIConnectionError()))
        assert failures.count(deaf) is None
        failures.heard()
        assert failures.count(deaf) is None
        assert failures.count(deaf) is EndedBy.STT_FAILURE

    def test_ends_at_once_without_a_voice(self) -> None:
        mute = tts.TTSError(timestamp=0, label="groq", error=APIConnectionError(), recoverable=False)
        assert ModelFailures().count(mute) is EndedBy.TTS_FAILURE

    @pytest.mark.parametrize(
        ("error", "for_good"),
        [
            (APIStatusError("no key", status_code=401), True),
            (APIStatusError("gone", status_code=404), True),
            (APIStatusError("terms", status_code=400, body={"code": "model_terms_required"}), True),
            (APIStatusError("fumbled", status_code=400, body={"code": "tool_use_failed"}), False),
            (APIStatusError("slow down", status_code=429), False),
            (APIConnectionError(), False),
        ],
    )
    def test_knows_what_another_try_does_not_change(self, error: Exception, *, for_good: bool) -> None:
        assert stays_so(error) is for_good
