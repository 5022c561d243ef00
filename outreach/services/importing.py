"""Importing a list of people into a campaign: the whole file is one outcome, and every bad row is named."""

from __future__ import annotations

import logging
from itertools import chain, islice
from typing import BinaryIO

from django.db import transaction

from outreach.domain.csv_columns import Columns, UnusableHeader, match_columns
from outreach.domain.csv_guessing import SAMPLE
from outreach.models import Campaign, ImportBatch, ImportState
from outreach.services import clock, import_files
from outreach.services.import_checking import ELSEWHERE
from outreach.services.import_files import FileGone
from outreach.services.import_options import ImportOptions, KnownPeople, columns_of, options_of
from outreach.services.import_reading import Table, UnreadableFile, fingerprint, open_table
from outreach.services.import_records import DamagedRow
from outreach.services.import_table import import_table
from outreach.services.import_turns import import_into, only_one

__all__ = ["ImportOptions", "KnownPeople", "NotReady", "begin_import", "import_file", "refuse_interrupted",
           "run_import"]  # fmt: skip

logger = logging.getLogger(__name__)

INTERRUPTED = "The import was interrupted and nobody was stored: upload the file again."
GIVEN_UP = "The import was interrupted several times and nobody was stored: upload the file in smaller parts."
BUSY = "Another file is being imported into this campaign right now: wait until it is done."
#: Times that an import is begun anew after its process died.
MAX_STARTS = 5


class NotReady(Exception):
    """The list cannot be imported as it stands; the sentence says why."""


def import_file(
    *, campaign_id: int, source: BinaryIO, file_name: str, imported_by_id: int | None, options: ImportOptions
) -> ImportBatch:
    """Import a CSV file and return its batch: imported, or refused as a whole with the problem named.

    People, refused rows and counts become visible at once or not at all. A process that is killed leaves a
    batch in state `importing` and nobody stored; the next import or `refuse_interrupted` says so.

    :param source: seekable; it is read twice and left open.
    :raises Campaign.DoesNotExist: if there is no such campaign.
    """
    campaign = Campaign.objects.get(pk=campaign_id)
    batch = ImportBatch(
        campaign=campaign, file_name=file_name[-255:], imported_by_id=imported_by_id,
        created_at=clock.now(), options=options.stored(),
    )  # fmt: skip
    with only_one(import_into(campaign_id)) as alone:
        if alone:
            _refuse_unfinished(campaign_id)
        try:
            look = fingerprint(source)
            batch.sha256, batch.encoding = look.sha256, look.encoding
            if alone:
                batch.save()
                with transaction.atomic(durable=True), open_table(source, encoding=look.encoding) as table:
                    look = look.with_doubt_of(table)
                    table, columns = _matched(table, options.default_country or campaign.default_country)
                    import_table(batch, table=table, look=look, columns=columns, options=options)
            else:
                _refuse(batch, BUSY)
        except (UnreadableFile, UnusableHeader) as exc:
            _refuse(batch, str(exc))
    _log(batch)
    return batch


def begin_import(*, batch_id: int) -> None:
    """Let an uploaded list that was looked at be imported; the caller enqueues the task.

    :raises NotReady: if it was not looked at, cannot be read, or is past that.
    """
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update().get(pk=batch_id)
        if batch.state != ImportState.UPLOADED:
            raise NotReady(f"This list is {batch.get_state_display().lower()} already.")
        look = batch.options.get("look", {})
        if batch.rows_in_file is None:
            raise NotReady("The list is still being looked at: wait until its rows are counted.")
        if look.get("problem"):
            raise NotReady(look["problem"])
        batch.state, batch.rows_done, batch.worked_at = ImportState.IMPORTING, 0, clock.now()
        batch.save(update_fields=["state", "rows_done", "worked_at"])


def run_import(*, batch_id: int) -> None:
    """Import the kept file of a batch that was begun. Idempotent: what is done or under way is left alone.

    A process that is killed leaves nobody behind; the next run of the same batch starts from the first row.
    """
    batch = ImportBatch.objects.select_related("campaign").get(pk=batch_id)
    with only_one(import_into(batch.campaign_id)) as alone:
        if not alone:
            return  # its turn comes with a later tick
        batch.refresh_from_db()
        if batch.state != ImportState.IMPORTING:
            return
        batch.options["starts"] = batch.options.get("starts", 0) + 1
        batch.worked_at = clock.now()
        batch.save(update_fields=["options", "worked_at"])
        if batch.options["starts"] > MAX_STARTS:
            _refuse(batch, GIVEN_UP)
            return
        try:
            with import_files.opened(batch.path) as source:
                _import_kept(batch, source)
        except (FileGone, UnreadableFile, UnusableHeader) as exc:
            _refuse(batch, str(exc))
    _log(batch)


def refuse_interrupted() -> int:
    """Refuse the batches whose import died and whose file is not kept; return how many. Idempotent.

    The sweep asks this every two seconds: one look at a partial index that is nearly always empty. An import
    that still runs is not waited for.
    """
    refused = 0
    importing = ImportBatch.objects.filter(state=ImportState.IMPORTING, path="")
    for campaign_id in importing.values_list("campaign_id", flat=True).distinct():
        with only_one(import_into(campaign_id)) as alone:
            refused += _refuse_unfinished(campaign_id) if alone else 0
    return refused


def _import_kept(batch: ImportBatch, source: BinaryIO) -> None:
    look = fingerprint(source)
    with transaction.atomic(durable=True), open_table(source, encoding=look.encoding) as table:
        columns = columns_of(table.headers, batch.options["fields"])
        batch.rows.exclude(code__in=ELSEWHERE).delete()
        look = look.with_doubt_of(table)
        import_table(batch, table=table, look=look, columns=columns, options=options_of(batch.options))


def _matched(table: Table, country: str) -> tuple[Table, Columns]:
    """Return the columns of a list, and the list with the rows that were looked at for them."""
    rows = list(islice(table.rows, SAMPLE))
    sample = [row.cells for row in rows if not isinstance(row, DamagedRow)]
    columns = match_columns(table.headers, sample=sample, default_country=country)
    return Table(delimiter=table.delimiter, headers=table.headers, rows=chain(rows, table.rows)), columns


def _refuse_unfinished(campaign_id: int) -> int:
    return ImportBatch.objects.filter(campaign_id=campaign_id, state=ImportState.IMPORTING, path="").update(
        state=ImportState.REFUSED, problem=INTERRUPTED, finished_at=clock.now()
    )


def _refuse(batch: ImportBatch, problem: str) -> None:
    batch.state, batch.problem, batch.finished_at = ImportState.REFUSED, problem[:500], clock.now()
    batch.save()


def _log(batch: ImportBatch) -> None:
    logger.info(
        "import finished",
        extra={"import_batch_id": batch.pk, "state": batch.state, "rows_created": batch.rows_created,
               "rows_updated": batch.rows_updated, "rows_rejected": batch.rows_rejected},
    )  # fmt: skip
