"""Groq's chat completions: the scripted mind's thought in OpenAI's wire form, whole or as a stream."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from sandbox.alex_mind import Thought, think
from sandbox.groq_account import ACCOUNT, GroqAccount, GroqRefused
from sandbox.summaries import check_format, record_of

WORDS_PER_PIECE = 4


async def create_completion(request: web.Request) -> web.StreamResponse:
    """POST /chat/completions."""
    account = request.app[ACCOUNT]
    account.admit(request)
    body = await request.json()
    model = account.check_model(body.get("model"))
    _check_messages(body.get("messages"))
    check_format(body)
    await account.meet_faults("llm", model=model)
    record = record_of(body, seed=account.mind_seed)
    thought = think(body, seed=account.mind_seed) if record is None else Thought(record)
    if body.get("tools") and account.strikes("groq.llm_tool_use_failed"):
        raise GroqRefused(
            400,
            "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.",
            code="tool_use_failed",
            failed_generation=json.dumps([{"name": use.name} for use in thought.uses]),
        )
    envelope = {
        "id": f"chatcmpl-{uuid.uuid4()}",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": "fp_sandbox",
    }
    calls = list(_tool_calls(thought, broken=account.strikes("groq.llm_broken_arguments")))
    usage = _usage(body, thought)
    if not body.get("stream"):
        return web.json_response(
            _whole(envelope, thought, calls, usage), headers=account.limit_headers(model)
        )
    chunks = list(_chunks(envelope, thought, calls))
    if (body.get("stream_options") or {}).get("include_usage"):
        chunks.append(envelope | {"object": "chat.completion.chunk", "choices": [], "usage": usage})
    return await _stream(request, account, chunks, headers=account.limit_headers(model))


def _check_messages(messages: object) -> None:
    """Refuse what Groq refuses: no messages, an unknown role, a tool's result that answers no call."""
    if not isinstance(messages, list) or not messages:
        raise GroqRefused(400, "'messages' : minimum number of items is 1")
    called: set[str] = set()
    for at, message in enumerate(messages):
        role = message.get("role")
        if role not in {"system", "developer", "user", "assistant", "tool"}:
            raise GroqRefused(400, f"'messages.{at}' : discriminator property 'role' has invalid value")
        called |= {call["id"] for call in message.get("tool_calls") or []}
        if role == "tool" and message.get("tool_call_id") not in called:
            raise GroqRefused(400, f"'messages.{at}.tool_call_id' : no tool call of that id came before")


def _tool_calls(thought: Thought, *, broken: bool) -> Iterator[dict[str, Any]]:
    for index, use in enumerate(thought.uses):
        arguments = json.dumps(use.arguments)
        yield {
            "index": index,
            "id": f"fc_{uuid.uuid4()}",
            "type": "function",
            "function": {
                "name": use.name,
                "arguments": arguments[: len(arguments) // 2] if broken else arguments,
            },
        }


def _usage(body: dict[str, Any], thought: Thought) -> dict[str, Any]:
    read = len(json.dumps(body["messages"])) // 4
    written = 1 + len(thought.content) // 4 + 20 * len(thought.uses)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _whole(
    envelope: dict[str, Any], thought: Thought, calls: list[dict[str, Any]], usage: dict[str, Any]
) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": thought.content or None}
    if calls:
        message["tool_calls"] = [{key: call[key] for key in ("id", "type", "function")} for call in calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(thought)}
    return envelope | {"object": "chat.completion", "choices": [choice], "usage": usage}


def _finish(thought: Thought) -> str:
    return "tool_calls" if thought.uses else "stop"


def _chunks(
    envelope: dict[str, Any], thought: Thought, calls: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return envelope | {"object": "chat.completion.chunk", "choices": [choice]}

    yield chunk({"role": "assistant", "content": ""}) | {"x_groq": {"id": f"req_{uuid.uuid4().hex[:26]}"}}
    words = thought.content.split(" ")
    for start in range(0, len(words) if thought.content else 0, WORDS_PER_PIECE):
        piece = " ".join(words[start : start + WORDS_PER_PIECE])
        yield chunk({"content": piece if start == 0 else f" {piece}"})
    if calls:
        # Groq sends a tool call whole, not in pieces.
        yield chunk({"tool_calls": calls})
    yield chunk({}, _finish(thought))


async def _stream(
    request: web.Request, account: GroqAccount, chunks: list[dict[str, Any]], *, headers: dict[str, str]
) -> web.StreamResponse:
    """Send server-sent events; a cut stream loses its second half and its connection."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"} | headers)
    await response.prepare(request)
    cut = account.strikes("groq.llm_cut_stream")
    pause = account.value("groq.llm_piece_seconds")
    for chunk in chunks[: len(chunks) // 2] if cut else chunks:
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        if pause:
            await asyncio.sleep(pause)
    if cut:
        if request.transport is not None:
            request.transport.close()
        return response
    await response.write(b"data: [DONE]\n\n")
    return response
