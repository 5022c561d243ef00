"""A worker at the room server that takes every job and does nothing, like one whose calls are all silent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from livekit import api
from livekit.protocol import agent

from tests.served import Loop


@contextmanager
def a_job_taker(loop: Loop, *, url: str, name: str, key: str, secret: str) -> Iterator[None]:
    """Have one registered under `name`, in the loop."""

    async def start() -> asyncio.Task[None]:
        registered = asyncio.Event()
        task = asyncio.create_task(_take_jobs(url, name, key, secret, registered))
        await asyncio.wait_for(registered.wait(), 5)
        return task

    task = loop.wait_for(start())
    try:
        yield
    finally:
        loop.do(task.cancel)


async def _take_jobs(url: str, name: str, key: str, secret: str, registered: asyncio.Event) -> None:
    token = api.AccessToken(key, secret).with_grants(api.VideoGrants(agent=True)).to_jwt()
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.ws_connect(f"{url}/agent") as line:
        hello = agent.WorkerMessage()
        hello.register.agent_name = name
        await line.send_bytes(hello.SerializeToString())
        async for frame in line:
            asked = agent.ServerMessage.FromString(frame.data)
            registered.set()
            if asked.HasField("availability"):
                answer = agent.WorkerMessage()
                answer.availability.job_id = asked.availability.job.id
                answer.availability.available = True
                answer.availability.participant_identity = "alex"
                await line.send_bytes(answer.SerializeToString())
