"""The emulated Groq against Groq's own plugin and against what Groq refuses."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from livekit.agents import APIConnectOptions, APIStatusError, llm
from livekit.agents.utils import http_context
from livekit.plugins import groq

from outreach.domain import defaults
from sandbox.groq_api import ACCOUNT, GroqFaults, make_app

pytestmark = pytest.mark.integration

KEY = "gsk_rehearsal"
ONCE = APIConnectOptions(max_retry=0, timeout=3.0)
END_CALL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "end_call", "parameters": {"type": "object", "properties": {}}},
}


class Groq:
    """One emulator on a port of its own, and a plain client."""

    def __init__(self, server: TestServer, http: aiohttp.ClientSession, knobs: dict[str, float]) -> None:
        self.base_url = str(server.make_url("/openai/v1"))
        self.account = server.app[ACCOUNT]
        self.http = http
        self.knobs = knobs

    async def post(self, path: str, body: dict[str, Any], *, key: str = KEY) -> aiohttp.ClientResponse:
        return await self.http.post(
            self.base_url + path, json=body, headers={"Authorization": f"Bearer {key}"}
        )

    async def chat(self, text: str, **more: Any) -> aiohttp.ClientResponse:
        body = {"model": defaults.LLM_MODEL, "messages": [{"role": "user", "content": text}], **more}
        return await self.post("/chat/completions", body)

    async def speech(self, text: str, **more: Any) -> aiohttp.ClientResponse:
        body = {"model": defaults.TTS_MODEL, "voice": defaults.TTS_VOICE, "input": text, **more}
        return await self.post("/audio/speech", body)

    def plugin(self) -> groq.LLM:
        return groq.LLM(model=defaults.LLM_MODEL, base_url=self.base_url, api_key=KEY)


@pytest.fixture
async def emulated() -> AsyncIterator[Groq]:
    """Serve an emulator whose faults the test may turn on."""
    knobs: dict[str, float] = {}
    server = TestServer(make_app(api_key=KEY, faults=GroqFaults(knobs)))
    await server.start_server()
    async with aiohttp.ClientSession() as http:
        yield Groq(server, http, knobs)
    await server.close()


async def error_of(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """Return the error of Groq's error body."""
    error: dict[str, Any] = (await response.json())["error"]
    return error


def context(*texts: str) -> llm.ChatContext:
    """Return a chat that a person and the model began; the person speaks first and last."""
    chat = llm.ChatContext.empty()
    chat.add_message(role="system", content="You are Alex. It is Tuesday 03 March 2026, 10:05.")
    for number, text in enumerate(texts):
        chat.add_message(role="assistant" if number % 2 else "user", content=text)
    return chat


class TestPlugin:
    async def test_streams_words_and_their_usage(self, emulated: Groq) -> None:
        model = emulated.plugin()
        async with model.chat(chat_ctx=context("Hello?"), conn_options=ONCE) as stream:
            chunks = [chunk async for chunk in stream]
        await model.aclose()
        words = [chunk.delta.content for chunk in chunks if chunk.delta and chunk.delta.content]
        assert len(words) > 1
        assert "".join(words).endswith("?")
        assert any(chunk.usage and chunk.usage.total_tokens > 0 for chunk in chunks)

    async def test_streams_a_tool_call_with_its_arguments(self, emulated: Groq) -> None:
        @llm.function_tool
        async def schedule_callback(when: str, reason: str) -> None:
            """Agree a time."""

        said = "I'm busy. Call me back tomorrow at three pm."
        model = emulated.plugin()
        async with model.chat(chat_ctx=context(said), tools=[schedule_callback], conn_options=ONCE) as stream:
            answer = await stream.collect()
        await model.aclose()
        assert [call.name for call in answer.tool_calls] == ["schedule_callback"]
        assert json.loads(answer.tool_calls[0].arguments)["when"] == "2026-03-04T15:00"

    async def test_never_calls_a_tool_that_was_not_offered(self, emulated: Groq) -> None:
        model = emulated.plugin()
        async with model.chat(chat_ctx=context("Stop calling me!"), conn_options=ONCE) as stream:
            answer = await stream.collect()
        await model.aclose()
        assert answer.tool_calls == []
        assert "not call you again" in answer.text

    @pytest.mark.parametrize(
        ("knob", "status"),
        [("groq.llm_429", 429), ("groq.llm_5xx", 503), ("groq.terms_missing", 400)],
    )
    async def test_surfaces_a_fault_as_its_status(self, knob: str, status: int, emulated: Groq) -> None:
        emulated.knobs[knob] = 1.0
        model = emulated.plugin()
        with pytest.raises(APIStatusError) as raised:
            async with model.chat(chat_ctx=context("Hello?"), conn_options=ONCE) as stream:
                await stream.collect()
        await model.aclose()
        assert raised.value.status_code == status

    async def test_speaks_a_sentence_through_the_plugin(self, emulated: Groq) -> None:
        async with http_context.open():
            voice = groq.TTS(
                model=defaults.TTS_MODEL, voice=defaults.TTS_VOICE, base_url=emulated.base_url, api_key=KEY
            )
            async with voice.synthesize("Hello, this is Alex.", conn_options=ONCE) as speech:
                seconds = sum([audio.frame.duration async for audio in speech])
            await voice.aclose()
        assert 0.5 < seconds < 3


