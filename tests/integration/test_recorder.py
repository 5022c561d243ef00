"""The recorder: what is said ends up in PostgreSQL once, and is forgotten by Redis only then."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import WORDS_FIELD, WORDS_GROUP, WORDS_STREAM
from outreach.domain.defaults import STREAM_HOURS
from outreach.integrations import words as words_module
from outreach.integrations.words import WordsStream
from outreach.management import recorder as recorder_module
from outreach.management.recorder import Recorder
from outreach.models import Call, CallEvent, Note, Turn
from outreach.services import recording
from tests.integration.calls import make_call

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

AT = "2026-11-24T10:00:00Z"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing: a quiet stream is asked once, a pause is next to nothing."""
    monkeypatch.setattr(words_module, "BLOCK_MS", 10)
    monkeypatch.setattr(recorder_module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(recorder_module, "LONGEST_PAUSE", 0.02)


def stream_of(consumer: str, *, stale_ms: int = 30_000) -> WordsStream:
    return WordsStream(url=os.environ["REDIS_URL"], consumer=consumer, stale_ms=stale_ms)


@pytest.fixture
def stream(valkey: redis.Redis) -> Iterator[WordsStream]:
    found = stream_of("first")
    found.create_group()
    yield found
    found.close()


@pytest.fixture
def call() -> Call:
    return make_call(CallStatus.IN_PROGRESS)


@pytest.fixture
def recorder(stream: WordsStream) -> Recorder:
    return Recorder(stream=stream, stop=threading.Event())


def turn(call: Call, seq: int, text: Any = "Hello.", **changed: Any) -> dict[str, Any]:
    word = {"kind": "turn", "call_id": str(call.pk), "at": AT, "seq": seq, "speaker": "alex", "text": text}
    return word | changed


def say(valkey: redis.Redis, *words: Any) -> None:
    for word in words:
        valkey.xadd(WORDS_STREAM, {WORDS_FIELD: word if isinstance(word, bytes) else json.dumps(word)})


def n_pending(valkey: redis.Redis) -> int:
    found: Any = valkey.xpending(WORDS_STREAM, WORDS_GROUP)
    return int(found["pending"])


def said() -> list[tuple[int, str]]:
    return list(Turn.objects.order_by("call", "seq").values_list("seq", "text"))


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class TestTurn:
    def test_stores_words_and_acknowledges_them(
        self, recorder: Recorder, valkey: redis.Redis, call: Call
    ) -> None:
        note = {
            "kind": "note",
            "call_id": str(call.pk),
            "at": AT,
            "seq": 1,
            "text": "Has a van.",
            "turn_seq": 1,
        }
        stage = {"kind": "stage", "call_id": str(call.pk), "at": AT, "stage": "pitch"}
        say(valkey, turn(call, 1), turn(call, 2, speaker="person"), note, stage)
        recorder.turn()
        call.refresh_from_db()
        assert (said(), Note.objects.get().text, call.stage) == (
            [(1, "Hello."), (2, "Hello.")],
            "Has a van.",
            "pitch",
        )
        assert n_pending(valkey) == 0

    def test_stores_a_repeated_turn_once_and_keeps_the_first_text(
        self, recorder: Recorder, valkey: redis.Redis, call: Call
    ) -> None:
        say(valkey, turn(call, 1), turn(call, 1))
        recorder.turn()
        say(valkey, turn(call, 1, "Something else."))
        recorder.turn()
        assert said() == [(1, "Hello.")]

    def test_stores_no_partial_words_but_acknowledges_them(
        self, recorder: Recorder, valkey: redis.Redis, call: Call
    ) -> None:
        say(valkey, {"kind": "partial", "call_id": str(call.pk), "at": AT, "speaker": "alex", "text": "Hel"})
        recorder.turn()
        assert (said(), CallEvent.objects.count(), n_pending(valkey)) == ([], 0, 0)

    def test_stores_a_turn_whose_text_no_column_takes(
        self, recorder: Recorder, valkey: redis.Redis, call: Call
    ) -> None:
        say(valkey, turn(call, 1, "one\x00two\ud800"))
        recorder.turn()
        assert said() == [(1, "onetwo?")]

    def test_says_nothing_when_nothing_is_said(self, recorder: Recorder) -> None:
        recorder.turn()
        assert said() == []


class TestUnreadableWords:
    def test_sets_them_aside_and_stores_the_rest(
        self, recorder: Recorder, valkey: redis.Redis, call: Call
    ) -> None:
        say(
            valkey,
            turn(call, 1),
            b"no json",
            b"\xff\xfe",
            b"[" * 50_000,
            {"kind": "unheard of"},
            turn(call, 0),
            turn(call, 2),
        )
        valkey.xadd(WORDS_STREAM, {"another field": "x"})
        recorder.turn()
        assert [seq for seq, _text in said()] == [1, 2]
        assert CallEvent.objects.filter(source="ours", kind="unreadable_word", incident=True).count() == 6
        assert n_pending(valkey) == 0

    def test_keeps_id_and_reason_but_not_a_word_of_it(
        self, recorder: Recorder, valkey: redis.Redis, call: Call
    ) -> None:
        say(valkey, turn(call, 1, text=["private words"]))
        recorder.turn()
        payload = CallEvent.objects.get().payload
        assert payload["reason"] == "turn.text: string_type"
        assert "private" not in json.dumps(payload)

    def test_finds_the_one_that_the_database_refuses_among_many(
        self, recorder: Recorder, valkey: redis.Redis, call: Call
    ) -> None:
        say(valkey, *(turn(call, seq) for seq in range(1, 40)), turn(call, 2**40), turn(call, 40))
        recorder.turn()
        assert [seq for seq, _text in said()] == list(range(1, 41))
        assert CallEvent.objects.get().payload["reason"].startswith("DataError")
        assert n_pending(valkey) == 0

    def test_counts_one_once_that_is_read_twice(
        self, stream: WordsStream, valkey: redis.Redis, call: Call
    ) -> None:
        say(valkey, b"no json")
        stream.read()
        for name in ("second", "third"):
            other = stream_of(name, stale_ms=0)
            Recorder(stream=other, stop=threading.Event()).turn()
            other.close()
        assert CallEvent.objects.count() == 1


class TestAnAbsentDatabase:
    def test_is_waited_for_and_nothing_is_acknowledged_before_the_commit(
        self, recorder: Recorder, valkey: redis.Redis, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = recording.record_words
        pending_at_failure: list[int] = []

        def away_twice(words: Any) -> None:
            if len(pending_at_failure) < 2:
                pending_at_failure.append(n_pending(valkey))
                raise OperationalError("the database is starting up")
            record(words)

        monkeypatch.setattr(recording, "record_words", away_twice)
        say(valkey, turn(call, 1))
        recorder.turn()
        assert (pending_at_failure, said(), n_pending(valkey)) == ([1, 1], [(1, "Hello.")], 0)

    def test_survives_a_connection_that_was_cut(
        self, recorder: Recorder, valkey: redis.Redis, call: Call
    ) -> None:
        connection.ensure_connection()
        assert connection.connection is not None
        connection.connection.close()
        say(valkey, turn(call, 1))
        recorder.turn()
        assert said() == [(1, "Hello.")]

    def test_does_not_keep_a_recorder_that_was_told_to_stop(
        self, stream: WordsStream, valkey: redis.Redis, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stop = threading.Event()

        def away(_words: Any) -> None:
            stop.set()
            raise OperationalError("the database is gone")

        monkeypatch.setattr(recording, "record_words", away)
        say(valkey, turn(call, 1))
        Recorder(stream=stream, stop=stop).run()
        assert (said(), n_pending(valkey)) == ([], 1)

    def test_is_not_blamed_for_ever_for_words_that_it_fails_on(
        self, recorder: Recorder, valkey: redis.Redis, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = recording.record_words

        def fails_on_two(words: Any) -> None:
            if any(word.seq == 2 for word in words):
                raise OperationalError("program limit exceeded")
            record(words)

        monkeypatch.setattr(recording, "record_words", fails_on_two)
        say(valkey, turn(call, 1), turn(call, 2), turn(call, 3))
        recorder.turn()
        assert [seq for seq, _text in said()] == [1, 3]
        assert CallEvent.objects.get().kind == "unreadable_word"


class TestTheStream:
    def test_takes_over_what_a_dead_consumer_left(
        self, stream: WordsStream, valkey: redis.Redis, call: Call
    ) -> None:
        say(valkey, turn(call, 1))
        assert len(stream.read()) == 1
        heir = stream_of("heir", stale_ms=0)
        Recorder(stream=heir, stop=threading.Event()).turn()
        heir.close()
        assert (said(), n_pending(valkey)) == ([(1, "Hello.")], 0)

    def test_leaves_alone_what_a_living_consumer_has(
        self, stream: WordsStream, valkey: redis.Redis, call: Call
    ) -> None:
        say(valkey, turn(call, 1))
        stream.read()
        neighbour = stream_of("neighbour")
        Recorder(stream=neighbour, stop=threading.Event()).turn()
        neighbour.close()
        assert (said(), n_pending(valkey)) == ([], 1)

    def test_begins_with_what_was_said_before_any_recorder_ran(self, valkey: redis.Redis, call: Call) -> None:
        say(valkey, turn(call, 1))
        late = stream_of("late")
        late.create_group()
        assert len(late.read()) == 1
        late.close()

    def test_creates_its_group_anew_when_redis_has_lost_its_data(
        self, stream: WordsStream, valkey: redis.Redis, call: Call
    ) -> None:
        stop = threading.Event()
        recorder = Recorder(stream=stream, stop=stop)
        turns = recorder.turn

        def lose_everything_first() -> None:
            recorder.turn = turns  # type: ignore[method-assign]
            valkey.flushdb()
            say(valkey, turn(call, 1))
            turns()

        recorder.turn = lose_everything_first  # type: ignore[method-assign]

        def run() -> None:
            recorder.run()
            connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        until(lambda: bool(said()))
        stop.set()
        thread.join()
        assert said() == [(1, "Hello.")]

    def test_is_waited_for_when_redis_is_away(self, call: Call) -> None:
        stop = threading.Event()
        away = WordsStream(url="redis://127.0.0.1:9/0", consumer="x")
        thread = threading.Thread(target=Recorder(stream=away, stop=stop).run)
        thread.start()
        stop.set()
        thread.join(5)
        away.close()
        assert not thread.is_alive()


class TestTrim:
    def old(self, valkey: redis.Redis, call: Call, hours: float, seq: int) -> str:
        entry_id = f"{int((time.time() - hours * 3600) * 1000)}-0"
        valkey.xadd(WORDS_STREAM, {WORDS_FIELD: json.dumps(turn(call, seq))}, id=entry_id)
        return entry_id

    def left(self, valkey: redis.Redis) -> list[str]:
        return [entry_id.decode() for entry_id, _fields in valkey.xrange(WORDS_STREAM)]  # type: ignore[union-attr]

    def test_drops_what_is_old_and_acknowledged(
        self, stream: WordsStream, valkey: redis.Redis, call: Call
    ) -> None:
        self.old(valkey, call, STREAM_HOURS + 1, 1)
        young = self.old(valkey, call, STREAM_HOURS - 1, 2)
        stream.acknowledge([entry.entry_id for entry in stream.read()])
        assert (stream.trim(), self.left(valkey)) == (1, [young])

    def test_keeps_what_nobody_has_read_however_old(
        self, stream: WordsStream, valkey: redis.Redis, call: Call
    ) -> None:
        unread = self.old(valkey, call, 100, 1)
        assert (stream.trim(), self.left(valkey)) == (0, [unread])

    def test_keeps_what_nobody_has_acknowledged_however_old(
        self, stream: WordsStream, valkey: redis.Redis, call: Call
    ) -> None:
        ids = [self.old(valkey, call, hours, int(200 - hours)) for hours in (102, 101, 100)]
        stream.read()
        stream.acknowledge([ids[0], ids[2]])
        assert (stream.trim(), self.left(valkey)) == (1, ids[1:])

    def test_forgets_consumers_of_the_past_but_none_that_holds_words(
        self, stream: WordsStream, valkey: redis.Redis, call: Call, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        say(valkey, turn(call, 1))
        stream.read()
        idle = stream_of("idle")
        idle.read()
        idle.close()
        monkeypatch.setattr(words_module, "FORGOTTEN_MS", -1)
        stream.trim()
        consumers: Any = valkey.xinfo_consumers(WORDS_STREAM, WORDS_GROUP)
        assert [consumer["name"] for consumer in consumers] == [b"first"]


class TestTheCommand:
    def test_records_until_sigterm(self, valkey: redis.Redis, call: Call) -> None:
        root = Path(__file__).resolve().parents[2]
        database = connection.settings_dict
        url = os.environ["DATABASE_URL"].rsplit("/", 1)[0] + f"/{database['NAME']}"
        process = subprocess.Popen(
            [sys.executable, "manage.py", "record"],
            cwd=root,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": url},
        )
        try:
            say(valkey, turn(call, 1), b"no json", turn(call, 2))
            until(lambda: len(said()) == 2 and n_pending(valkey) == 0)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait()
