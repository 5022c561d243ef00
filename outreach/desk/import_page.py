"""What an import's page shows: how far it is, what its list holds, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from outreach.domain.csv_headers import Field
from outreach.models import ImportBatch, ImportRow, ImportState
from outreach.services import import_checking, import_undoing
from outreach.services.import_options import EXTRA, IGNORED, KnownPeople, options_of
from outreach.services.import_remarks import HELD, NEVER_CALLED
from outreach.services.import_staging import CHANGED

PROBLEMS_SHOWN = 40
EXAMPLES = 3

#: What a column may be said to hold, as an operator reads it.
MEANINGS: tuple[tuple[str, str], ...] = (
    *((field.value, field.value.replace("_", " ").capitalize()) for field in Field),
    (EXTRA, "Keep for the script"),
    (IGNORED, "Leave out"),
)


@dataclass(frozen=True, kw_only=True)
class Advance:
    """How far a look or an import is; `percent` is None while the rows are not counted."""

    says: str
    n_done: int
    n_all: int | None
    percent: int | None


@dataclass(frozen=True, kw_only=True)
class ColumnChoice:
    """One column of the file, what it is taken for, and some of its cells."""

    number: int
    header: str
    meaning: str
    cells: tuple[str, ...]


def advance(batch: ImportBatch) -> Advance | None:
    """Return how far the work on a list is, or None when nobody works on it."""
    if batch.state == ImportState.IMPORTING:
        says = "Importing" if batch.rows_done else "Waiting for its turn"
        percent = min(99, 100 * batch.rows_done // batch.rows_in_file) if batch.rows_in_file else None
        return Advance(says=says, n_done=batch.rows_done, n_all=batch.rows_in_file, percent=percent)
    if batch.state == ImportState.UPLOADED and batch.rows_in_file is None:
        return Advance(says="Looking at every row", n_done=batch.rows_done, n_all=None, percent=None)
    return None


def shown(batch: ImportBatch) -> dict[str, Any]:
    """Return what the templates of an import's page want."""
    problems = list(
        ImportRow.objects.filter(batch=batch)
        .exclude(code=CHANGED)
        .order_by("line", "id")[: PROBLEMS_SHOWN + 1]
    )
    context: dict[str, Any] = {
        "advance": advance(batch),
        "problems": problems[:PROBLEMS_SHOWN],
        "more_problems": len(problems) > PROBLEMS_SHOWN,
    }
    if batch.state == ImportState.UPLOADED and batch.rows_in_file is not None:
        context |= _preview(batch)
    if batch.state == ImportState.IMPORTED:
        context["why_not_undone"] = import_undoing.why_not(batch)
        context["not_callable"] = [row for row in problems if row.code in (HELD, NEVER_CALLED)]
    return context


def _preview(batch: ImportBatch) -> dict[str, Any]:
    look, decided = batch.options.get("look", {}), options_of(batch.options)
    leaves_known = decided.known is KnownPeople.SKIP
    return {
        "look": look,
        "consent_basis": decided.consent_basis,
        "n_people": look.get("new", 0) + (0 if leaves_known else look.get("known", 0)),
        "n_left_out": look.get("invalid", 0) + look.get("duplicate", 0),
        "leaves_known": leaves_known,
        "first_rows": import_checking.first_rows(batch),
        "choices": _choices(batch),
        "meanings": MEANINGS,
        "doubt": batch.options.get("doubt", ""),
    }


def _choices(batch: ImportBatch) -> list[ColumnChoice]:
    cells = import_checking.first_cells(batch, n_rows=EXAMPLES)
    return [
        ColumnChoice(
            number=number,
            header=header or f"column {number + 1}",
            meaning=batch.options["fields"][number],
            cells=tuple(row[number][:40] for row in cells if number < len(row) and row[number].strip()),
        )
        for number, header in enumerate(batch.columns)
    ]
