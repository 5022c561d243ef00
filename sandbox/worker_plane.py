"""The agent workers' WebSocket: they register, are asked, get jobs, and lose them when their room ends."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import WSMsgType, web
from livekit.api import AccessToken, TokenVerifier, VideoGrants
from livekit.protocol import agent, agent_dispatch, models

from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.room import Room, new_id
from sandbox.rooms import Rooms

ASSIGN_TIMEOUT = 10.0
"""Seconds that a worker has to say whether it takes a job (livekit-server's AssignJobTimeout)."""
TOKEN_LIFETIME = datetime.timedelta(hours=1)


@dataclass(eq=False, kw_only=True)
class Worker:
    """One registered agent worker."""

    id: str
    agent_name: str
    socket: web.WebSocketResponse
    is_available: bool = True
    load: float = 0.0
    jobs: dict[str, agent.Job] = field(default_factory=dict)

    async def send(self, message: agent.ServerMessage) -> bool:
        """Send `message`; return whether the worker was still there."""
        try:
            await self.socket.send_bytes(message.SerializeToString())
        except (ConnectionError, RuntimeError):
            return False
        return True


class WorkerPlane:
    """Gives jobs to workers. A dispatch that no worker takes is dropped, and nobody is told."""

    def __init__(
        self,
        *,
        rooms: Rooms,
        api_key: str,
        api_secret: str,
        faults: Faults,
        journal: Journal,
    ) -> None:
        self._rooms = rooms
        self._key, self._secret = api_key, api_secret
        self._verifier = TokenVerifier(api_key, api_secret)
        self._faults = faults
        self._journal = journal
        self._workers: dict[str, Worker] = {}
        self._answers: dict[str, asyncio.Future[agent.AvailabilityResponse]] = {}
        self._dispatches: dict[str, list[agent_dispatch.AgentDispatch]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        rooms.listeners.append(self._on_room_event)

    def workers(self) -> list[Worker]:
        """Return the registered workers."""
        return list(self._workers.values())

    def dispatches(self, room_name: str) -> list[agent_dispatch.AgentDispatch]:
        """Return what has been dispatched into a room, whether or not anybody came."""
        return list(self._dispatches.get(room_name, []))

    def dispatch(self, *, room: Room, agent_name: str, metadata: str) -> agent_dispatch.AgentDispatch:
        """Send an agent to a room and return at once; success does not mean that one comes."""
        dispatch = agent_dispatch.AgentDispatch(
            id=new_id("AD"), agent_name=agent_name, room=room.name, metadata=metadata
        )
        self._dispatches.setdefault(room.name, []).append(dispatch)
        if self._faults.strikes("livekit.dispatch_dropped", key=room.name):
            self._journal.note("rooms", "dispatch lost (fault)", room=room.name)
            return dispatch
        job = agent.Job(
            id=new_id("AJ"),
            dispatch_id=dispatch.id,
            type=agent.JobType.JT_ROOM,
            room=room.to_proto(),
            agent_name=agent_name,
            metadata=metadata,
        )
        self._start(self._offer(job, room))
        return dispatch

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Serve `GET /agent`: the token must carry the agent grant."""
        self._check_token(request)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        worker: Worker | None = None
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.BINARY:
                    continue
                message = agent.WorkerMessage.FromString(frame.data)
                if message.HasField("register"):
                    worker = await self._register(socket, message.register)
                elif worker is not None:
                    await self._hear(worker, message)
        finally:
            if worker is not None:
                del self._workers[worker.id]
                self._journal.note("rooms", "worker gone", worker=worker.id, jobs=len(worker.jobs))
        return socket

    async def close(self) -> None:
        """Stop offering jobs and close every worker's socket."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.socket.close() for worker in self.workers()))

    def _check_token(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            claims = self._verifier.verify(token if scheme == "Bearer" else "")
        except jwt.PyJWTError as exc:
            raise web.HTTPUnauthorized(text="invalid authorization token") from exc
        if claims.video is None or not claims.video.agent:
            raise web.HTTPUnauthorized(text="permissions denied")

    async def _register(self, socket: web.WebSocketResponse, asked: agent.RegisterWorkerRequest) -> Worker:
        worker = Worker(id=new_id("AW"), agent_name=asked.agent_name, socket=socket)
        self._workers[worker.id] = worker
        reply = agent.ServerMessage()
        reply.register.worker_id = worker.id
        reply.register.server_info.CopyFrom(models.ServerInfo(version="1.13.5", protocol=16, region=""))
        await worker.send(reply)
        self._journal.note("rooms", "worker registered", worker=worker.id, agent=worker.agent_name)
        return worker

    async def _hear(self, worker: Worker, message: agent.WorkerMessage) -> None:
        match message.WhichOneof("message"):
            case "update_worker":
                worker.is_available = message.update_worker.status == agent.WorkerStatus.WS_AVAILABLE
                worker.load = message.update_worker.load
            case "availability":
                answer = self._answers.get(message.availability.job_id)
                if answer is not None and not answer.done():
                    answer.set_result(message.availability)
            case "update_job":
                if message.update_job.status >= agent.JobStatus.JS_SUCCESS:
                    worker.jobs.pop(message.update_job.job_id, None)
            case "ping":
                pong = agent.ServerMessage()
                pong.pong.last_timestamp = message.ping.timestamp
                pong.pong.timestamp = message.ping.timestamp
                await worker.send(pong)

    async def _offer(self, job: agent.Job, room: Room) -> None:
        asked: set[str] = set()
        while (worker := self._choose(job.agent_name, asked)) is not None:
            asked.add(worker.id)
            answer = await self._ask(worker, job)
            if answer is None or not answer.available:
                if answer is not None and answer.terminate:
                    return
                continue
            if self._rooms.get(room.name) is not room:
                return
            if await self._assign(worker, job, answer):
                return
        self._journal.note("rooms", "dispatch dropped: no worker", room=room.name)

    def _choose(self, agent_name: str, asked: set[str]) -> Worker | None:
        able = [
            worker
            for worker in self._workers.values()
            if worker.agent_name == agent_name and worker.is_available and worker.id not in asked
        ]
        return min(able, key=lambda worker: (worker.load, len(worker.jobs)), default=None)

    async def _ask(self, worker: Worker, job: agent.Job) -> agent.AvailabilityResponse | None:
        question = agent.ServerMessage()
        question.availability.job.CopyFrom(job)
        self._answers[job.id] = asyncio.get_running_loop().create_future()
        try:
            if not await worker.send(question):
                return None
            return await asyncio.wait_for(self._answers[job.id], ASSIGN_TIMEOUT)
        except TimeoutError:
            return None
        finally:
            del self._answers[job.id]

    async def _assign(self, worker: Worker, job: agent.Job, answer: agent.AvailabilityResponse) -> bool:
        token = (
            AccessToken(self._key, self._secret)
            .with_identity(answer.participant_identity)
            .with_name(answer.participant_name)
            .with_metadata(answer.participant_metadata)
            .with_attributes(dict(answer.participant_attributes))
            .with_kind("agent")
            .with_ttl(TOKEN_LIFETIME)
            .with_grants(VideoGrants(room_join=True, room=job.room.name, agent=True))
        )
        assignment = agent.ServerMessage()
        assignment.assignment.job.CopyFrom(job)
        assignment.assignment.token = token.to_jwt()
        worker.jobs[job.id] = job
        for dispatch in self._dispatches.get(job.room.name, []):
            if dispatch.id == job.dispatch_id:
                dispatch.state.jobs.append(job)
        return await worker.send(assignment)

    def _on_room_event(self, event: str, *, room: Room, **_: object) -> None:
        if event != "room_finished":
            return
        self._dispatches.pop(room.name, None)
        for worker in self.workers():
            for job in [job for job in worker.jobs.values() if job.room.sid == room.sid]:
                termination = agent.ServerMessage()
                termination.termination.job_id = job.id
                self._start(self._terminate(worker, termination))

    async def _terminate(self, worker: Worker, termination: agent.ServerMessage) -> None:
        await worker.send(termination)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
