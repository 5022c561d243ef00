"""Importing a list of people into a campaign: the whole file is one outcome, and every bad row is named."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from django.db import connection, transaction

from outreach.domain.csv_cells import CONSENT_BASES
from outreach.domain.csv_columns import Columns, UnusableHeader, match_columns
from outreach.domain.csv_headers import Field
from outreach.domain.csv_person import RowReader
from outreach.domain.csv_rows import Person, RowProblem, RowRules
from outreach.domain.zones import is_country
from outreach.models import Campaign, ImportBatch, ImportState
from outreach.services import clock, import_staging
from outreach.services.import_reading import Fingerprint, Table, UnreadableFile, fingerprint, open_table
from outreach.services.import_records import DamagedRow, Record
from outreach.services.import_remarks import remarks_on
from outreach.services.import_staging import KnownPeople

__all__ = ["ImportOptions", "KnownPeople", "import_file", "refuse_interrupted"]

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 1_000
MAX_ROWS = 1_000_000
MAX_CELL = 2_000
INTERRUPTED = "The import was interrupted and nobody was stored: upload the file again."
BUSY = "Another file is being imported into this campaign right now: wait until it is done."


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What the operator decides about a file.

    :param known: what to do with people who are in the campaign already.
    :param consent_basis: basis for rows without their own; empty: such people are held.
    :param consent_source: where and when that consent was given.
    :param default_country: ISO code for numbers without a country; empty: the campaign's.
    """

    known: KnownPeople = KnownPeople.SKIP
    consent_basis: str = ""
    consent_source: str = ""
    default_country: str = ""

    def __post_init__(self) -> None:
        """Refuse a basis or a country that does not exist."""
        if self.consent_basis and self.consent_basis not in CONSENT_BASES:
            raise ValueError(
                f"{self.consent_basis!r} is no consent basis: use one of {', '.join(CONSENT_BASES)}."
            )
        if self.default_country and not is_country(self.default_country):
            raise ValueError(
                f"{self.default_country!r} is no country: use the two letters of ISO 3166, e.g. US."
            )


@dataclass(kw_only=True)
class _Tally:
    """What has been seen of a file so far. Numbers are kept as integers: half a million fit into 50 MB."""

    read: int = 0
    rejected: int = 0
    first_line_of: dict[int, int] = field(default_factory=dict)


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
        campaign=campaign, file_name=file_name[-255:], imported_by_id=imported_by_id, created_at=clock.now()
    )
    with _only_import(campaign_id) as alone:
        if alone:
            _refuse_unfinished(campaign_id)
        try:
            look = fingerprint(source)
            batch.sha256, batch.encoding = look.sha256, look.encoding
            if alone:
                batch.save()
                with transaction.atomic(durable=True), open_table(source, encoding=look.encoding) as table:
                    _import_table(batch, table, look, options)
            else:
                _refuse(batch, BUSY)
        except (UnreadableFile, UnusableHeader) as exc:
            _refuse(batch, str(exc))
    logger.info(
        "import finished",
        extra={"import_batch_id": batch.pk, "state": batch.state, "rows_created": batch.rows_created,
               "rows_updated": batch.rows_updated, "rows_rejected": batch.rows_rejected},
    )  # fmt: skip
    return batch


def refuse_interrupted() -> int:
    """Refuse the batches whose import died; return how many. Idempotent.

    The sweep asks this every two seconds: one look at a partial index that is nearly always empty. An import
    that still runs is not waited for.
    """
    refused = 0
    importing = ImportBatch.objects.filter(state=ImportState.IMPORTING)
    for campaign_id in importing.values_list("campaign_id", flat=True).distinct():
        with _only_import(campaign_id) as alone:
            refused += _refuse_unfinished(campaign_id) if alone else 0
    return refused


