"""One reader of the stream of words per web process, fanned out to everybody who watches.

A viewer that cannot keep up is dropped and comes back with the id of the last event it saw, so a slow
browser costs neither memory nor words.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connections
from pydantic import ValidationError

from outreach.desk.rights import Rights
from outreach.domain.contracts import WORD, WORDS_FIELD, WORDS_STREAM, AnyWord
from outreach.live.ending import before_the_server_stops
from outreach.live.frames import Frames
from outreach.live.standings import Standings
from outreach.live.watching import BoardFigures, CallFacts, call_facts, figures

logger = logging.getLogger(__name__)

_HUBS: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()

QUEUE_SIZE = 256
BLOCK_MS = 15_000
POLL_SECONDS = 1.0
COUNT_EVERY = 5
"""Polls between two countings of people: they cost more than what happens now."""
FRAME_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class SpokenWord:
    """A word with its id in the stream, from which a viewer resumes."""

    event_id: str
    word: AnyWord


@dataclass(eq=False)
class Viewer:
    """One browser that follows one call."""

    call_id: UUID
    queue: asyncio.Queue[SpokenWord | CallFacts | None] = field(
        default_factory=lambda: asyncio.Queue(maxsize=QUEUE_SIZE)
    )
    dropped: bool = False

    def put(self, event: SpokenWord | CallFacts) -> None:
        """Hand over an event, or drop a viewer that is too far behind."""
        if self.dropped:
            return
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped = True

    def end(self) -> None:
        """Let the stream end, also while nothing comes for it."""
        self.dropped = True
        if self.queue.empty():
            self.queue.put_nowait(None)


class Hub:
    """What one event loop reads, and who watches it. Its tasks run only while somebody does."""

    def __init__(self) -> None:
        self._viewers: dict[UUID, set[Viewer]] = defaultdict(set)
        self._boards = 0
        self.ending = False
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Condition()
        self._version = 0
        self._dirty = False
        self._figures: BoardFigures | None = None
        self._frames = Frames()
        self._facts: dict[UUID, CallFacts] = {}
        self._spoken: dict[UUID, AnyWord] = {}
        self.standings = Standings()
        self.redis: Any = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=None)

    @asynccontextmanager
    async def follow(self, call_id: UUID) -> AsyncIterator[Viewer]:
        """Follow one call's words and facts."""
        viewer = Viewer(call_id=call_id, dropped=self.ending)
        self._viewers[call_id].add(viewer)
        self._facts.pop(call_id, None)
        self._wake()
        try:
            yield viewer
        finally:
            self._viewers[call_id].discard(viewer)
            if not self._viewers[call_id]:
                del self._viewers[call_id]
            await self._rest()

    @asynccontextmanager
    async def watch_board(self) -> AsyncIterator[None]:
        """Keep the dashboard's figures coming."""
        self._boards += 1
        self._wake()
        try:
            yield
        finally:
            self._boards -= 1
            await self._rest()

    async def newer_board(
        self, seen: int, *, rights: Rights, zone: str = "UTC"
    ) -> tuple[int, dict[str, str]]:
        """Wait for a version of the dashboard newer than `seen`; return it and its sections' HTML, if any."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._version > seen or self.ending)
        if self._figures is None or self.ending:
            return seen, {}
        sections = self._frames.sections(self._version, self._figures, self._spoken, rights=rights, zone=zone)
        return self._version, sections

    async def end(self) -> None:
        """End every stream; browsers come back by themselves, to the next process."""
        self.ending = True
        for viewer in [viewer for viewers in self._viewers.values() for viewer in viewers]:
            viewer.end()
        async with self._changed:
            self._changed.notify_all()

    def _wake(self) -> None:
        if not any(not task.done() for task in self._tasks):
            work = (self._read_words(), self._poll(), self._make_frames())
            self._tasks = [asyncio.create_task(each) for each in work]

    async def _rest(self) -> None:
        if self._viewers or self._boards:
            return
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read_words(self) -> None:
        last = "$"
        while True:
            try:
                answer = await self.redis.xread({WORDS_STREAM: last}, block=BLOCK_MS, count=500)
            except (redis.RedisError, OSError):
                logger.warning("words unreadable, trying again")
                await asyncio.sleep(POLL_SECONDS)
                continue
            for entry_id, fields in entries_of(answer):
                last = entry_id
                word = word_of(fields)
                if word is not None:
                    self._spread(SpokenWord(event_id=entry_id, word=word))

    def _spread(self, spoken: SpokenWord) -> None:
        for viewer in list(self._viewers.get(spoken.word.call_id, ())):
            viewer.put(spoken)
        if self._boards and spoken.word.kind in ("turn", "partial"):
            self._spoken[spoken.word.call_id] = spoken.word
            self._dirty = True

    async def _poll(self) -> None:
        polls = 0
        while True:
            try:
                await self._ask_database(counting=polls % COUNT_EVERY == 0)
            except DatabaseError:
                logger.warning("figures unreadable, trying again")
            polls += 1
            await asyncio.sleep(POLL_SECONDS)

    async def _ask_database(self, *, counting: bool) -> None:
        watched = list(self._viewers)
        if watched:
            for facts in await _in_thread(call_facts, watched):
                if self._facts.get(facts.call_id) != facts:
                    self._facts[facts.call_id] = facts
                    for viewer in list(self._viewers.get(facts.call_id, ())):
                        viewer.put(facts)
        if self._boards:
            known = None if counting or self._figures is None else self._figures.counts
            self._figures = await _in_thread(figures, known)
            in_the_air = {call.pk for call in self._figures.present.calls}
            self._spoken = {pk: word for pk, word in self._spoken.items() if pk in in_the_air}
            self._dirty = True

    async def _make_frames(self) -> None:
        """Let watchers of the dashboard see what changed, at most four times a second."""
        while True:
            await asyncio.sleep(FRAME_SECONDS)
            if self._dirty and self._figures is not None:
                self._dirty = False
                async with self._changed:
                    self._version += 1
                    self._changed.notify_all()


def hub() -> Hub:
    """Return the running event loop's hub."""
    loop = asyncio.get_running_loop()
    if loop not in _HUBS:
        own = _HUBS[loop] = Hub()
        before_the_server_stops(lambda: asyncio.run_coroutine_threadsafe(own.end(), loop))
    return _HUBS[loop]


def entries_of(answer: Any) -> list[tuple[str, dict[bytes, bytes]]]:
    """Return the entries of an XREAD answer, which is a list (RESP2) or a map (RESP3)."""
    streams = answer.values() if isinstance(answer, dict) else [entries for _, entries in answer or []]
    flat = []
    for entries in streams:
        for entry in entries[0] if entries and isinstance(entries[0], list) else entries:
            flat.append((entry[0].decode(), entry[1] or {}))
    return flat


def word_of(fields: dict[bytes, bytes]) -> AnyWord | None:
    """Return the word of one entry, or None when it is none."""
    try:
        return WORD.validate_json(fields.get(WORDS_FIELD.encode(), b""))
    except ValidationError:
        return None


async def _in_thread(ask: Callable[..., Any], *args: Any) -> Any:
    """Ask the database in a thread that gives its connection back."""

    def ask_and_close() -> Any:
        try:
            return ask(*args)
        finally:
            connections.close_all()

    return await sync_to_async(ask_and_close, thread_sensitive=False)()
