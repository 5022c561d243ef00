"""Words on their way into the Redis stream: a queue and one sender, so that speech never waits for Redis."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

import redis.asyncio as redis
from redis.exceptions import RedisError

from outreach.domain.contracts import WORDS_FIELD, WORDS_STREAM, AnyWord, PartialWord

logger = logging.getLogger(__name__)

TIMEOUT = 1.0
"""Seconds for connecting and for each command."""
BATCH = 50
LONGEST = 2000
"""Words held while Redis is away; what falls out is in the spool and goes by POST."""


class WordStream:
    """Sends words to the stream in order; drops partial words first when Redis is away."""

    def __init__(self, *, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, health_check_interval=0
        )
        self._waiting: deque[AnyWord] = deque(maxlen=LONGEST)
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    def send(self, word: AnyWord) -> None:
        """Queue a word; never blocks."""
        self._waiting.append(word)
        self._idle.clear()
        self._more.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="word_stream")

    async def flush(self, *, within: float) -> bool:
        """Return whether every queued word is in the stream `within` seconds."""
        try:
            await asyncio.wait_for(self._idle.wait(), within)
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Stop sending and close the connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._redis.aclose()

    async def _run(self) -> None:
        pause = 0.1
        while True:
            if not self._waiting:
                self._idle.set()
                self._more.clear()
                await self._more.wait()
            batch = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
            try:
                await self._add(batch)
            except (RedisError, OSError, TimeoutError) as exc:
                logger.warning("words wait for redis", extra={"error": type(exc).__name__})
                self._forget_partial_words()
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
                continue
            pause = 0.1
            for sent in batch:
                if self._waiting and self._waiting[0] is sent:
                    self._waiting.popleft()

    async def _add(self, batch: list[AnyWord]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for word in batch:
            pipeline.xadd(WORDS_STREAM, {WORDS_FIELD: word.model_dump_json()})
        await pipeline.execute()

    def _forget_partial_words(self) -> None:
        kept = [word for word in self._waiting if not isinstance(word, PartialWord)]
        self._waiting.clear()
        self._waiting.extend(kept)
