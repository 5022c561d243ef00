"""A list of numbers that must not be called: pasted or from a file, one per line, more columns or not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from outreach.domain.csv_columns import field_of
from outreach.domain.csv_headers import Field, header_key
from outreach.domain.phone_number import InvalidNumber, parse_number

MOST = 50_000
"""Lines of one list; more are refused, to be split."""
_SEPARATORS = ";\t,|"
_ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")
_REASONS = frozenset({"reason", "why", "note", "comment", "grund", "motivo", "raison", "proof", "source"})
_SAMPLE = 20
_FEWEST_DIGITS = 6


class UnusableList(ValueError):
    """Nothing of the list can be used; the sentence says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class ListedNumber:
    """A number of the list in E.164, and what the list says of it."""

    line: int
    number: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class BadLine:
    """A line without a usable number, and what to do about it."""

    line: int
    cell: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class NumberList:
    """What a list holds."""

    numbers: Sequence[ListedNumber]
    bad: Sequence[BadLine]
    n_twice: int
    """Lines whose number an earlier line has."""


def decode(content: bytes) -> str:
    """Return the text of a file, whatever its encoding.

    :raises UnusableList: for what is no text.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    if b"\x00" in content[:4096]:
        raise UnusableList("This is no text file. Save the list as CSV or as plain text, then try again.")
    for encoding in _ENCODINGS[:-1]:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode(_ENCODINGS[-1])


def read_numbers(text: str, *, default_country: str) -> NumberList:
    """Read the numbers of a list; each line that has none is named with what to do.

    :param default_country: ISO code for numbers without a country code; empty: such numbers are refused.
    :raises UnusableList: for an empty list, and one that is too long.
    """
    rows = list(_rows(text))
    if not rows:
        raise UnusableList("The list is empty. Paste one number per line, or choose a file that has them.")
    if len(rows) > MOST:
        raise UnusableList(f"The list has more than {MOST:,} lines. Split it into several files.")
    column, reason, rest = _layout(rows)
    found: dict[str, ListedNumber] = {}
    bad: list[BadLine] = []
    n_twice = 0
    for line, cells in rest:
        cell = _cell(cells, column)
        try:
            number = parse_number(cell, default_country=default_country).e164
        except InvalidNumber as problem:
            bad.append(BadLine(line=line, cell=cell[:60], problem=str(problem)))
            continue
        n_twice += number in found
        said = cells[reason].strip()[:200] if reason is not None and reason < len(cells) else ""
        found.setdefault(number, ListedNumber(line=line, number=number, reason=said))
    return NumberList(numbers=list(found.values()), bad=bad, n_twice=n_twice)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each line that is not empty with its number and its cells."""
    sample = text.splitlines()[:_SAMPLE]
    separator = max(_SEPARATORS, key=lambda sign: sum(line.count(sign) for line in sample))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error:
        raise UnusableList(
            f"Line {reader.line_num} cannot be read: look for a quote that is not closed."
        ) from None


class _Layout(NamedTuple):
    """Where numbers and reasons are; None where the list does not say."""

    number: int | None
    reason: int | None
    rows: Sequence[tuple[int, list[str]]]
    """The lines below the one with the columns' names, if there is one."""


def _layout(rows: Sequence[tuple[int, list[str]]]) -> _Layout:
    first = rows[0][1]
    if any(_digits(cell) >= _FEWEST_DIGITS for cell in first):
        return _Layout(None, None, rows)
    fields = [field_of(cell) for cell in first]
    number = fields.index(Field.PHONE) if Field.PHONE in fields else None
    reason = next((at for at, cell in enumerate(first) if header_key(cell) in _REASONS), None)
    return _Layout(number, reason, rows[1:])


def _cell(cells: Sequence[str], column: int | None) -> str:
    """Return the cell with the number: the column's, else the first that has as many digits as one."""
    if column is not None:
        return cells[column].strip() if column < len(cells) else ""
    long = (cell for cell in cells if _digits(cell) >= _FEWEST_DIGITS)
    return next(long, next((cell for cell in cells if cell.strip()), "")).strip()


def _digits(cell: str) -> int:
    return sum(char.isdigit() for char in cell)
