"""The refused rows of an upload as a list of their own, to be mended and uploaded again."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from typing import TextIO

from outreach.domain.csv_cells import guard_formula
from outreach.domain.csv_columns import PROBLEM_COLUMN
from outreach.models import ImportBatch

_PIECE = 64 * 1024


def write_rejected(batch: ImportBatch, out: TextIO) -> int:
    """Write the refused rows in their original columns and order, with their problems; return how many.

    Cells that a spreadsheet would compute are guarded by an apostrophe, which an import takes away again.
    """
    headers: list[str] = batch.mapping.get("columns") or batch.columns
    written = -1  # the header is none
    writer = csv.writer(out, delimiter=batch.delimiter or ",", lineterminator="\r\n")
    for line in _lines(batch, headers):
        writer.writerow(line)
        written += 1
    return written


def rejected_rows(batch: ImportBatch) -> Iterator[bytes]:
    """Yield the same as a file, UTF-8 with the mark by which spreadsheets know it."""
    headers: list[str] = batch.mapping.get("columns") or batch.columns
    out = io.StringIO("\ufeff", newline="")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out, delimiter=batch.delimiter or ",", lineterminator="\r\n")
    for line in _lines(batch, headers):
        writer.writerow(line)
        if out.tell() > _PIECE:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _lines(batch: ImportBatch, headers: list[str]) -> Iterator[list[str]]:
    yield [*map(guard_formula, headers), PROBLEM_COLUMN]
    problems = batch.rows.filter(rejected=True).order_by("line", "pk").iterator()
    for _, group in groupby(problems, key=lambda problem: problem.line):
        of_row = list(group)
        cells: dict[str, str] = of_row[0].cells
        sentences = " ".join(problem.problem for problem in of_row)
        own = (guard_formula(cells.get(header, "").strip()) for header in headers)
        yield [*own, sentences, *_surplus(cells, headers)]


def _surplus(cells: Mapping[str, str], headers: Collection[str]) -> list[str]:
    """Return what a row holds beyond its columns, in its order: it stands after the problem, not lost."""
    beyond = [header for header in cells if header not in headers]
    return [
        guard_formula(cells[header].strip()) for header in sorted(beyond, key=lambda name: (len(name), name))
    ]
