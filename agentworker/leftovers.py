"""Spools whose job is over: sent again by the worker's main process until the database has everything."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

from agentworker.answering import MACHINES
from agentworker.hooks import Hooks, HooksUnreachable
from agentworker.spool import Leftover, Spool, SpoolTaken, spools
from outreach.domain.contracts import (
    AnsweredFact,
    AnyFact,
    End,
    NoteWord,
    OptOut,
    TurnWord,
    WordsBatch,
    WordsStored,
)
from outreach.domain.disposition import EndedBy
from outreach.domain.stop_phrases import asks_to_stop

logger = logging.getLogger(__name__)

RECORDER_HAS_TIME = 3.0
"""Seconds that the recorder gets to store a call's words before they are posted again."""
BATCH = 100
UNTOUCHED_IS_STRANGE = 24 * 3600.0
"""Seconds after which a spool that nobody wants is said to be so, and set aside."""


class Leftovers:
    """Empties the spool directory; live jobs hold a lock on theirs and are left alone."""

    def __init__(self, *, directory: Path, hooks: Hooks) -> None:
        self._directory = directory
        self._hooks = hooks

    async def send(self) -> int:
        """Send what can be sent now; return how many spools are left. Idempotent."""
        left = 0
        for path in await asyncio.to_thread(spools, self._directory):
            try:
                spool = Spool(path, create=False)
            except (SpoolTaken, FileNotFoundError):
                left += 1
                continue
            try:
                done = await self._send_one(spool, age=time.time() - path.stat().st_mtime)
            except HooksUnreachable as exc:
                logger.warning("a spool waits for the product", extra={"spool": path.name, "error": str(exc)})
                spool.close()
                return left + 1
            if done:
                spool.delete()
            else:
                spool.close()
                left += 1
        return left

    async def _send_one(self, spool: Spool, *, age: float) -> bool:
        """Return whether the spool has nothing left to say.

        :raises HooksUnreachable: when the product cannot be asked.
        """
        try:
            found = spool.read()
        except ValueError:
            logger.exception("a spool is not readable, set aside", extra={"spool": spool.path.name})
            spool.path.rename(spool.path.with_suffix(".unreadable"))
            return True
        if not found.accepted and not found.facts:
            return True
        await self._send_facts(spool, found)
        return await self._words_are_stored(found, age=age)

    async def _send_facts(self, spool: Spool, found: Leftover) -> None:
        if not found.ended:
            end = lost_end(found)
            lost: list[AnyFact] = [*lost_opt_out(found), end]
            for fact in lost:
                spool.fact(fact)
                found.facts[fact.fact_id] = fact
            logger.warning(
                "a job died in its call", extra={"call_id": str(found.call_id), "turns": end.n_turns}
            )
        for fact in found.unsettled:
            await self._hooks.post_fact(call_id=found.call_id, fact=fact)
            spool.settled(fact.fact_id)

    async def _words_are_stored(self, found: Leftover, *, age: float) -> bool:
        stored = await self._hooks.post_words(call_id=found.call_id, batch=WordsBatch(words=[]))
        if stored is None:
            logger.error("nobody wants the words of a call", extra={"call_id": str(found.call_id)})
            return True
        if stored.complete or not (missing := missing_words(found, stored)):
            return stored.complete or age > UNTOUCHED_IS_STRANGE
        if age < RECORDER_HAS_TIME:
            return False
        for start in range(0, len(missing), BATCH):
            batch = WordsBatch(words=missing[start : start + BATCH])
            stored = await self._hooks.post_words(call_id=found.call_id, batch=batch)
        return stored is None or stored.complete


def lost_opt_out(found: Leftover) -> list[OptOut]:
    """Return the opt-out that was spoken to a job which died before it could say so, if there was one."""
    heard = [fact.answered_by for fact in found.facts.values() if isinstance(fact, AnsweredFact)]
    if (heard and heard[-1] in MACHINES) or any(isinstance(fact, OptOut) for fact in found.facts.values()):
        return []
    asked = [t for t in found.turns.values() if t.speaker == "person" and asks_to_stop(t.text)]
    return [
        OptOut(
            fact_id=uuid5(found.call_id, "lost_opt_out"), at=turn.at, evidence_seq=turn.seq, how="last_words"
        )
        for turn in asked[:1]
    ]


def lost_end(found: Leftover) -> End:
    """Return the end of a call whose job died; the same spool always makes the same fact."""
    return End(
        fact_id=uuid5(found.call_id, "worker_stopped"),
        at=found.last_at or datetime.now(tz=UTC),
        n_turns=found.n_turns,
        n_notes=found.n_notes,
        ended_by=EndedBy.WORKER_STOPPED,
    )


def missing_words(found: Leftover, stored: WordsStored) -> list[TurnWord | NoteWord]:
    """Return the words that the database lacks, as far as the spool has them."""
    turns = [found.turns[seq] for seq in stored.missing_turns if seq in found.turns]
    notes = [found.notes[seq] for seq in stored.missing_notes if seq in found.notes]
    return [*turns, *notes]


def call_id_of_room(room: str) -> UUID | None:
    """Return the call that the room `call-<uuid>` is for, None for a room of another kind."""
    try:
        return UUID(room.removeprefix("call-")) if room.startswith("call-") else None
    except ValueError:
        return None
