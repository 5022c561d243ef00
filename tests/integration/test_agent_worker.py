"""The real worker as its own process against the emulated room server: jobs, reports, death, drain."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from livekit import api

from outreach.domain.contracts import FACT, AnyFact, Brief, WordsBatch, WorkerReport
from outreach.domain.disposition import EndedBy
from sandbox.clock import RehearsalClock
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.legs import AlexSaid, Leg, SipInvite
from sandbox.room_server import RoomServer, make_room_server
from sandbox.settings import SandboxSettings
from tests.agent_kit import GroqStub, Reply, a_brief, groq_stub, serving, tool

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

KEY, SECRET = "devkey", "a-secret-of-at-least-32-characters"
PLACES = 4


class Product:
    """The hooks process: takes everything, and says which words are missing."""

    def __init__(self) -> None:
        self.facts: dict[UUID, list[AnyFact]] = {}
        self.words: dict[UUID, set[tuple[str, int]]] = {}
        self.reports: list[WorkerReport] = []

    async def fact(self, request: web.Request) -> web.Response:
        """Take a fact."""
        fact = FACT.validate_json(await request.read())
        self.facts.setdefault(UUID(request.match_info["call"]), []).append(fact)
        return web.json_response({"stored": True})

    async def take_words(self, request: web.Request) -> web.Response:
        """Take words."""
        call = UUID(request.match_info["call"])
        stored = self.words.setdefault(call, set())
        batch = WordsBatch.model_validate_json(await request.read())
        stored |= {(word.kind, word.seq) for word in batch.words}
        end = self.of_kind(call, "end")
        turns, notes = (end[0].n_turns, end[0].n_notes) if end else (0, 0)
        missing = [seq for seq in range(1, turns + 1) if ("turn", seq) not in stored]
        lacking = [seq for seq in range(1, notes + 1) if ("note", seq) not in stored]
        complete = bool(end) and not missing and not lacking
        return web.json_response({"complete": complete, "missing_turns": missing, "missing_notes": lacking})

    async def report(self, request: web.Request) -> web.Response:
        """Take a report."""
        self.reports.append(WorkerReport.model_validate_json(await request.read()))
        return web.Response(status=204)

    async def ignore(self, request: web.Request) -> web.Response:
        """Take a webhook of the room server's."""
        return web.Response()

    def of_kind(self, call: UUID, kind: str) -> list[Any]:
        """Return the facts of one kind about one call."""
        return [fact for fact in self.facts.get(call, []) if fact.kind == kind]


class World:
    """Room server, model, product and one worker process."""

    def __init__(
        self, *, rooms: RoomServer, rooms_url: str, groq: GroqStub, product: Product, env: dict[str, str]
    ):
        self.rooms = rooms
        self.groq = groq
        self.product = product
        self.spool_dir = Path(env["ALEX_SPOOL_DIR"])
        self._url = rooms_url
        self._env = env
        self.process: asyncio.subprocess.Process | None = None

    async def start_worker(self) -> None:
        """Start the worker and wait until it has free places and is registered."""
        seen = len(self.product.reports)
        log = (self.spool_dir.parent / "worker.log").open("ab")
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agentworker", env=self._env, stderr=log, start_new_session=True
        )
        log.close()
        await until(lambda: len(self.product.reports) > seen and self.rooms.workers.workers(), seconds=60)

    async def stop_worker(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop the worker, with all its job processes when it is killed."""
        if self.process is None or self.process.returncode is not None:
            return
        if number is signal.SIGKILL:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        await asyncio.wait_for(self.process.wait(), 40)

    async def dispatch(self, brief: Brief | None = None, *, metadata: str | None = None) -> UUID:
        """Send Alex into a call's room; return the call."""
        brief = brief or a_brief()
        room = f"call-{brief.call_id}"
        async with api.LiveKitAPI(self._url, KEY, SECRET) as livekit:
            await livekit.room.create_room(api.CreateRoomRequest(name=room, empty_timeout=60))
            await livekit.agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(
                    agent_name="alex", room=room, metadata=metadata or brief.model_dump_json()
                )
            )
        return brief.call_id

    async def phone(self, call: UUID) -> Leg:
        """Bring a phone into a call's room and say hello when it is answered."""
        invite = SipInvite(
            user=f"call-{call}", caller="+12025550143", called="+12025550100", username="a", password="b"
        )
        leg = await asyncio.wait_for(self.rooms.rooms.invite(invite), 20)
        await leg.say("Hello?")
        return leg


