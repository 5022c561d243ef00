"""The worker's main process: registers with LiveKit, reports what it holds, sends what dead jobs left."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import sys
from uuid import UUID

from livekit.agents import AgentServer, JobExecutorType, JobRequest

from agentworker import logs
from agentworker.hooks import Hooks, HooksUnreachable
from agentworker.job import hold_call, warm_up
from agentworker.leftovers import Leftovers, call_id_of_room
from agentworker.line import line_class
from agentworker.settings import WORKER_ID, SettingsError, WorkerSettings, load
from outreach.domain.contracts import WorkerReport

logger = logging.getLogger(__name__)

REPORT_EVERY = 2.0
"""Seconds; the product takes a worker for lost after three reports that did not come."""
UNHEARD_IS_NEWS = 5
"""Reports in a row that nobody took; fewer are lost whenever the product starts or restarts."""
LEFTOVERS_EVERY = 2.0
LAST_LEFTOVERS_WITHIN = 10.0
WARM = 3
"""Idle job processes that are kept ready."""


def run() -> int:
    """Run the worker until it is told to stop; return the exit code."""
    try:
        settings = load()
        line = line_class(settings.line)
    except (SettingsError, ImportError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    logs.configure(level=settings.log_level)
    os.environ[WORKER_ID] = settings.worker_id
    if not line.has_audio:
        os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")
    settings.spool_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(Worker(settings).run())
    return 0


class Places:
    """How many calls fit, counted exactly.

    LiveKit's own load keeps a slot of `1 / idle processes` for every job that is being accepted, so with
    three idle processes the fourth of four simultaneous jobs is refused, and a refused dispatch is
    dropped in silence. Therefore its threshold is off and the places are counted here.
    """

    def __init__(self, places: int) -> None:
        self.total = places
        self._being_accepted = 0

    def load(self, server: AgentServer) -> float:
        """Return the share of places that are taken; the server gives jobs to the least loaded worker."""
        return min(len(server.active_jobs) / self.total, 1.0)

    def free(self, server: AgentServer) -> int:
        """Return how many more calls fit now."""
        return max(self.total - len(server.active_jobs) - self._being_accepted, 0)

    async def answer(self, server: AgentServer, request: JobRequest) -> None:
        """Take the job as Alex, or leave it to another worker."""
        if not self.free(server):
            logger.warning("no place for a job", extra={"job_id": request.id})
            await request.reject(terminate=False)
            return
        self._being_accepted += 1
        try:
            await request.accept(name="Alex", identity=f"alex-{request.id}")
        finally:
            self._being_accepted -= 1


def build_server(settings: WorkerSettings, places: Places) -> AgentServer:
    """Return the server, with as many jobs as there are places whatever the machine's load looks like."""
    server = AgentServer(
        ws_url=settings.livekit_url,
        api_key=settings.livekit_api_key,
        api_secret=settings.livekit_api_secret,
        host="127.0.0.1",
        port=settings.health_port,
        job_executor_type=JobExecutorType[settings.executor.upper()],
        load_fnc=places.load,
        load_threshold=math.inf,
        num_idle_processes=min(settings.places, WARM),
        drain_timeout=settings.drain_seconds,
        session_end_timeout=20.0,
        shutdown_process_timeout=25.0,
        initialize_process_timeout=30.0,
        setup_fnc=warm_up,
        preload_modules=["agentworker.job", settings.line.rpartition(".")[0]],
    )

    async def answer(request: JobRequest) -> None:
        await places.answer(server, request)

    server.rtc_session(hold_call, agent_name=settings.agent_name, on_request=answer)
    return server


class Worker:
    """The main process at work."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._places = Places(settings.places)
        self._server = build_server(settings, self._places)
        self._hooks = Hooks(base_url=settings.hooks_url, secret=settings.agent_secret)
        self._leftovers = Leftovers(directory=settings.spool_dir, hooks=self._hooks)
        self._stopping = asyncio.Event()
        self._registered = False
        self._server.on("worker_registered", self._note_registered)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; then finish the calls in progress. A second signal cuts them."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_stop, number)
        serving = asyncio.create_task(self._server.run(), name="server")
        chores = [asyncio.create_task(self._report()), asyncio.create_task(self._send_leftovers())]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            await self._drain()
        finally:
            await self._server.aclose()
            for task in (*chores, stopping):
                task.cancel()
            await asyncio.wait({*chores, stopping})
            await self._say_last_things()
            await self._hooks.aclose()

    def report(self) -> WorkerReport:
        """Return what the worker holds now."""
        rooms = [job.job.room.name for job in self._server.active_jobs]
        calls: list[UUID] = [call for room in rooms if (call := call_id_of_room(room)) is not None]
        stopping = self._stopping.is_set()
        # Before LiveKit knows this worker, a dispatch to it would be dropped in silence.
        free = self._places.free(self._server) if self._registered and not stopping else 0
        return WorkerReport(
            worker_id=self._settings.worker_id,
            places=self._settings.places,
            free=free,
            calls=calls,
            draining=stopping,
        )

    def _note_registered(self, *_: object) -> None:
        self._registered = True

    def _told_to_stop(self, number: int) -> None:
        logger.info("told to stop", extra={"signal": signal.Signals(number).name})
        if self._stopping.is_set():
            os._exit(1)
        self._stopping.set()

    async def _drain(self) -> None:
        try:
            await self._server.drain()
        except TimeoutError:
            logger.warning("calls are cut, they did not end in time")

    async def _report(self) -> None:
        unheard = 0
        while True:
            try:
                await self._hooks.post_report(self.report())
                unheard = 0
            except HooksUnreachable as exc:
                unheard += 1
                if unheard == UNHEARD_IS_NEWS:
                    logger.warning("the product does not hear this worker", extra={"error": str(exc)})
            except AttributeError:
                # The server has no process pool before it has started.
                await asyncio.sleep(0.1)
                continue
            await asyncio.sleep(REPORT_EVERY)

    async def _send_leftovers(self) -> None:
        while True:
            await self._leftovers.send()
            await asyncio.sleep(LEFTOVERS_EVERY)

    async def _say_last_things(self) -> None:
        """Send what the last calls left, and that no place is free any more."""
        deadline = asyncio.get_running_loop().time() + LAST_LEFTOVERS_WITHIN
        while await self._leftovers.send() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.5)
