"""Nothing assumes one machine: two of everything but beat, and beat may be two by mistake (test_schedule)."""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.db import connections

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import WORDS_FIELD, WORDS_GROUP, WORDS_STREAM, TurnWord, WorkerReport
from outreach.integrations import words as words_module
from outreach.integrations.words import WordsStream
from outreach.live.hub import Hub, SpokenWord
from outreach.management.recorder import Recorder
from outreach.models import Call, PacingBucket, Turn
from outreach.services import capacity, clock, dialing, dispatching, facts, progress
from tests.factories import a_campaign, a_person, an_agent_worker, pass_time, ready_fact
from tests.fakes import FakeRooms, FakeTelephony
from tests.integration.calls import make_call
from tests.integration.desk_rows import a_live_call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("real_commits")]


def at_once(work: Callable[[int], object], *, n: int = 2) -> None:
    """Run `work` in `n` threads at the same time, each with connections of its own, as processes have."""
    together = threading.Barrier(n)
    problems: list[BaseException] = []

    def run(number: int) -> None:
        try:
            together.wait(10)
            work(number)
        except BaseException as problem:  # noqa: BLE001  (it is raised again in the test)
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[number]) for number in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    if problems:
        raise problems[0]


def a_turn(call: Call, seq: int) -> TurnWord:
    return TurnWord(call_id=call.pk, at=datetime.now(UTC), seq=seq, speaker="alex", text=f"Word {seq}.")


class TestTwoRecorders:
    def test_share_one_stream_and_store_every_word_once(
        self, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(words_module, "BATCH", 10)
        monkeypatch.setattr(words_module, "BLOCK_MS", 10)
        call, n = make_call(CallStatus.IN_PROGRESS), 200
        took: list[list[str]] = [[], []]

        def record(number: int) -> None:
            stream = WordsStream(url=os.environ["REDIS_URL"], consumer=f"machine-{number}")
            stream.create_group()
            read = stream.read

            def noting_read() -> list[words_module.Entry]:
                entries = read()
                took[number] += [entry.entry_id for entry in entries]
                return entries

            monkeypatch.setattr(stream, "read", noting_read)
            recorder = Recorder(stream=stream, stop=threading.Event())
            before = -1
            while before < len(took[number]):
                before = len(took[number])
                recorder.turn()
            stream.close()

        for seq in range(1, n + 1):
            valkey.xadd(WORDS_STREAM, {WORDS_FIELD: a_turn(call, seq).model_dump_json()})
        at_once(record)
        assert list(Turn.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, n + 1))
        assert all(took)
        assert len(set(took[0]) & set(took[1])) == 0
        pending = valkey.xpending(WORDS_STREAM, WORDS_GROUP)
        assert pending["pending"] == 0


class TestTwoWorkers:
    def test_claim_prepare_and_dial_at_the_same_time_and_ring_everybody_once(self) -> None:
        """Each runs every tick, and every task that either has found: all messages are delivered twice."""
        campaign = a_campaign(calls_per_second=1000)
        people = [a_person(campaign) for _ in range(8)]
        PacingBucket.objects.update(tokens=1000)
        an_agent_worker(free=8)
        telephony, rooms = FakeTelephony(), FakeRooms()
        ready: dict[uuid.UUID, str] = {}

        def work(number: int) -> None:
            dispatching.claim_due()
            for call_id in Call.objects.order_by("pk").values_list("pk", flat=True):
                dialing.prepare_call(call_id=call_id, rooms=rooms)
                facts.apply_fact(call_id=call_id, fact=ready_fact(ready.setdefault(call_id, f"job-{number}")))
                dialing.dial_call(call_id=call_id, telephony=telephony)

        at_once(work)
        called = [order.call_id for order in telephony.orders]
        assert sorted(called) == sorted(Call.objects.values_list("pk", flat=True))
        claimed = list(Call.objects.values_list("facilitator_id", flat=True))
        assert sorted(claimed) == [person.pk for person in people]


class TestTwoAgentWorkers:
    def test_offer_their_places_together_and_one_leaves_without_the_other(self) -> None:
        call = make_call(CallStatus.IN_PROGRESS, agent_worker="here")

        def reports(name: str, *, held: list[uuid.UUID], free: int, draining: bool = False) -> None:
            report = WorkerReport(worker_id=name, places=8, free=free, calls=held, draining=draining)
            progress.worker_reported(report=report)

        reports("here", held=[call.pk], free=7)
        reports("there", held=[], free=8)
        assert capacity.agent_places(clock.now()) == (15, 16)
        # A deployment: the old one takes nothing new, and holds what it has.
        reports("here", held=[call.pk], free=0, draining=True)
        assert capacity.agent_places(clock.now())[1] == 8
        # A machine that is gone is no place at all.
        now = pass_time(timedelta(minutes=1))
        reports("there", held=[], free=8)
        assert [worker.worker_id for worker in capacity.live_workers(now)] == ["there"]


class TestTwoWebProcesses:
    async def test_both_show_every_word(self, valkey: redis.Redis) -> None:
        person = await asyncio.to_thread(lambda: a_person(a_campaign()))
        call = await asyncio.to_thread(a_live_call, person)
        async with AsyncExitStack() as watching, asyncio.timeout(10):
            hubs = [Hub(), Hub()]
            viewers = [await watching.enter_async_context(hub.follow(call.pk)) for hub in hubs]
            await asyncio.sleep(0.1)
            valkey.xadd(WORDS_STREAM, {WORDS_FIELD: a_turn(call, 1).model_dump_json()})
            for viewer in viewers:
                while not isinstance(event := await viewer.queue.get(), SpokenWord):
                    pass
                assert event.word.call_id == call.pk
        for hub in hubs:
            await hub.redis.aclose()
