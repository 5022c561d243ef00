"""One list into its campaign: the next rows are read while PostgreSQL stores the last ones."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
from django.db import connection

from outreach.domain.csv_columns import Columns
from outreach.models import ImportBatch, ImportState
from outreach.services import clock
from outreach.services.import_chunks import ListReader
from outreach.services.import_options import ImportOptions
from outreach.services.import_reading import Fingerprint, Table
from outreach.services.import_remarks import remarks_on
from outreach.services.import_staging import Stage, store_problems
from outreach.services.import_turns import Progress

#: What an import writes on its batch; what is not named here others may write meanwhile.
_WRITTEN = (
    "delimiter", "mapping", "columns", "rows_in_file", "rows_done", "rows_read", "rows_created",
    "rows_updated", "rows_unchanged", "rows_rejected", "state", "problem", "finished_at",
)  # fmt: skip


def import_table(
    batch: ImportBatch, *, table: Table, look: Fingerprint, columns: Columns, options: ImportOptions
) -> None:
    """Store a list's people, rows and problems, and write its counts on the batch.

    The caller has begun the transaction, in which everything becomes visible at once.

    :raises UnreadableFile: if it has no rows or too many.
    """
    batch.delimiter, batch.mapping = table.delimiter, columns.mapping()
    batch.columns = list(columns.headers)
    reader = ListReader(columns=columns, rules=options.rules(campaign_country=batch.campaign.default_country))
    stage = Stage(session=_session(), batch=batch, known=options.known)
    with Progress(batch_id=batch.pk) as progress:
        _store(reader, table, stage, progress)
    batch.rows_read = batch.rows_done = batch.rows_in_file = reader.n_read
    batch.rows_rejected, batch.rows_created = reader.n_rejected, stage.n_created
    batch.rows_updated = stage.change_known()
    batch.rows_unchanged = reader.n_read - reader.n_rejected - batch.rows_created - batch.rows_updated
    with _session().cursor() as cursor:
        store_problems(cursor, batch.pk, [(remark, {}) for remark in remarks_on(batch, look, columns)])
    batch.state, batch.problem, batch.finished_at = ImportState.IMPORTED, "", clock.now()
    batch.save(update_fields=_WRITTEN)


def _store(reader: ListReader, table: Table, stage: Stage, progress: Progress) -> None:
    """Hand chunk after chunk to a thread that only waits for PostgreSQL; one is under way at a time."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="import") as storing:
        under_way: Future[None] | None = None
        done = 0
        for chunk in reader.chunks(table.rows):
            if under_way is not None:
                under_way.result()
                progress.say(done)
            under_way = storing.submit(stage.store, chunk)
            done = reader.n_read
        if under_way is not None:
            under_way.result()


def _session() -> psycopg.Connection[Any]:
    connection.ensure_connection()
    session: psycopg.Connection[Any] = connection.connection
    return session
