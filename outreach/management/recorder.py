"""The recorder: words from the stream into PostgreSQL, acknowledged only after the commit."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from pydantic import ValidationError

from outreach.domain.contracts import WORD, AnyWord, PartialWord
from outreach.integrations.storable import storable
from outreach.integrations.words import Entry, NoGroup, WordsStream, WordsUnavailable
from outreach.models import EventSource
from outreach.services import clock, inbox, recording

logger = logging.getLogger(__name__)

#: Seconds between two looks for what dead consumers left, and between two trims.
TAKE_OVER_EVERY = 10.0
TRIM_EVERY = 60.0
#: Seconds of the pauses while Redis or PostgreSQL is away.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
#: Failures in a row of a database that answers otherwise, after which the batch itself is suspected.
PATIENCE = 5


class _Stopped(Exception):
    """The recorder was told to stop while the database was away; nothing is acknowledged."""


@dataclass(frozen=True, kw_only=True)
class _Read:
    """One entry and the word in it."""

    entry: Entry
    word: AnyWord


class Recorder:
    """Reads, records, acknowledges, for ever; several recorders may share one stream."""

    def __init__(self, *, stream: WordsStream, stop: threading.Event) -> None:
        self._stream = stream
        self._stop = stop
        self._take_over_at = 0.0
        self._trim_at = time.monotonic() + TRIM_EVERY

    def run(self) -> None:
        """Work until told to stop; a batch that is being written is finished first."""
        group_exists = False
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            try:
                if not group_exists:
                    self._stream.create_group()
                    group_exists = True
                self.turn()
                pause = FIRST_PAUSE
            except NoGroup:
                group_exists = False
                logger.warning("stream has lost its consumer group")
                self._stop.wait(FIRST_PAUSE)
            except WordsUnavailable as exc:
                logger.warning("stream is not available", extra={"error": str(exc), "pause": pause})
                self._stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            except _Stopped:
                return

    def turn(self) -> None:
        """Take what is new, and now and then what dead consumers left, into the database.

        :raises WordsUnavailable: when Redis could not be asked; what was not acknowledged comes again.
        """
        if time.monotonic() >= self._take_over_at:
            while left_over := self._stream.take_over():
                self._write(left_over)
            self._take_over_at = time.monotonic() + TAKE_OVER_EVERY
        self._write(self._stream.read())
        if time.monotonic() >= self._trim_at:
            self._stream.trim()
            self._trim_at = time.monotonic() + TRIM_EVERY

    def _write(self, entries: Sequence[Entry]) -> None:
        """Record a batch, then acknowledge it: the other way round a crash would lose it."""
        if not entries:
            return
        batch = []
        for entry in entries:
            try:
                word = WORD.validate_python(storable(json.loads(entry.value)))
            except (ValueError, RecursionError) as exc:
                self._set_aside(entry, _why(exc))
                continue
            if not isinstance(word, PartialWord):
                batch.append(_Read(entry=entry, word=word))
        if batch:
            self._record(batch)
        self._stream.acknowledge([entry.entry_id for entry in entries])

    def _record(self, batch: Sequence[_Read]) -> None:
        """Store a batch; what the database refuses is found by halving and set aside alone."""
        try:
            self._insist(lambda: recording.record_words([read.word for read in batch]))
        except (DatabaseError, InterfaceError, ValueError) as exc:
            if len(batch) == 1:
                self._set_aside(batch[0].entry, _why(exc))
                return
            middle = len(batch) // 2
            self._record(batch[:middle])
            self._record(batch[middle:])

    def _set_aside(self, entry: Entry, reason: str) -> None:
        """Leave an incident in the place of a word that cannot be stored, so that it blocks no other."""
        logger.error("unreadable word is set aside", extra={"entry": entry.entry_id, "reason": reason})
        self._insist(
            lambda: inbox.store_event(
                source=EventSource.OURS,
                event_id=f"word:{entry.entry_id}",
                kind="unreadable_word",
                call=None,
                payload={"entry": entry.entry_id, "reason": reason},
                now=clock.now(),
                incident=True,
            )
        )

    def _insist(self, work: Callable[[], object]) -> None:
        """Do `work`, again and again while the database is away.

        :raises DatabaseError: when the database answers but does not take this work.
        """
        pause, failures = FIRST_PAUSE, 0
        while True:
            try:
                work()
            except (OperationalError, InterfaceError) as exc:
                failures += 1
                if failures >= PATIENCE and _database_answers():
                    raise
                logger.warning(
                    "database is not available", extra={"error": type(exc).__name__, "pause": pause}
                )
                connection.close()
                if self._stop.wait(pause):
                    raise _Stopped from exc
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return


def _database_answers() -> bool:
    connection.close()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (OperationalError, InterfaceError):
        return False
    return True


def _why(error: Exception) -> str:
    """Return why a word is refused, without the word."""
    if isinstance(error, ValidationError):
        found = error.errors(include_input=False, include_url=False, include_context=False)
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in found)[:300]
    state = getattr(error.__cause__, "sqlstate", None)
    return f"{type(error).__name__} {state or ''}".strip()
