"""Facts and words reach the product whatever is down in between, and survive the death of their job."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis as sync_redis
from aiohttp import web

from agentworker.hooks import Hooks
from agentworker.leftovers import RECORDER_HAS_TIME, Leftovers
from agentworker.reporter import CallReporter, Permission
from agentworker.spool import Spool, spool_path, spools
from agentworker.word_stream import WordStream
from outreach.domain.contracts import (
    FACT,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    WORD,
    WORDS_FIELD,
    WORDS_STREAM,
    AnyFact,
    NoteWord,
    OptOut,
    TurnWord,
    WordsBatch,
)
from outreach.domain.disposition import EndedBy
from tests.agent_kit import NOW, serving

pytestmark = pytest.mark.integration

SECRET = "agent-secret"
CALL = UUID("7b0c6c1e-0000-4000-8000-000000000001")


class Product:
    """The hooks process as the worker sees it: checks signatures, answers by script, stores words."""

    def __init__(self) -> None:
        self.url = ""
        self.facts: list[AnyFact] = []
        self.statuses: list[int] = []
        """Statuses of the next answers to facts; then 200."""
        self.forged = 0
        self.words: dict[tuple[str, int], TurnWord | NoteWord] = {}
        self.posted = 0

    async def fact(self, request: web.Request) -> web.Response:
        """Take a fact."""
        body = await self._verified(request)
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.facts.append(FACT.validate_json(body))
        return web.json_response({"stored": True}, status=status)

    async def take_words(self, request: web.Request) -> web.Response:
        """Store words and say which are missing."""
        batch = WordsBatch.model_validate_json(await self._verified(request))
        self.posted += len(batch.words)
        for word in batch.words:
            self.words[word.kind, word.seq] = word
        end = next((fact for fact in self.facts if fact.kind == "end"), None)
        turns, notes = (end.n_turns, end.n_notes) if end else (0, 0)
        missing = [seq for seq in range(1, turns + 1) if ("turn", seq) not in self.words]
        missing_notes = [seq for seq in range(1, notes + 1) if ("note", seq) not in self.words]
        complete = end is not None and not missing and not missing_notes
        return web.json_response(
            {"complete": complete, "missing_turns": missing, "missing_notes": missing_notes}
        )

    def kinds(self) -> list[str]:
        """Return the kinds of the facts taken."""
        return [fact.kind for fact in self.facts]

    async def _verified(self, request: web.Request) -> bytes:
        body = await request.read()
        stamp = request.headers[TIMESTAMP_HEADER]
        message = f"{stamp}\n{request.path}\n".encode() + body
        expected = hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
        if request.headers[SIGNATURE_HEADER] != expected or abs(time.time() - int(stamp)) > 300:
            self.forged += 1
            raise web.HTTPForbidden
        return body


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    """A product on this machine."""
    stand_in = Product()
    app = web.Application()
    app.router.add_post("/hooks/agent/{call}/fact", stand_in.fact)
    app.router.add_post("/hooks/agent/{call}/words", stand_in.take_words)
    async with serving(app) as url:
        stand_in.url = url
        yield stand_in
    assert stand_in.forged == 0


def a_reporter(url: str, directory: Path, *, redis_url: str = "redis://127.0.0.1:1/0") -> CallReporter:
    """Return the reporter of one job."""
    return CallReporter(
        call_id=CALL,
        worker_id="worker",
        job_id="AJ_1",
        hooks=Hooks(base_url=url, secret=SECRET),
        stream=WordStream(url=redis_url),
        spool=Spool(spool_path(directory, call_id=CALL, job_id="AJ_1")),
    )


def turn(seq: int) -> TurnWord:
    """Return a turn."""
    return TurnWord(call_id=CALL, at=NOW, seq=seq, speaker="person", text=f"Words {seq}")


@asynccontextmanager
async def leftovers(product: Product, directory: Path) -> AsyncIterator[Leftovers]:
    """Yield the main process's broom."""
    hooks = Hooks(base_url=product.url, secret=SECRET)
    try:
        yield Leftovers(directory=directory, hooks=hooks)
    finally:
        await hooks.aclose()


def age(directory: Path) -> None:
    """Let the recorder have had its time."""
    for path in spools(directory):
        old = time.time() - RECORDER_HAS_TIME - 1
        os.utime(path, (old, old))


class TestReady:
    @pytest.mark.parametrize(
        ("status", "permission"),
        [
            (200, Permission.STAY),
            (410, Permission.LEAVE),
            (404, Permission.LEAVE),
            (403, Permission.UNKNOWN),
            (503, Permission.UNKNOWN),
        ],
    )
    async def test_follows_the_product(
        self, status: int, permission: Permission, product: Product, tmp_path: Path
    ) -> None:
        product.statuses = [status]
        reporter = a_reporter(product.url, tmp_path)
        assert await reporter.ready(at=NOW) is permission
        await reporter.forget()
        assert spools(tmp_path) == []

    async def test_is_a_new_fact_each_time(self, product: Product, tmp_path: Path) -> None:
        reporter = a_reporter(product.url, tmp_path)
        await reporter.ready(at=NOW)
        await reporter.ready(at=NOW)
        assert len({fact.fact_id for fact in product.facts}) == 2
        await reporter.forget()

    async def test_does_not_know_what_an_unreachable_product_says(self, tmp_path: Path) -> None:
        reporter = a_reporter("http://127.0.0.1:1", tmp_path)
        assert await reporter.ready(at=NOW) is Permission.UNKNOWN
        await reporter.forget()


