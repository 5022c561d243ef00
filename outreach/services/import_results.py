"""A list as it came, with what became of each person beside their row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from outreach.domain.spreadsheet_cells import safe_cell
from outreach.models import ImportBatch

ROWS_AT_ONCE = 1_000

#: Columns that follow the list's own.
RESULTS = (
    "standing", "why", "disposition", "attempts", "last call (UTC)", "last status", "callback (UTC)",
    "callback by",
)  # fmt: skip
#: Columns of what was said, for those who may read it; after them one for each field that is asked for.
SPOKEN = ("summary", "notes")

#: One row of the list with its person, the last call, the last outcome, and the next promise.
_ROWS = """
SELECT s.line, s.cells, f.id, f.standing, coalesce(nullif(f.not_called_reason, ''), f.standing_reason),
    said.disposition, f.attempts_made, last.queued_at, last.status, promise.promised_at, promise.by
FROM outreach_sourcerow s
LEFT JOIN outreach_facilitator f ON f.campaign_id = %(campaign)s AND f.number = s.number AND s.number <> ''
LEFT JOIN LATERAL (
    SELECT c.queued_at, c.status FROM outreach_call c WHERE c.facilitator_id = f.id AND c.channel = 'phone'
    ORDER BY c.queued_at DESC LIMIT 1) last ON true
LEFT JOIN LATERAL (
    SELECT c.disposition FROM outreach_call c
    WHERE c.facilitator_id = f.id AND c.channel = 'phone' AND c.disposition <> ''
    ORDER BY c.queued_at DESC LIMIT 1) said ON true
LEFT JOIN LATERAL (
    SELECT p.promised_at, p.by FROM outreach_callback p
    WHERE p.facilitator_id = f.id AND p.state = 'promised' ORDER BY p.promised_at LIMIT 1) promise ON true
WHERE s.batch_id = %(batch)s AND s.line > %(after)s
ORDER BY s.line LIMIT %(rows)s
"""
#: Per person what the last conversation came to, and all notes, oldest first.
_SPOKEN = """
SELECT c.facilitator_id,
    (array_agg(m.text ORDER BY c.queued_at DESC) FILTER (WHERE m.state = 'made'))[1],
    (array_agg(m.fields ORDER BY c.queued_at DESC) FILTER (WHERE m.state = 'made'))[1],
    string_agg(n.text, E'\n' ORDER BY c.queued_at, n.seq)
FROM outreach_call c
LEFT JOIN outreach_summary m ON m.call_id = c.id
LEFT JOIN outreach_note n ON n.call_id = c.id
WHERE c.facilitator_id = ANY(%(people)s) AND c.channel = 'phone'
GROUP BY c.facilitator_id
"""


def with_results(batch: ImportBatch, *, spoken: bool) -> Iterator[bytes]:
    """Yield the list in its own columns, order and separator, with what became of everybody, as CSV.

    Cells that a spreadsheet would compute are guarded, as in every file that leaves us.

    :param spoken: whether the summary, the notes and the fields read out of the conversations belong to it.
    """
    asked = [field["name"] for field in batch.campaign.asks_for] if spoken else []
    headers = [*batch.columns, *RESULTS, *(SPOKEN if spoken else ()), *asked]
    yield b"\xef\xbb\xbf" + _written(batch, [headers])
    after = 0
    while rows := _rows(batch, after):
        said = _said([row[2] for row in rows if row[2] is not None]) if spoken else {}
        yield _written(batch, [_line(batch, row, said, asked, spoken=spoken) for row in rows])
        after = rows[-1][0]


def _rows(batch: ImportBatch, after: int) -> list[tuple[Any, ...]]:
    values = {"campaign": batch.campaign_id, "batch": batch.pk, "after": after, "rows": ROWS_AT_ONCE}
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, values)
        return list(cursor.fetchall())


def _said(people: list[int]) -> dict[int, tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_SPOKEN, {"people": people})
        return {row[0]: row[1:] for row in cursor.fetchall()}


def _line(
    batch: ImportBatch,
    row: Sequence[Any],
    said: Mapping[int, tuple[Any, ...]],
    asked: Sequence[str],
    *,
    spoken: bool,
) -> list[Any]:
    _line_number, cells, person_id, *results = row
    width = len(batch.columns)
    own = [*json.loads(cells), *[""] * width][:width]
    line = [*own, *results]
    if person_id is None:
        line[width] = "not imported"
    if spoken:
        summary, fields, notes = said.get(person_id, ("", None, ""))
        values = {field["name"]: field["value"] for field in json.loads(fields or "[]")}
        line += [summary, notes, *(values.get(name, "") for name in asked)]
    return line


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)


def _written(batch: ImportBatch, rows: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=batch.delimiter or ",", lineterminator="\r\n")
    writer.writerows([safe_cell(_shown(cell)) for cell in row] for row in rows)
    return out.getvalue().encode()
