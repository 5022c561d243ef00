"""What a column holds by the look of its cells, where its header says nothing that we know."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from outreach.domain import csv_cells
from outreach.domain.csv_cells import UnreadableCell
from outreach.domain.csv_headers import Field
from outreach.domain.phone_number import InvalidNumber, parse_number

#: Rows that are looked at.
SAMPLE = 200
#: Share of the filled cells that must say what the field wants.
_SURE = 0.8
#: Of numbers and zones fewer are asked for: lists hold wrong ones, and nothing else looks like them.
_SURE_OF = {Field.PHONE: 0.5, Field.TIME_ZONE: 0.5}
#: Share of different cells without which a column names groups, not people.
_DIFFERENT = 0.5
_NAME = re.compile(r"[^\W\d_][^@#/\\<>{}=+*]{1,79}")


def guess_fields(
    sample: Sequence[Sequence[str]], *, columns: Sequence[int], wanted: set[Field], default_country: str
) -> dict[int, Field]:
    """Return which of these columns hold the fields that no header names; a field is guessed once.

    Consent and priority are never guessed: a wrong guess would call people who may not be called.

    :param columns: indexes of the columns whose headers say nothing.
    :param wanted: the fields that have no column yet.
    """
    cells = {index: _filled(sample, index) for index in columns}
    tests: Mapping[Field, Callable[[Sequence[str]], float]] = {
        Field.EMAIL: lambda column: _share(column, csv_cells.read_email),
        Field.PHONE: lambda column: _numbers(column, default_country),
        Field.TIME_ZONE: lambda column: _share(column, csv_cells.read_time_zone),
        Field.NAME: _names,
    }
    found: dict[int, Field] = {}
    for field, likeness in tests.items():
        if field not in wanted:
            continue
        scores = {index: likeness(column) for index, column in cells.items() if column and index not in found}
        best = max(scores, key=lambda index: scores[index], default=None)
        if best is not None and scores[best] >= _SURE_OF.get(field, _SURE):
            found[best] = field
    return found


def is_person(cells: Sequence[str]) -> bool:
    """Tell whether a first line is already a person: a number or an address is no header."""
    for cell in map(str.strip, cells):
        digits = sum(char.isdigit() for char in cell)
        if digits >= 7 and digits * 2 > len(cell):
            return True
        if "@" in cell and _share([cell], csv_cells.read_email):
            return True
    return False


def _filled(sample: Sequence[Sequence[str]], index: int) -> list[str]:
    cells = (csv_cells.unescape(csv_cells.clean(row[index])) for row in sample[:SAMPLE] if index < len(row))
    return [cell for cell in cells if cell]


def _share(column: Sequence[str], read: Callable[[str], object]) -> float:
    readable = 0
    for cell in column:
        try:
            read(cell)
        except UnreadableCell:
            continue
        readable += 1
    return readable / len(column)


def _numbers(column: Sequence[str], default_country: str) -> float:
    readable = 0
    for cell in column:
        try:
            parse_number(cell, default_country=default_country)
        except InvalidNumber:
            continue
        readable += 1
    return readable / len(column) if _are_different(column) else 0.0


def _names(column: Sequence[str]) -> float:
    """Return how much a column looks like whole names; one of single words comes after one of several."""
    if not _are_different(column):
        return 0.0
    alike = sum(
        _NAME.fullmatch(cell) is not None
        and len(cell.split()) <= 5
        and sum(map(str.isdigit, cell)) * 2 < len(cell)
        for cell in column
    )
    of_several_words = sum(2 <= len(cell.split()) <= 4 for cell in column)
    return alike / len(column) * (0.85 + 0.15 * of_several_words / len(column))


def _are_different(column: Sequence[str]) -> bool:
    return len(set(column)) >= len(column) * _DIFFERENT
