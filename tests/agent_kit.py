"""What the tests of Alex share: a person on a line made of memory, a model that does as the script says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web

from agentworker.conversation import Conversation, Pace
from agentworker.line import LineJob
from agentworker.reporter import Permission
from agentworker.session import build_models
from agentworker.settings import ModelSettings
from agentworker.written_line import WrittenLine
from outreach.domain.contracts import AnyFact, AnyWord, Brief, Interval, Limits, Person, TurnWord

NOW = datetime(2026, 3, 24, 9, 0, tzinfo=UTC)
"""A Tuesday, 10:00 in Paris."""
QUICK = Pace(ready_every=0.05, ready_retry=0.02, ready_within=0.3, farewell_within=2.0)


def a_brief(**changes: Any) -> Brief:
    """Return a brief for a first call to a person in Paris."""
    values: dict[str, Any] = {
        "call_id": uuid4(),
        "now_at": NOW,
        "kind": "first_call",
        "opening": "first_call",
        "instructions": "You are Alex, calling for Commons.",
        "opening_line": "Hello, this is Alex, an AI assistant calling for Commons. Do you have a minute?",
        "closing_line": "Thank you for your time. Goodbye.",
        "company": "Commons",
        "person": Person(name="Ana", time_zone="Europe/Paris", country="FR"),
        "callback_hours": [Interval(weekday=day, opens="09:00", closes="20:00") for day in range(6)],
        "limits": Limits(join_timeout=1.0, max_duration=30.0, closing_at=25.0, silence=5.0),
    }
    return Brief(**(values | changes))


@dataclass
class MemoryReporter:
    """Keeps what is reported."""

    permissions: list[Permission] = field(default_factory=list)
    facts: list[AnyFact] = field(default_factory=list)
    words: list[AnyWord] = field(default_factory=list)
    pieces: list[tuple[int, str]] = field(default_factory=list)
    readies: int = 0

    async def ready(self, *, at: datetime) -> Permission:
        """Answer as told, then with STAY."""
        self.readies += 1
        return self.permissions.pop(0) if self.permissions else Permission.STAY

    def fact(self, fact: AnyFact) -> None:
        """Keep a fact."""
        self.facts.append(fact)

    def word(self, word: AnyWord) -> None:
        """Keep a word."""
        self.words.append(word)

    def alex_piece(self, *, seq: int, text: str, stage: str, at: datetime) -> None:
        """Keep a piece."""
        self.pieces.append((seq, text))

    def of_kind(self, kind: str) -> list[Any]:
        """Return the facts and words of a kind."""
        return [said for said in (*self.facts, *self.words) if said.kind == kind]

    @property
    def turns(self) -> list[TurnWord]:
        """Return the turns in order of their numbers."""
        return sorted((word for word in self.words if isinstance(word, TurnWord)), key=lambda turn: turn.seq)

    @property
    def end(self) -> Any:
        """Return the one end of the call."""
        (end,) = self.of_kind("end")
        return end


class MemoryLine(WrittenLine):
    """A line whose other end is a function of the test: the person."""

    seconds_a_piece = 0.001

    def __init__(self, person: Callable[[Callee], Any] | None) -> None:
        super().__init__(LineJob(room="call-of-a-test"))
        self.callee = Callee(self)
        self._person = person
        self._talking: asyncio.Task[None] | None = None
        self.hung_up = False
        self.left = False

    async def connect(self) -> None:
        """Let the person pick up."""
        if self._person is not None:
            self._talking = asyncio.create_task(self._person(self.callee))

    def deliver(self, *, utterance: int, text: str) -> bool:
        """Let the person hear a piece, unless they are gone."""
        if self.callee.gone or self.hung_up:
            return False
        self.callee.heard_piece.set()
        return True

    def delivered(self, *, utterance: int, text: str, interrupted: bool) -> None:
        """Let the person hear the utterance."""
        self.callee.heard.put_nowait(text.strip())
        self.callee.utterances.append(text.strip())

    async def hang_up(self) -> None:
        """End the call."""
        self.hung_up = True
        if self._talking is not None:
            self._talking.cancel()
            await asyncio.wait({self._talking})

    async def leave(self) -> None:
        """Go."""
        self.left = True
        if self._talking is not None:
            self._talking.cancel()


class Callee:
    """The person's side of a line."""

    def __init__(self, line: MemoryLine) -> None:
        self._line = line
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.heard_piece = asyncio.Event()
        self.utterances: list[str] = []
        self.gone = False

    def join(self) -> None:
        """Come on the line."""
        self._line.person_joined()

    def speaking(self) -> None:
        """Begin to speak."""
        self._line.listener.person_speaking()

    def say(self, text: str) -> None:
        """Say something."""
        self._line.listener.person_said(text)

    async def hear(self) -> str:
        """Return Alex's next utterance."""
        return await asyncio.wait_for(self.heard.get(), 5)

    def hang_up(self) -> None:
        """Put the phone down."""
        self.gone = True
        self._line.listener.person_left()

    def room_is_deleted(self) -> None:
        """Lose the room."""
        self.gone = True
        self._line.listener.room_closed()


