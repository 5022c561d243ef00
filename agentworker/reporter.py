"""What Alex tells the product about one call: facts by signed POST, words by stream, both spooled first."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID, uuid4

from agentworker.hooks import Answer, Hooks, HooksUnreachable
from agentworker.spool import Spool
from agentworker.word_stream import WordStream
from outreach.domain.contracts import AnyFact, AnyWord, PartialWord, Ready, Stage

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0


class Permission(Enum):
    """What the product said to `ready`."""

    STAY = "stay"
    LEAVE = "leave"
    UNKNOWN = "unknown"


class Reporter(Protocol):
    """Where a conversation reports to."""

    async def ready(self, *, at: datetime) -> Permission:
        """Say that Alex is in the room; return whether he may stay."""

    def fact(self, fact: AnyFact) -> None:
        """Report a fact; it travels until it is taken."""

    def word(self, word: AnyWord) -> None:
        """Report a word."""

    def alex_piece(self, *, seq: int, text: str, stage: Stage, at: datetime) -> None:
        """Remember a piece of a turn that is not over yet."""


class CallReporter:
    """Reports one call of one job."""

    def __init__(
        self, *, call_id: UUID, worker_id: str, job_id: str, hooks: Hooks, stream: WordStream, spool: Spool
    ) -> None:
        self._call_id = call_id
        self._worker_id = worker_id
        self._job_id = job_id
        self._hooks = hooks
        self._stream = stream
        self._spool = spool
        self._facts: deque[AnyFact] = deque()
        self._sender: asyncio.Task[None] | None = None

    async def ready(self, *, at: datetime) -> Permission:
        """Say that Alex is in the room. Each time is a new fact: a repeated one would not be fresh."""
        fact = Ready(fact_id=uuid4(), at=at, worker_id=self._worker_id, job_id=self._job_id)
        try:
            answer = await self._hooks.post_fact(call_id=self._call_id, fact=fact)
        except HooksUnreachable:
            return Permission.UNKNOWN
        if answer is not Answer.TAKEN:
            return Permission.LEAVE
        self._spool.accepted(at=at)
        return Permission.STAY

    def fact(self, fact: AnyFact) -> None:
        """Spool a fact and send it until it is taken."""
        self._spool.fact(fact)
        self._facts.append(fact)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_facts(), name="facts")

    def word(self, word: AnyWord) -> None:
        """Spool a word (a partial one has its pieces there) and stream it."""
        if not isinstance(word, PartialWord):
            self._spool.word(word)
        self._stream.send(word)

    def alex_piece(self, *, seq: int, text: str, stage: Stage, at: datetime) -> None:
        """Spool a piece of Alex's turn."""
        self._spool.piece(seq=seq, text=text, stage=stage, at=at)

    async def finish(self, *, within: float) -> None:
        """Send what is left for up to `within` seconds; the worker's main process sends the rest."""
        if self._sender is not None:
            await asyncio.wait({self._sender}, timeout=within)
        await self._stream.flush(within=min(within, 2.0))
        await self._close()
        self._spool.close()

    async def forget(self) -> None:
        """Drop the spool: this job was told to leave and has nothing to say."""
        await self._close()
        self._spool.delete()

    async def _close(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait({self._sender})
        await self._stream.aclose()
        await self._hooks.aclose()

    async def _send_facts(self) -> None:
        pause = FIRST_PAUSE
        while self._facts:
            fact = self._facts[0]
            try:
                answer = await self._hooks.post_fact(call_id=self._call_id, fact=fact)
            except HooksUnreachable as exc:
                logger.warning("a fact waits for the product", extra={"kind": fact.kind, "error": str(exc)})
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            self._facts.popleft()
            self._spool.settled(fact.fact_id)
            if answer is not Answer.TAKEN:
                logger.error("a fact was refused", extra={"kind": fact.kind, "call_id": str(self._call_id)})
