"""Words from the stream into PostgreSQL, search index included, beside a COPY fed by the same reads."""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random

import psycopg
import redis
from django.conf import settings
from django.db import connection

from benchmarks.figures import Figure, Report, main, median, ratios
from benchmarks.people import a_running_campaign, add_people
from benchmarks.stage import connect_to, stage
from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import WORDS_FIELD, WORDS_STREAM, TurnWord
from outreach.domain.standing import CallKind
from outreach.integrations.words import BATCH, WordsStream
from outreach.management.recorder import Recorder
from outreach.models import Call, Facilitator
from outreach.services import clock

#: Calls that are held at once, each with so many turns a round; the stream mixes them.
CALLS, TURNS = 500, 20
ROUNDS = 5
#: Turns that are in the table, and in its indexes, before anything is measured.
BEFORE = 100_000
WORDS_A_TURN = 27
VOCABULARY = 5_000

_COPY = "COPY outreach_turn (call_id, seq, speaker, text, stage, interrupted, said_at) FROM STDIN"
_BEFORE = """
INSERT INTO outreach_turn (call_id, seq, speaker, text, stage, interrupted, said_at)
SELECT call_id, seq + %(turns)s * n, speaker, text, stage, interrupted, said_at
FROM outreach_turn, generate_series(1, %(times)s) AS n
"""


def measure(report: Report) -> None:
    """Record and copy by turns, each from a stream of its own words."""
    ours: list[float] = []
    copied: list[float] = []
    with stage(), connect_to("outreach") as bare:
        speech = _Speech(_calls_in_progress())
        stream = WordsStream(url=settings.REDIS_URL, consumer="benchmark")
        stream.create_group()
        recorder = Recorder(stream=stream, stop=threading.Event())
        _fill_before(speech, recorder)
        for attempt in range(ROUNDS + 1):
            for work, measured in ((recorder.turn, ours), (lambda: _copy(stream, bare), copied)):
                n = speech.say()
                began = time.perf_counter()
                for _ in range(n // BATCH):
                    work()
                if attempt:
                    measured.append(n / (time.perf_counter() - began))
                _expect(bare, speech.said)
        indexes = _indexes(bare)
        stream.close()
    report.figures += [
        Figure(name="turns recorded", value=median(ours), unit="/s", at_least=8_000),
        Figure(name="turns copied by bare psycopg", value=median(copied), unit="/s"),
        Figure(name="share of COPY", value=median(ratios(ours, copied)), at_least=0.5),
        Figure(name="the search index was on", value=float("turn_by_words" in indexes), at_least=1),
    ]
    report.remarks.append(f"{CALLS} calls at once, {WORDS_A_TURN} words a turn, {BEFORE:,} turns before.")


class _Speech:
    """Turns of all calls, mixed as they would come, put into the stream as Alex's worker does."""

    def __init__(self, calls: list[uuid.UUID]) -> None:
        dice = Random(7)
        self._calls = calls
        self._dice = dice
        letters = "abcdefghilmnoprstu"
        self._words = ["".join(dice.choices(letters, k=dice.randint(2, 9))) for _ in range(VOCABULARY)]
        # As in any language, few words make up most of what is said.
        self._weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
        self._seq = 0
        self._redis = redis.Redis.from_url(settings.REDIS_URL)
        self.said = 0

    def say(self) -> int:
        """Let every call go on by a few turns; return how many these are."""
        now = clock.now()
        for _ in range(TURNS):
            self._seq += 1
            pipeline = self._redis.pipeline(transaction=False)
            for call_id in self._calls:
                pipeline.xadd(WORDS_STREAM, {WORDS_FIELD: self._turn(call_id, now).model_dump_json()})
            pipeline.execute()
        self.said += TURNS * len(self._calls)
        return TURNS * len(self._calls)

    def skip(self, turns: int) -> None:
        """Take note that every call has gone on by `turns` without us."""
        self._seq += turns
        self.said += turns * len(self._calls)

    def _turn(self, call_id: uuid.UUID, now: datetime) -> TurnWord:
        text = " ".join(self._dice.choices(self._words, cum_weights=self._weights, k=WORDS_A_TURN))
        speaker = "alex" if self._seq % 2 else "person"
        return TurnWord(call_id=call_id, at=now, seq=self._seq, speaker=speaker, text=text, stage="pitch")


def _calls_in_progress() -> list[uuid.UUID]:
    campaign = a_running_campaign(calls_per_second=100, max_open_calls=CALLS)
    add_people(campaign, first=1, last=CALLS)
    now = clock.now()
    calls = [
        Call(
            facilitator=person,
            campaign=campaign,
            script_id=campaign.script_id,
            number=person.number,
            caller_id=campaign.caller_ids[0],
            kind=CallKind.FIRST.value,
            status=CallStatus.IN_PROGRESS.value,
            queued_at=now,
            answered_at=now,
            deadline_at=now + timedelta(hours=1),
        )
        for person in Facilitator.objects.all()
    ]
    Call.objects.bulk_create(calls)
    return [call.pk for call in calls]


def _fill_before(speech: _Speech, recorder: Recorder) -> None:
    n = speech.say()
    for _ in range(n // BATCH):
        recorder.turn()
    times = BEFORE // n - 1
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, {"turns": TURNS, "times": times})
    speech.skip(TURNS * times)


def _expect(bare: psycopg.Connection, said: int) -> None:
    """Make sure that all that was said is stored: half a batch would have been fast for nothing."""
    row = bare.execute("SELECT count(*) FROM outreach_turn").fetchone()
    if row is None or row[0] != said:
        raise RuntimeError(f"{row} turns are stored instead of {said}")


def _copy(stream: WordsStream, bare: psycopg.Connection) -> None:
    """Do what a recorder without any care would: read, parse, COPY, acknowledge."""
    entries = stream.read()
    with bare.transaction(), bare.cursor() as cursor, cursor.copy(_COPY) as copy:
        for entry in entries:
            word = json.loads(entry.value)
            copy.write_row(
                (
                    *(word["call_id"], word["seq"], word["speaker"], word["text"]),
                    *(word["stage"], word["interrupted"], word["at"]),
                )
            )
    stream.acknowledge([entry.entry_id for entry in entries])


def _indexes(bare: psycopg.Connection) -> set[str]:
    rows = bare.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'outreach_turn'").fetchall()
    return {name for (name,) in rows}


if __name__ == "__main__":
    sys.exit(main("record", measure, description=__doc__))