@dataclass
class Reply:
    """What the model answers: text, tool calls, or an HTTP error."""

    text: str = ""
    tools: Sequence[tuple[str, Any]] = ()
    status: int = 200


def tool(name: str, **arguments: Any) -> tuple[str, Any]:
    """Return a tool call."""
    return name, arguments


class GroqStub:
    """Chat completions by script: one `Reply` per request; the last one is repeated."""

    def __init__(self) -> None:
        self.replies: list[Reply] = [Reply("I see.")]
        self.requests: list[dict[str, Any]] = []
        self.speech: list[str] = []
        self.url = ""

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Stream the next reply."""
        self.requests.append(await request.json())
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if reply.status != 200:
            return web.json_response({"error": {"message": "down"}}, status=reply.status)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta in _deltas(reply):
            await response.write(f"data: {json.dumps(_chunk(delta))}\n\n".encode())
        done = "tool_calls" if reply.tools else "stop"
        usage = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
        last = _chunk({}) | {"choices": [], "usage": usage}
        for chunk in (_chunk({}, finish=done), last):
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    def said_to_model(self, role: str) -> list[str]:
        """Return what the last request's messages of a role say."""
        return [str(m.get("content")) for m in self.requests[-1]["messages"] if m["role"] == role]


def _deltas(reply: Reply) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": word + " "} for word in reply.text.split(" ") if word
    ]
    for index, (name, arguments) in enumerate(reply.tools):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        function = {"name": name, "arguments": text}
        call = {"index": index, "id": f"call_{uuid4().hex[:8]}", "type": "function", "function": function}
        deltas.append({"role": "assistant", "tool_calls": [call]})
    return deltas


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "stub",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


@asynccontextmanager
async def groq_stub() -> AsyncIterator[GroqStub]:
    """Serve a stub on a free port."""
    stub = GroqStub()
    app = web.Application()
    app.router.add_post("/openai/v1/chat/completions", stub.chat)
    async with serving(app) as url:
        stub.url = url + "/openai/v1"
        yield stub


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve an application on a free port of this machine; yield its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def model_settings(url: str) -> ModelSettings:
    """Return models that live at `url`."""
    return ModelSettings(
        api_key="gsk_test", base_url=url, llm="openai/gpt-oss-120b", stt="s", tts="t", voice="v"
    )


@dataclass
class Held:
    """A call that is over."""

    was_ours: bool
    reporter: MemoryReporter
    line: MemoryLine
    brief: Brief

    @property
    def call_id(self) -> UUID:
        """Return the call's id."""
        return self.brief.call_id


async def hold(
    person: Callable[[Callee], Any] | None,
    *,
    groq: GroqStub,
    brief: Brief | None = None,
    reporter: MemoryReporter | None = None,
) -> Held:
    """Hold one call with `person` from end to end."""
    brief, reporter, line = brief or a_brief(), reporter or MemoryReporter(), MemoryLine(person)
    models = build_models(model_settings(groq.url), audio=False)
    conversation = Conversation(brief=brief, line=line, reporter=reporter, models=models, pace=QUICK)
    try:
        was_ours = await asyncio.wait_for(conversation.run(), 20)
    finally:
        await models.aclose()
    return Held(was_ours, reporter, line, brief)