@contextmanager
def _only_import(campaign_id: int) -> Iterator[bool]:
    """Tell whether this is the campaign's only import, and keep it so.

    The lock belongs to the session: a killed process frees it at once, so a batch in state `importing` whose
    lock is free has nobody working on it.
    """
    key = f"import into campaign {campaign_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        alone: bool = cursor.fetchone()[0]
    try:
        yield alone
    finally:
        if alone and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def _refuse_unfinished(campaign_id: int) -> int:
    return ImportBatch.objects.filter(campaign_id=campaign_id, state=ImportState.IMPORTING).update(
        state=ImportState.REFUSED, problem=INTERRUPTED, finished_at=clock.now()
    )


def _refuse(batch: ImportBatch, problem: str) -> None:
    batch.state, batch.problem, batch.finished_at = ImportState.REFUSED, problem[:500], clock.now()
    batch.save()


def _import_table(batch: ImportBatch, table: Table, look: Fingerprint, options: ImportOptions) -> None:
    columns = match_columns(table.headers)
    batch.delimiter, batch.mapping = table.delimiter, columns.mapping()
    rules = RowRules(
        default_country=options.default_country or batch.campaign.default_country,
        consent_basis=options.consent_basis,
        consent_source=options.consent_source[:300],
    )
    import_staging.open_stage()
    tally = _Tally()
    reader = RowReader(columns=columns, rules=rules)
    while rows := list(islice(table.rows, ROWS_AT_ONCE)):
        _stage(batch, rows, reader, columns, tally)
    if not tally.read:
        raise UnreadableFile("The file has a header and no rows.")
    merged = import_staging.merge(batch, known=options.known)
    batch.rows_read, batch.rows_rejected = tally.read, tally.rejected
    batch.rows_created, batch.rows_updated = merged
    batch.rows_unchanged = tally.read - tally.rejected - sum(merged)
    import_staging.store_problems(batch, [(remark, {}) for remark in remarks_on(batch, look, columns)])
    batch.state, batch.finished_at = ImportState.IMPORTED, clock.now()
    batch.save()


def _stage(
    batch: ImportBatch,
    rows: Sequence[Record | DamagedRow],
    reader: RowReader,
    columns: Columns,
    tally: _Tally,
) -> None:
    people: list[Person] = []
    stored: list[tuple[RowProblem, Mapping[str, str]]] = []
    for row in rows:
        person, problems = _read(row, reader, tally)
        tally.read += 1
        if person is None:
            tally.rejected += 1
        else:
            people.append(person)
        for problem in problems:
            stored.append((problem, _named_cells(columns, row.cells) if problem.rejected else {}))
    if tally.read > MAX_ROWS:
        raise UnreadableFile(f"The file has more than {MAX_ROWS:,} rows: split it.")
    import_staging.stage_people(people)
    if stored:
        import_staging.store_problems(batch, stored)


def _read(
    row: Record | DamagedRow, reader: RowReader, tally: _Tally
) -> tuple[Person | None, list[RowProblem]]:
    if isinstance(row, DamagedRow):
        return None, [RowProblem(row.line, "", row.code, row.sentence, rejected=True)]
    person, problems = reader.read(line=row.line, cells=row.cells)
    if person is None:
        return None, problems
    first = tally.first_line_of.setdefault(int(person.number[1:]), row.line)
    if first == row.line:
        return person, problems
    sentence = f"The number is on line {first} already; that row was taken: remove one of the two."
    return None, [*problems, RowProblem(row.line, Field.PHONE, "duplicate", sentence, rejected=True)]


def _named_cells(columns: Columns, cells: Sequence[str]) -> dict[str, str]:
    """Return a refused row as it can be shown and downloaded again."""
    surplus = range(len(columns.headers) + 1, len(cells) + 1)
    headers = [*columns.headers, *(f"column {number} (no header)" for number in surplus)]
    return {
        header: cell.replace("\0", "\u2400")[:MAX_CELL] for header, cell in zip(headers, cells, strict=False)
    }
