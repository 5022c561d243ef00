"""Exporting people: the chosen ones, batch by batch, in cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import xlsxwriter
from django.db.models import QuerySet

from outreach.domain.spreadsheet_cells import safe_cell
from outreach.models import Call, Callback, CallbackState, Facilitator
from outreach.services import clock
from outreach.services.attending import in_batches
from outreach.services.explaining import Because, explain

ROWS_A_SHEET = 1_000_000
"""A sheet ends at 1,048,576 rows."""
_CHUNK = 64 * 1024

COLUMNS: Final = (
    "name", "number", "email", "organisation", "language", "country", "time_zone", "campaign", "priority",
    "standing", "why", "attempts", "next_call_at", "last_call_at", "last_status", "last_outcome",
    "callback_at", "callback_by", "consent_basis", "consent_source", "created_at", "extra",
)  # fmt: skip

#: Digits after a plus, as the database sees to: in a cell of text nobody has to guard it.
_NUMBER = COLUMNS.index("number")


def as_csv(people: QuerySet[Facilitator]) -> Iterator[bytes]:
    """Yield the CSV file of these people, UTF-8 with the mark by which spreadsheets know it."""
    yield b"\xef\xbb\xbf"
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for batch in _batches(people):
        rows.writerows([safe_cell(cell) for cell in row] for row in batch)
        yield written.getvalue().encode()
        written.seek(0)
        written.truncate()
    if written.tell():
        yield written.getvalue().encode()


def as_xlsx(people: QuerySet[Facilitator]) -> Iterator[bytes]:
    """Yield the XLSX file of these people; it is written to disk first, row by row."""
    with tempfile.TemporaryFile() as file:
        _write_book(people, file)
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _write_book(people: QuerySet[Facilitator], file: Any) -> None:
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        sheet, line = _new_sheet(book), 1
        for batch in _batches(people):
            for row in batch:
                if line > ROWS_A_SHEET:
                    sheet, line = _new_sheet(book), 1
                for column, cell in enumerate(row):
                    sheet.write_string(line, column, cell if column == _NUMBER else safe_cell(cell))
                line += 1


def _new_sheet(book: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(COLUMNS):
        sheet.write_string(0, column, name)
    return sheet


def _batches(people: QuerySet[Facilitator]) -> Iterator[list[tuple[str, ...]]]:
    """Yield the rows of `people` in the order in which they came, never more than a batch in memory."""
    for ids in in_batches(people):
        # A campaign is read once a batch, not once a person: most of its columns are JSON.
        batch = Facilitator.objects.filter(pk__in=ids).prefetch_related("campaign").defer("searched")
        yield _rows(list(batch.order_by("pk")))


def _rows(people: Sequence[Facilitator]) -> list[tuple[str, ...]]:
    calls = _last_calls(people)
    promised = {
        callback.facilitator_id: callback
        for callback in Callback.objects.filter(facilitator__in=people, state=CallbackState.PROMISED)
    }
    reasons = explain(people, now=clock.now())
    return [
        _cells(person, reasons[person.pk], calls.get(person.pk), promised.get(person.pk)) for person in people
    ]


def _last_calls(people: Sequence[Facilitator]) -> dict[int, Call]:
    """Return the last call by phone of each of `people` who had one."""
    calls = Call.objects.by_phone().filter(facilitator__in=people)
    newest = calls.order_by("facilitator", "-queued_at").distinct("facilitator")
    return {
        call.person_id: call for call in newest.only("facilitator_id", "queued_at", "status", "disposition")
    }


def _cells(
    person: Facilitator, reasons: Sequence[Because], call: Call | None, promised: Callback | None
) -> tuple[str, ...]:
    return (
        person.name,
        person.number,
        person.email,
        person.organisation,
        person.language,
        person.country,
        person.time_zone,
        person.campaign.name,
        str(person.priority),
        person.standing,
        " ".join(f"{reason.sentence.removesuffix('.')}." for reason in reasons),
        str(person.attempts_made),
        _utc(person.next_call_at),
        _utc(call.queued_at if call else None),
        call.status if call else "",
        call.disposition if call else "",
        _utc(promised.promised_at if promised else None),
        promised.by if promised else "",
        person.consent_basis,
        person.consent_source,
        _utc(person.created_at),
        json.dumps(person.extra, ensure_ascii=False, sort_keys=True) if person.extra else "",
    )


def _utc(at: datetime | None) -> str:
    """Return a time as spreadsheets read it, in UTC; empty for none."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
