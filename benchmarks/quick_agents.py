"""Agent workers that take every job and are ready at once: the product's side of a worker, and no Alex."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

import aiohttp
from django.conf import settings
from livekit.api import AccessToken, VideoGrants
from livekit.protocol import agent

from agentworker.conversation import Pace
from agentworker.hooks import Hooks, HooksUnreachable
from agentworker.main import REPORT_EVERY
from outreach.domain.contracts import Ready, WorkerReport

WORKER = "benchmark"
#: Until the person is there, Alex says again that he is.
READY_EVERY, READY_RETRY = Pace.ready_every, Pace.ready_retry


class QuickAgents:
    """Runs in a thread of its own; use it as a context manager."""

    def __init__(self, *, hooks_url: str, places: int) -> None:
        """Prepare a worker with so many `places`."""
        self._hooks_url = hooks_url
        self._places = places
        self._calls: list[UUID] = []
        self._dialled: set[UUID] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._registered = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agents", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._registered.wait(30):
            raise TimeoutError("the agents could not register with the room server")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(10)

    def dialled(self, calls: set[UUID]) -> None:
        """Let the agents of these calls fall silent: the carrier has them."""
        self._dialled = calls

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(self._serve())
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._hooks = Hooks(base_url=self._hooks_url, secret=settings.AGENT_SECRET)
        token = AccessToken(settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET)
        token = token.with_grants(VideoGrants(agent=True))
        address = settings.LIVEKIT_URL.replace("ws://", "http://", 1) + "/agent"
        headers = {"Authorization": f"Bearer {token.to_jwt()}"}
        async with aiohttp.ClientSession() as http, http.ws_connect(address, headers=headers) as socket:
            hello = agent.WorkerMessage()
            hello.register.agent_name = settings.AGENT_NAME
            hello.register.type = agent.JobType.JT_ROOM
            await socket.send_bytes(hello.SerializeToString())
            self._start(self._report())
            try:
                async for frame in socket:
                    await self._hear(socket, agent.ServerMessage.FromString(frame.data))
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self._hooks.aclose()

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse, message: agent.ServerMessage) -> None:
        match message.WhichOneof("message"):
            case "register":
                self._registered.set()
            case "availability":
                answer = agent.WorkerMessage()
                answer.availability.job_id = message.availability.job.id
                answer.availability.available = True
                answer.availability.participant_identity = f"alex-{message.availability.job.id}"
                await socket.send_bytes(answer.SerializeToString())
            case "assignment":
                job = message.assignment.job
                self._start(self._be_ready(UUID(job.room.name.removeprefix("call-")), job.id))

    async def _be_ready(self, call_id: UUID, job_id: str) -> None:
        self._calls.append(call_id)
        while call_id not in self._dialled:
            ready = Ready(fact_id=uuid4(), at=datetime.now(UTC), worker_id=WORKER, job_id=job_id)
            try:
                await self._hooks.post_fact(call_id=call_id, fact=ready)
            except HooksUnreachable:
                await asyncio.sleep(READY_RETRY)
            else:
                await asyncio.sleep(READY_EVERY)

    async def _report(self) -> None:
        while True:
            free = max(0, self._places - len(self._calls))
            report = WorkerReport(
                worker_id=WORKER, places=self._places, free=free, calls=self._calls, draining=False
            )
            with suppress(HooksUnreachable):
                await self._hooks.post_report(report)
            await asyncio.sleep(REPORT_EVERY)

    def _start(self, work: asyncio._CoroutineLike[None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