class TestChat:
    async def test_answers_whole_when_no_stream_is_asked_for(self, emulated: Groq) -> None:
        response = await emulated.chat("Hello?")
        body = await response.json()
        assert body["choices"][0]["message"]["content"]
        assert body["choices"][0]["finish_reason"] == "stop"
        assert response.headers["x-ratelimit-limit-tokens"]

    async def test_judges_words_by_a_json_schema(self, emulated: Groq) -> None:
        schema = {"type": "object", "properties": {"asked_to_stop": {"type": "boolean"}}}
        wanted = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema}}
        response = await emulated.chat("Never call me again", response_format=wanted)
        content = (await response.json())["choices"][0]["message"]["content"]
        assert json.loads(content) == {"asked_to_stop": True}

    async def test_refuses_a_wrong_key(self, emulated: Groq) -> None:
        response = await emulated.post("/chat/completions", {}, key="gsk_wrong")
        assert response.status == 401
        assert (await error_of(response))["code"] == "invalid_api_key"

    async def test_refuses_a_model_that_was_shut_down(self, emulated: Groq) -> None:
        response = await emulated.chat("Hello?", model="llama-3.3-70b-versatile")
        assert response.status == 404
        assert (await error_of(response))["code"] == "model_not_found"

    async def test_refuses_the_result_of_a_tool_that_was_never_called(self, emulated: Groq) -> None:
        messages = [{"role": "tool", "tool_call_id": "fc_1", "content": "done"}]
        response = await emulated.chat("", messages=messages)
        assert response.status == 400

    async def test_says_when_to_try_again_after_too_many_requests(self, emulated: Groq) -> None:
        emulated.knobs["groq.llm_429"] = 1.0
        response = await emulated.chat("Hello?")
        assert response.status == 429
        assert int(response.headers["retry-after"]) > 0
        assert response.headers["x-ratelimit-remaining-tokens"] == "0"
        assert (await error_of(response))["code"] == "rate_limit_exceeded"

    async def test_fails_to_call_a_function_and_says_what_it_had_generated(self, emulated: Groq) -> None:
        emulated.knobs["groq.llm_tool_use_failed"] = 1.0
        response = await emulated.chat("Have to go, bye", tools=[END_CALL])
        error = await error_of(response)
        assert response.status == 400
        assert error["code"] == "tool_use_failed"
        assert "failed_generation" in error

    async def test_breaks_a_tools_arguments_when_told_to(self, emulated: Groq) -> None:
        emulated.knobs["groq.llm_broken_arguments"] = 1.0
        response = await emulated.chat("Have to go, bye", tools=[END_CALL])
        call = (await response.json())["choices"][0]["message"]["tool_calls"][0]
        with pytest.raises(json.JSONDecodeError):
            json.loads(call["function"]["arguments"])

    async def test_cuts_a_stream_when_told_to(self, emulated: Groq) -> None:
        emulated.knobs["groq.llm_cut_stream"] = 1.0
        response = await emulated.chat("Hello?", stream=True)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()

    async def test_never_calls_a_tool_when_none_is_allowed(self, emulated: Groq) -> None:
        response = await emulated.chat("Have to go, bye", tools=[END_CALL], tool_choice="none")
        assert "tool_calls" not in (await response.json())["choices"][0]["message"]

    async def test_refuses_what_is_no_json(self, emulated: Groq) -> None:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        response = await emulated.http.post(
            emulated.base_url + "/chat/completions", data=b"{", headers=headers
        )
        assert response.status == 400


class TestModels:
    async def test_lists_the_models_of_the_defaults(self, emulated: Groq) -> None:
        response = await emulated.http.get(
            emulated.base_url + "/models", headers={"Authorization": f"Bearer {KEY}"}
        )
        names = {model["id"] for model in (await response.json())["data"]}
        assert {defaults.LLM_MODEL, defaults.STT_MODEL, defaults.TTS_MODEL} <= names

    async def test_names_an_address_that_it_does_not_know(self, emulated: Groq) -> None:
        response = await emulated.post("/embeddings", {})
        assert response.status == 404
        assert (await error_of(response))["code"] == "unknown_url"


class TestSpeech:
    async def test_speaks_two_hundred_characters(self, emulated: Groq) -> None:
        response = await emulated.speech("a" * 200)
        with wave.open(io.BytesIO(await response.read())) as wav:
            assert wav.getframerate() == 24_000
            assert 5 < wav.getnframes() / wav.getframerate() < 20

    @pytest.mark.parametrize(
        "refused",
        [{"input": "a" * 201}, {"input": ""}, {"voice": "Fritz-PlayAI"}, {"response_format": "mp3"}],
    )
    async def test_refuses_what_orpheus_refuses(self, refused: dict[str, str], emulated: Groq) -> None:
        response = await emulated.speech("Hello.", **refused)
        assert response.status == 400
        assert (await error_of(response))["type"] == "invalid_request_error"

    async def test_wants_its_terms_accepted(self, emulated: Groq) -> None:
        emulated.knobs["groq.terms_missing"] = 1.0
        assert (await error_of(await emulated.speech("Hello.")))["code"] == "model_terms_required"


class TestTranscription:
    async def _transcribe(self, emulated: Groq, audio: bytes) -> aiohttp.ClientResponse:
        form = aiohttp.FormData()
        form.add_field("model", defaults.STT_MODEL)
        form.add_field("file", audio, filename="file.wav", content_type="audio/wav")
        return await emulated.http.post(
            emulated.base_url + "/audio/transcriptions", data=form, headers={"Authorization": f"Bearer {KEY}"}
        )

    async def test_hears_what_the_script_says_and_then_nothing(self, emulated: Groq) -> None:
        emulated.account.transcripts.append("Sure, go ahead.")
        audio = await (await emulated.speech("Hello.")).read()
        heard = [(await (await self._transcribe(emulated, audio)).json())["text"] for _ in range(2)]
        assert heard == ["Sure, go ahead.", ""]

    async def test_refuses_what_is_no_audio(self, emulated: Groq) -> None:
        assert (await self._transcribe(emulated, b"no audio")).status == 400
