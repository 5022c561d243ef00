"""The stream of words in Redis, read as a consumer group: nothing is forgotten before it is acknowledged."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from outreach.domain.contracts import WORDS_FIELD, WORDS_GROUP, WORDS_STREAM
from outreach.domain.defaults import STREAM_HOURS

BATCH = 500
BLOCK_MS = 1000
#: An entry that a consumer has held this long without acknowledging it is taken over.
STALE_MS = 30_000
#: A consumer that holds nothing and has been silent this long is a process of the past.
FORGOTTEN_MS = 60 * 60 * 1000


class WordsUnavailable(Exception):
    """Redis could not be asked; what it holds for us it still holds."""


class NoGroup(WordsUnavailable):
    """The consumer group is gone, because Redis lost its data: create it again."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the stream."""

    entry_id: str
    value: bytes
    """The JSON of one word, or whatever somebody wrote there; empty when the field is missing."""


def consumer_name() -> str:
    """Return this process's name in the group."""
    return f"{socket.gethostname()}-{os.getpid()}"


class WordsStream:
    """The recorder's end of the stream."""

    def __init__(self, *, url: str, consumer: str, stale_ms: int = STALE_MS) -> None:
        # Longer than BLOCK_MS, so that a quiet stream is no time-out (redis-py's own default of 5 s would
        # do too, its ten repetitions would not: the recorder does its own).
        self._redis: Any = redis.Redis.from_url(
            url, socket_timeout=15, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0)
        )
        self._consumer = consumer
        self._stale_ms = stale_ms

    def create_group(self) -> None:
        """Create the group from the stream's beginning; one that exists is fine.

        :raises WordsUnavailable: when Redis could not be asked.
        """
        with _errors():
            try:
                self._redis.xgroup_create(WORDS_STREAM, WORDS_GROUP, id="0", mkstream=True)
            except redis.ResponseError as exc:
                if "BUSYGROUP" not in str(exc):
                    raise

    def read(self) -> list[Entry]:
        """Return new entries, waiting up to `BLOCK_MS` for the first.

        :raises WordsUnavailable: when Redis could not be asked.
        """
        with _errors():
            answer = self._redis.xreadgroup(
                WORDS_GROUP, self._consumer, {WORDS_STREAM: ">"}, count=BATCH, block=BLOCK_MS
            )
        return [_entry(raw) for _stream, raws in answer or [] for raw in raws]

    def take_over(self) -> list[Entry]:
        """Return entries that a consumer, dead or this one before a restart, never acknowledged.

        :raises WordsUnavailable: when Redis could not be asked.
        """
        with _errors():
            _cursor, raws, *_deleted = self._redis.xautoclaim(
                WORDS_STREAM, WORDS_GROUP, self._consumer, min_idle_time=self._stale_ms, count=BATCH
            )
        return [_entry(raw) for raw in raws]

    def acknowledge(self, entry_ids: Sequence[str]) -> None:
        """Tell Redis that these entries are in the database.

        :raises WordsUnavailable: when Redis could not be asked.
        """
        with _errors():
            self._redis.xack(WORDS_STREAM, WORDS_GROUP, *entry_ids)

    def trim(self) -> int:
        """Drop entries that are old and acknowledged, and consumers of the past; return how many entries.

        By id, never by length: a length would drop what is not recorded yet. Ids and "old" both go by
        Redis's own clock.

        :raises WordsUnavailable: when Redis could not be asked.
        """
        with _errors():
            self._forget_consumers()
            return int(self._redis.xtrim(WORDS_STREAM, minid=self._oldest_needed(), approximate=False))

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()

    def _oldest_needed(self) -> str:
        seconds, _micros = self._redis.time()
        needed = [((int(seconds) - STREAM_HOURS * 3600) * 1000, 0)]
        for group in self._redis.xinfo_groups(WORDS_STREAM):
            delivered, sequence = _id(group["last-delivered-id"])
            needed.append((delivered, sequence + 1))
            oldest_pending = self._redis.xpending(WORDS_STREAM, group["name"])["min"]
            if oldest_pending:
                needed.append(_id(oldest_pending))
        milliseconds, sequence = min(needed)
        return f"{max(milliseconds, 0)}-{sequence}"

    def _forget_consumers(self) -> None:
        for consumer in self._redis.xinfo_consumers(WORDS_STREAM, WORDS_GROUP):
            if consumer["pending"] == 0 and consumer["idle"] > FORGOTTEN_MS:
                self._redis.xgroup_delconsumer(WORDS_STREAM, WORDS_GROUP, consumer["name"])


def words_stream() -> WordsStream:
    """Return the stream that the settings name, read as this process."""
    return WordsStream(url=settings.REDIS_URL, consumer=consumer_name())


def asking_client() -> redis.asyncio.Redis:
    """Return a client for one question, such as whether Redis answers."""
    return redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def _entry(raw: tuple[bytes, dict[bytes, bytes] | None]) -> Entry:
    entry_id, fields = raw
    return Entry(entry_id=entry_id.decode(), value=(fields or {}).get(WORDS_FIELD.encode(), b""))


def _id(raw: bytes | str) -> tuple[int, int]:
    text = raw.decode() if isinstance(raw, bytes) else raw
    milliseconds, _dash, sequence = text.partition("-")
    return int(milliseconds), int(sequence or 0)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except redis.ResponseError as exc:
        if "NOGROUP" in str(exc) or "no such key" in str(exc):
            raise NoGroup("the consumer group is gone") from exc
        raise WordsUnavailable(f"Redis refused ({type(exc).__name__})") from exc
    except (redis.RedisError, OSError) as exc:
        raise WordsUnavailable(f"Redis could not be asked ({type(exc).__name__})") from exc
