"""The refused rows of an upload as a list of their own, to be mended and uploaded again."""

from __future__ import annotations

import csv
from itertools import groupby
from typing import TextIO

from outreach.domain.csv_cells import guard_formula
from outreach.domain.csv_columns import PROBLEM_COLUMN
from outreach.models import ImportBatch


def write_rejected(batch: ImportBatch, out: TextIO) -> int:
    """Write the refused rows in their original columns and order, with their problems; return how many.

    Cells that a spreadsheet would compute are guarded by an apostrophe, which an import takes away again.
    """
    headers: list[str] = batch.mapping.get("columns", [])
    written = 0
    writer = csv.writer(out, delimiter=batch.delimiter or ",", lineterminator="\r\n")
    writer.writerow([*map(guard_formula, headers), PROBLEM_COLUMN])
    problems = batch.rows.filter(rejected=True).order_by("line", "pk").iterator()
    for _, group in groupby(problems, key=lambda problem: problem.line):
        of_row = list(group)
        cells: dict[str, str] = of_row[0].cells
        sentences = " ".join(problem.problem for problem in of_row)
        writer.writerow([*(guard_formula(cells.get(header, "").strip()) for header in headers), sentences])
        written += 1
    return written
