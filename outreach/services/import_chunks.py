"""From a list's rows to people and problems, a few thousand at a time: the same for a look and an import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from outreach.domain.csv_columns import Columns
from outreach.domain.csv_headers import Field
from outreach.domain.csv_person import RowReader
from outreach.domain.csv_rows import Person, RowProblem, RowRules
from outreach.services.import_numbers import FirstLines
from outreach.services.import_reading import UnreadableFile
from outreach.services.import_records import DamagedRow, Record

ROWS_AT_ONCE = 5_000
MAX_ROWS = 1_000_000
MAX_CELL = 2_000
DUPLICATE = "duplicate"


@dataclass(kw_only=True)
class Chunk:
    """Some rows: whom they name, what is wrong with them, and how they stood in the file.

    `sources` are line, number (empty: refused) and cells of every row.
    """

    people: list[Person] = field(default_factory=list)
    problems: list[tuple[RowProblem, Mapping[str, str]]] = field(default_factory=list)
    sources: list[tuple[int, str, Sequence[str]]] = field(default_factory=list)


class ListReader:
    """Reads one list, and knows on which line each number stood first."""

    def __init__(self, *, columns: Columns, rules: RowRules) -> None:
        self._columns = columns
        self._reader = RowReader(columns=columns, rules=rules)
        self._first_lines = FirstLines()
        self.n_read = 0
        self.n_rejected = 0

    def chunks(self, rows: Iterable[Record | DamagedRow]) -> Iterator[Chunk]:
        """Yield the rows, chunk by chunk.

        :raises UnreadableFile: if there are too many, or none.
        """
        left = iter(rows)
        while some := list(islice(left, ROWS_AT_ONCE)):
            chunk = Chunk()
            for row in some:
                self._take(row, chunk)
            if self.n_read > MAX_ROWS:
                raise UnreadableFile(f"The file has more than {MAX_ROWS:,} rows: split it.")
            yield chunk
        if not self.n_read:
            raise UnreadableFile("The file has a header and no rows.")

    def _take(self, row: Record | DamagedRow, chunk: Chunk) -> None:
        person, problems = self._read(row)
        self.n_read += 1
        if person is None:
            self.n_rejected += 1
        else:
            chunk.people.append(person)
        for problem in problems:
            chunk.problems.append(
                (problem, named_cells(self._columns, row.cells) if problem.rejected else {})
            )
        chunk.sources.append((row.line, person.number if person else "", row.cells))

    def _read(self, row: Record | DamagedRow) -> tuple[Person | None, list[RowProblem]]:
        if isinstance(row, DamagedRow):
            return None, [RowProblem(row.line, "", row.code, row.sentence, rejected=True)]
        person, problems = self._reader.read(line=row.line, cells=row.cells)
        if person is None:
            return None, problems
        first = self._first_lines.first(int(person.number[1:]), row.line)
        if first == row.line:
            return person, problems
        sentence = f"The number is on line {first} already; that row was taken: remove one of the two."
        return None, [*problems, RowProblem(row.line, Field.PHONE, DUPLICATE, sentence, rejected=True)]


def named_cells(columns: Columns, cells: Sequence[str]) -> dict[str, str]:
    """Return a refused row as it can be shown and downloaded again."""
    surplus = range(len(columns.headers) + 1, len(cells) + 1)
    headers = [*columns.headers, *(f"column {number} (no header)" for number in surplus)]
    return {header: storable(cell) for header, cell in zip(headers, cells, strict=False)}


def storable(cell: str) -> str:
    """Return a cell as PostgreSQL keeps it: no NUL, and no longer than anybody reads."""
    return cell.replace("\0", "\u2400")[:MAX_CELL]