async def until(true: Callable[[], Any], *, seconds: float = 20.0) -> None:
    """Wait until something is true; fail after a deadline."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def hear(leg: Leg) -> None:
    """Return when Alex has said something."""
    async for event in leg:
        if isinstance(event, AlexSaid):
            return


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A worker that is up, and the world around it."""
    product, hooks = Product(), web.Application()
    hooks.add_routes(
        [
            web.post("/hooks/agent/worker", product.report),
            web.post("/hooks/agent/{call}/fact", product.fact),
            web.post("/hooks/agent/{call}/words", product.take_words),
            web.post("/hooks/livekit", product.ignore),
        ]
    )
    async with serving(hooks) as hooks_url, groq_stub() as groq:
        settings = SandboxSettings(
            twilio_account_sid="AC", twilio_auth_token="t", livekit_api_key=KEY, livekit_api_secret=SECRET,
            groq_api_key="gsk_x", sip_username="a", sip_password="b", public_base_url=hooks_url,
            state_dir=tmp_path,
        )  # fmt: skip
        journal = Journal(clock=RehearsalClock(), stream=io.StringIO())
        rooms = make_room_server(settings=settings, faults=Faults(seed=1), journal=journal)
        async with serving(rooms.app) as rooms_url:
            env = os.environ | {
                "LIVEKIT_URL": rooms_url.replace("http", "ws"), "LIVEKIT_API_KEY": KEY,
                "LIVEKIT_API_SECRET": SECRET, "GROQ_API_KEY": "gsk_x", "GROQ_BASE_URL": groq.url,
                "HOOKS_URL": hooks_url, "AGENT_SECRET": "s", "ALEX_SPOOL_DIR": str(tmp_path / "spool"),
                "ALEX_LINE": "sandbox.text_line.TextLine", "ALEX_MAX_JOBS": str(PLACES),
                "ALEX_HEALTH_PORT": "0", "ALEX_EXECUTOR": "process",
            }  # fmt: skip
            found = World(rooms=rooms, rooms_url=rooms_url, groq=groq, product=product, env=env)
            await found.start_worker()
            yield found
            await found.stop_worker(signal.SIGKILL)


class TestWorker:
    async def test_holds_calls_and_survives_being_killed_in_one(self, world: World) -> None:
        world.groq.replies = [Reply("Goodbye then.", [tool("end_call")])]
        await self._holds_one_call_to_its_end(world)
        await self._takes_as_many_at_once_as_it_has_places(world)
        await self._says_that_a_brief_is_malformed(world)
        await self._finishes_the_call_of_an_earlier_start(world)
        await self._finishes_its_calls_when_told_to_stop(world)

    async def _holds_one_call_to_its_end(self, world: World) -> None:
        call = await world.dispatch()
        leg = await world.phone(call)
        assert world.product.of_kind(call, "ready")
        await hear(leg)
        await leg.say("Not now, thank you.")
        await until(lambda: world.product.of_kind(call, "end"))
        (end,) = world.product.of_kind(call, "end")
        assert end.ended_by is EndedBy.ALEX
        await until(lambda: len(world.product.words.get(call, ())) == end.n_turns)
        await until(lambda: not list(world.spool_dir.iterdir()))
        assert leg.ended_reason == "ROOM_DELETED"

    async def _takes_as_many_at_once_as_it_has_places(self, world: World) -> None:
        calls = [await world.dispatch() for _ in range(PLACES)]
        await until(lambda: all(world.product.of_kind(call, "ready") for call in calls))
        await until(lambda: set(world.product.reports[-1].calls) == set(calls))
        assert world.product.reports[-1].free == 0
        for call in calls:
            world.rooms.rooms.delete(f"call-{call}")
        await until(lambda: world.product.reports[-1].free == PLACES, seconds=30)

    async def _says_that_a_brief_is_malformed(self, world: World) -> None:
        call = await world.dispatch(metadata=json.dumps({"version": 1, "call_id": str(uuid4())}))
        await until(lambda: world.product.of_kind(call, "end"))
        assert [fact.kind for fact in world.product.facts[call]] == ["end"]
        assert world.product.facts[call][0].ended_by is EndedBy.BAD_BRIEF  # type: ignore[union-attr]

    async def _finishes_the_call_of_an_earlier_start(self, world: World) -> None:
        call = await world.dispatch()
        leg = await world.phone(call)
        spool = next(path for path in world.spool_dir.iterdir() if str(call) in path.name)
        await until(lambda: b'"piece"' in spool.read_bytes())
        await world.stop_worker(signal.SIGKILL)
        assert not world.product.of_kind(call, "end")
        assert leg.ended_reason is None
        earlier = world.product.reports[-1].worker_id
        await world.start_worker()
        assert world.product.reports[-1].worker_id != earlier
        await until(lambda: world.product.of_kind(call, "end"))
        (end,) = world.product.of_kind(call, "end")
        assert (end.ended_by, end.n_turns) == (EndedBy.WORKER_STOPPED, 2)
        await until(lambda: world.product.words.get(call) == {("turn", 1), ("turn", 2)})
        await until(lambda: not list(world.spool_dir.iterdir()))

    async def _finishes_its_calls_when_told_to_stop(self, world: World) -> None:
        call = await world.dispatch()
        leg = await world.phone(call)
        stopping = asyncio.create_task(world.stop_worker())
        await until(lambda: world.product.reports[-1].draining)
        assert world.product.reports[-1].free == 0
        await hear(leg)
        await leg.say("Not now, thank you.")
        await asyncio.wait_for(stopping, 40)
        assert world.process is not None
        assert world.process.returncode == 0
        (end,) = world.product.of_kind(call, "end")
        assert end.ended_by is EndedBy.ALEX
