"""The look at an uploaded list before anybody of it is stored: what it holds, and what an import would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

from django.db import connection, transaction

from outreach.domain.csv_columns import UnusableHeader, suggest_fields, unique_headers
from outreach.domain.csv_guessing import SAMPLE
from outreach.domain.csv_headers import Field
from outreach.domain.csv_rows import Person, RowProblem
from outreach.domain.disposition import Disposition
from outreach.models import Campaign, Facilitator, ImportBatch, ImportState, Suppression
from outreach.services import clock, import_files
from outreach.services.import_chunks import DUPLICATE, ROWS_AT_ONCE, Chunk, ListReader
from outreach.services.import_files import FileGone
from outreach.services.import_options import ImportOptions, columns_of, options_of, stored_fields
from outreach.services.import_reading import Table, UnreadableFile, fingerprint, open_table
from outreach.services.import_records import DamagedRow
from outreach.services.import_staging import store_problems
from outreach.services.import_turns import Progress, only_one

#: Codes of warnings that only the look gives: they tell of other lists and calls, not of the row.
ELSEWHERE = ("never_call", "said_no")
#: Rows of the list that the page shows as they will be stored.
FIRST_ROWS = 6


class FirstRow(NamedTuple):
    """A row as it will be stored, or what is wrong with it."""

    line: int
    person: Person | None
    problems: list[RowProblem]


def receive_upload(
    *, campaign_id: int, source: BinaryIO, file_name: str, uploaded_by_id: int | None, options: ImportOptions
) -> ImportBatch:
    """Keep an uploaded list and return its batch: to be looked at, or refused because it is no list.

    :param source: seekable; left open.
    :raises Campaign.DoesNotExist: if there is no such campaign.
    """
    campaign = Campaign.objects.get(pk=campaign_id)
    batch = ImportBatch(
        campaign=campaign, file_name=file_name[-255:], imported_by_id=uploaded_by_id,
        created_at=clock.now(), state=ImportState.UPLOADED,
    )  # fmt: skip
    try:
        look = fingerprint(source)
        batch.sha256, batch.encoding = look.sha256, look.encoding
        with open_table(source, encoding=look.encoding) as table:
            rows = list(islice(table.rows, SAMPLE))
            country = options.default_country or campaign.default_country
            sample = [row.cells for row in rows if not isinstance(row, DamagedRow)]
            fields = suggest_fields(table.headers, sample=sample, default_country=country)
            doubt = look.with_doubt_of(table).doubt
            batch.delimiter, batch.columns = table.delimiter, list(unique_headers(table.headers))
    except (UnreadableFile, UnusableHeader) as exc:
        batch.state, batch.problem, batch.finished_at = ImportState.REFUSED, str(exc)[:500], clock.now()
        batch.save()
        return batch
    batch.options = options.stored() | {"fields": stored_fields(fields), "doubt": doubt}
    batch.path, batch.worked_at = import_files.keep(source), clock.now()
    batch.save()
    return batch


def choose(*, batch_id: int, fields: Sequence[str], options: ImportOptions, campaign_id: int) -> bool:
    """Take an operator's other choices for an uploaded list, which then has to be looked at again.

    :param fields: what each column holds, in the file's order.
    :return: whether anything is other than it was; a list that is past its look, or has other columns, stays.
    """
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update().get(pk=batch_id)
        if batch.state != ImportState.UPLOADED or len(fields) != len(batch.columns):
            return False
        chosen = batch.options | options.stored() | {"fields": list(fields)}
        if (chosen, campaign_id) == (batch.options, batch.campaign_id):
            return False
        chosen.pop("look", None)
        batch.options, batch.campaign_id = chosen, campaign_id
        batch.rows_in_file, batch.rows_done, batch.worked_at = None, 0, clock.now()
        batch.save(update_fields=["options", "campaign", "rows_in_file", "rows_done", "worked_at"])
        return True


def check_import(*, batch_id: int) -> None:
    """Read an uploaded list to its end and write on its batch what an import would do. Idempotent."""
    with only_one(f"look at import {batch_id}") as alone:
        batch = ImportBatch.objects.select_related("campaign").get(pk=batch_id)
        if not alone or batch.state != ImportState.UPLOADED or batch.rows_in_file is not None:
            return
        looked_at = batch.options, batch.campaign_id
        with transaction.atomic():
            look, n_rows = _look(batch)
            batch.refresh_from_db(from_queryset=ImportBatch.objects.select_for_update())
            if batch.state != ImportState.UPLOADED or (batch.options, batch.campaign_id) != looked_at:
                transaction.set_rollback(True)  # the operator has chosen otherwise meanwhile
                return
            batch.options["look"], batch.rows_in_file, batch.worked_at = look, n_rows, clock.now()
            batch.save(update_fields=["options", "rows_in_file", "worked_at"])


def first_rows(batch: ImportBatch) -> list[FirstRow]:
    """Return the first rows as they will be stored; none when the columns say too little."""
    shown: list[FirstRow] = []
    try:
        with import_files.opened(batch.path) as source, open_table(source, encoding=batch.encoding) as table:
            reader = _reader(batch, table)
            for row in islice(table.rows, FIRST_ROWS):
                chunk = next(reader.chunks([row]))
                people: list[Person | None] = [*chunk.people, None]
                shown.append(FirstRow(row.line, people[0], [problem for problem, _ in chunk.problems]))
    except (FileGone, UnreadableFile, UnusableHeader):
        return []
    return shown


def first_cells(batch: ImportBatch, *, n_rows: int) -> list[Sequence[str]]:
    """Return the first rows as they stand in the file; none when it is gone."""
    try:
        with import_files.opened(batch.path) as source, open_table(source, encoding=batch.encoding) as table:
            return [row.cells for row in islice(table.rows, n_rows)]
    except (FileGone, UnreadableFile):
        return []


def discard(*, batch_id: int, by: str) -> None:
    """Let an uploaded list go without an import; one that was begun stays."""
    gone = ImportBatch.objects.filter(pk=batch_id, state=ImportState.UPLOADED)
    path = gone.values_list("path", flat=True).first()
    if gone.update(
        state=ImportState.REFUSED,
        problem=f"Discarded by {by} before the import.",
        finished_at=clock.now(),
        path="",
    ):
        import_files.forget(path or "")


def _look(batch: ImportBatch) -> tuple[dict[str, Any], int]:
    batch.rows.all().delete()
    counts: Counter[str] = Counter()
    try:
        with (
            import_files.opened(batch.path) as source,
            open_table(source, encoding=batch.encoding) as table,
            Progress(batch_id=batch.pk) as progress,
        ):
            reader = _reader(batch, table)
            for chunk in reader.chunks(table.rows):
                _count(batch, chunk, counts)
                if len(chunk.sources) == ROWS_AT_ONCE:  # a short list is done before anybody asks
                    progress.say(reader.n_read)
    except (FileGone, UnreadableFile, UnusableHeader) as exc:
        return {"problem": str(exc)[:500], "in_columns": isinstance(exc, UnusableHeader)}, 0
    return dict(counts), reader.n_read


def _reader(batch: ImportBatch, table: Table) -> ListReader:
    rules = options_of(batch.options).rules(campaign_country=batch.campaign.default_country)
    return ListReader(columns=columns_of(table.headers, batch.options["fields"]), rules=rules)


def _count(batch: ImportBatch, chunk: Chunk, counts: Counter[str]) -> None:
    line_of = {person.number: person.line for person in chunk.people}
    numbers = list(line_of)
    there = Facilitator.objects.filter(campaign_id=batch.campaign_id, number__in=numbers)
    known = set(there.values_list("number", flat=True))
    new = [person for person in chunk.people if person.number not in known]
    suppressed = set(Suppression.objects.filter(number__in=numbers).values_list("number", flat=True))
    quiet = timedelta(days=batch.campaign.quiet_days_after_no)
    said_no = _said_no(numbers, since=clock.now() - quiet)
    refused = {problem.line: problem.code == DUPLICATE for problem, _ in chunk.problems if problem.rejected}
    counts.update(
        known=len(known), new=len(new), suppressed=len(suppressed), said_no=len(said_no),
        held=sum(bool(person.hold_reason) for person in new),
        no_consent=sum(not person.consent_basis for person in new),
        duplicate=sum(refused.values()), invalid=len(refused) - sum(refused.values()),
        warned=len({problem.line for problem, _ in chunk.problems if not problem.rejected}),
    )  # fmt: skip
    elsewhere = [_warning(line_of[number], ELSEWHERE[0], "The number is on the do-not-call list.")
                 for number in suppressed]  # fmt: skip
    elsewhere += [
        _warning(
            line_of[number],
            ELSEWHERE[1],
            f"They said no on {at:%Y-%m-%d}: nobody calls them before {at + quiet:%Y-%m-%d}.",
        )
        for number, at in said_no.items()
    ]
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        store_problems(cursor, batch.pk, [*chunk.problems, *((problem, {}) for problem in elsewhere)])


def _said_no(numbers: list[str], *, since: datetime) -> dict[str, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, max(ended_at) FROM outreach_call WHERE number = ANY(%s) AND disposition = %s"
            " AND ended_at > %s GROUP BY number",
            [numbers, Disposition.NOT_INTERESTED.value, since],
        )
        return dict(cursor.fetchall())


def _warning(line: int, code: str, sentence: str) -> RowProblem:
    return RowProblem(line, Field.PHONE, code, sentence, rejected=False)