class TestFacts:
    async def test_are_sent_again_until_taken_and_in_order(self, product: Product, tmp_path: Path) -> None:
        product.statuses = [503, 429]
        reporter = a_reporter(product.url, tmp_path)
        first, second = (OptOut(fact_id=uuid4(), at=NOW) for _ in range(2))
        reporter.fact(first)
        reporter.fact(second)
        await reporter.finish(within=5)
        assert [fact.fact_id for fact in product.facts] == [first.fact_id, second.fact_id]

    async def test_are_not_repeated_when_they_are_refused(self, product: Product, tmp_path: Path) -> None:
        product.statuses = [400]
        reporter = a_reporter(product.url, tmp_path)
        reporter.fact(OptOut(fact_id=uuid4(), at=NOW))
        await reporter.finish(within=5)
        assert product.facts == []
        spool = Spool(spools(tmp_path)[0], create=False)
        assert spool.read().unsettled == []
        spool.close()

    async def test_are_on_disk_before_they_travel(self, tmp_path: Path) -> None:
        reporter = a_reporter("http://127.0.0.1:1", tmp_path)
        reporter.fact(OptOut(fact_id=uuid4(), at=NOW))
        await reporter.finish(within=0.05)
        spool = Spool(spools(tmp_path)[0], create=False)
        assert [fact.kind for fact in spool.read().unsettled] == ["opt_out"]
        spool.close()


class TestWords:
    async def test_stream_in_order(self, product: Product, tmp_path: Path, valkey: sync_redis.Redis) -> None:
        reporter = a_reporter(product.url, tmp_path, redis_url=os.environ["REDIS_URL"])
        for seq in range(1, 121):
            reporter.word(turn(seq))
        await reporter.finish(within=5)
        entries: Any = valkey.xrange(WORDS_STREAM)
        words = [WORD.validate_json(fields[WORDS_FIELD.encode()]) for _, fields in entries]
        assert [word.seq for word in words] == list(range(1, 121))  # type: ignore[union-attr]

    async def test_never_wait_for_redis(self, product: Product, tmp_path: Path) -> None:
        reporter = a_reporter(product.url, tmp_path)
        started = time.monotonic()
        reporter.word(turn(1))
        await asyncio.sleep(0)
        assert time.monotonic() - started < 0.5
        await reporter.finish(within=0.1)
        assert spools(tmp_path)


class TestLeftovers:
    async def test_finish_the_call_of_a_job_that_was_killed(self, product: Product, tmp_path: Path) -> None:
        reporter = a_reporter(product.url, tmp_path)
        await reporter.ready(at=NOW)
        reporter.word(turn(1))
        reporter.alex_piece(seq=2, text="Hello, this is", stage="opening", at=NOW)
        await reporter.finish(within=0.01)  # what a kill does to the lock
        age(tmp_path)
        async with leftovers(product, tmp_path) as broom:
            await broom.send()
            age(tmp_path)
            assert await broom.send() == 0
        assert product.kinds() == ["ready", "end"]
        end = product.facts[-1]
        assert (end.n_turns, end.ended_by) == (2, EndedBy.WORKER_STOPPED)  # type: ignore[union-attr]
        assert product.words["turn", 2].text == "Hello, this is"
        assert product.words["turn", 2].interrupted  # type: ignore[union-attr]
        assert spools(tmp_path) == []

    async def test_let_the_recorder_store_what_it_has_before_sending_words_again(
        self, product: Product, tmp_path: Path
    ) -> None:
        reporter = a_reporter(product.url, tmp_path)
        await reporter.ready(at=NOW)
        reporter.word(turn(1))
        await reporter.finish(within=0.01)
        async with leftovers(product, tmp_path) as broom:
            await broom.send()
            assert product.posted == 0
            product.words["turn", 1] = turn(1)
            assert await broom.send() == 0
        assert product.posted == 0

    async def test_leave_the_spool_of_a_living_job_alone(self, product: Product, tmp_path: Path) -> None:
        reporter = a_reporter(product.url, tmp_path)
        await reporter.ready(at=NOW)
        async with leftovers(product, tmp_path) as broom:
            assert await broom.send() == 1
        assert product.kinds() == ["ready"]
        await reporter.forget()

    async def test_say_nothing_for_a_job_that_never_held_its_call(
        self, product: Product, tmp_path: Path
    ) -> None:
        Spool(spool_path(tmp_path, call_id=CALL, job_id="AJ_1")).close()
        async with leftovers(product, tmp_path) as broom:
            assert await broom.send() == 0
        assert product.facts == []
        assert spools(tmp_path) == []

    async def test_wait_while_the_product_is_away(self, tmp_path: Path) -> None:
        reporter = a_reporter("http://127.0.0.1:1", tmp_path)
        reporter.fact(OptOut(fact_id=uuid4(), at=NOW))
        await reporter.finish(within=0.01)
        absent = Product()
        absent.url = "http://127.0.0.1:1"
        async with leftovers(absent, tmp_path) as broom:
            assert await broom.send() == 1
        assert spools(tmp_path)

    async def test_set_an_unreadable_spool_aside(self, product: Product, tmp_path: Path) -> None:
        path = spool_path(tmp_path, call_id=CALL, job_id="AJ_1")
        path.write_text(json.dumps(["word", {"kind": "unheard of"}]) + "\n")
        async with leftovers(product, tmp_path) as broom:
            await broom.send()
        assert spools(tmp_path) == []
        assert len(list(tmp_path.glob("*.unreadable"))) == 1
