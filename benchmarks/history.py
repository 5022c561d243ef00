"""A long history, made up by PostgreSQL itself: people, calls to them, and what was said, by the million.

Rows are made as the product leaves them (history.sql). Indexes, triggers and foreign keys are not kept up
while the rows go in: indexes are made again after, and what the triggers would have counted is counted once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db.backends.utils import CursorWrapper

from benchmarks.people import a_running_campaign
from benchmarks.stage import patient_cursor
from outreach.models import Call, Campaign, Facilitator, ImportBatch, ImportState, Turn
from outreach.services import campaigns, clock

STATEMENTS = Path(__file__).with_suffix(".sql")
DAYS = 90
TURNS_PER_TALK = 10
CAMPAIGNS, BATCHES, CALLERS = 4, 20, 6
#: Of every hundred calls so many were answered by a person.
TALKS = 34


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much has happened."""

    people: int
    calls: int

    @property
    def turns(self) -> int:
        """Turns that were said in all: a third of the calls talk."""
        return self.calls // 3 * TURNS_PER_TALK


def make(size: Size) -> list[Campaign]:
    """Make a history of the last ninety days and return its campaigns, the first of which runs.

    :raises RuntimeError: when there is less than was asked for: something else would be measured.
    """
    found = [a_running_campaign(calls_per_second=0.1, max_open_calls=1)]
    found += [campaigns.duplicate(campaign_id=found[0].pk) for _ in range(CAMPAIGNS - 1)]
    now: datetime = clock.now()
    values: dict[str, Any] = {
        "campaigns": [campaign.pk for campaign in found], "batches": _batches(found, now),
        "script": found[0].script_id, "now": now, "since": now - timedelta(days=DAYS), "people": size.people,
        "calls": size.calls, "callers": CALLERS, "talks": TALKS, "turns": TURNS_PER_TALK,
    }  # fmt: skip
    with patient_cursor() as cursor:
        with _for_bulk(cursor), _without_indexes(cursor):
            for statement in STATEMENTS.read_text(encoding="utf-8").split(";\n\n"):
                cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")  # else writing the history is measured with reading it
    _require(size)
    return found


def _batches(found: list[Campaign], now: datetime) -> list[int]:
    """Return the keys of the uploads that the people came by."""
    batches = (
        ImportBatch(
            campaign=found[n * CAMPAIGNS // BATCHES], file_name=f"people-{n}.csv", sha256=f"{n:064}",
            state=ImportState.IMPORTED, created_at=now, finished_at=now,
        )
        for n in range(BATCHES)
    )  # fmt: skip
    return [batch.pk for batch in ImportBatch.objects.bulk_create(batches)]


@contextmanager
def _for_bulk(cursor: CursorWrapper) -> Iterator[None]:
    """Let the server write much at once: no vacuum, few checkpoints, no trigger, no foreign key."""
    meanwhile = {"autovacuum": "off", "max_wal_size": "'16GB'", "checkpoint_timeout": "'30min'"}
    for name, value in meanwhile.items():
        cursor.execute(f"ALTER SYSTEM SET {name} = {value}")
    cursor.execute("SELECT pg_reload_conf()")
    cursor.execute("SET maintenance_work_mem = '1GB'; SET session_replication_role = replica")
    yield
    cursor.execute("RESET maintenance_work_mem; RESET session_replication_role")
    cursor.execute("ALTER SYSTEM RESET ALL")
    cursor.execute("SELECT pg_reload_conf()")


@contextmanager
def _without_indexes(cursor: CursorWrapper) -> Iterator[None]:
    """Take the indexes of the large tables away meanwhile; those of constraints stay."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s)"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        [[model._meta.db_table for model in (Facilitator, Call, Turn)]],
    )
    found = cursor.fetchall()
    for name, _definition in found:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _name, definition in found:
        cursor.execute(definition)


def _require(size: Size) -> None:
    wanted = {Facilitator: size.people, Call: size.calls, Turn: size.turns}
    for model, least in wanted.items():
        made = model._default_manager.count()
        if made < least:
            raise RuntimeError(f"{made} {model._meta.verbose_name_plural}, wanted {least}")
