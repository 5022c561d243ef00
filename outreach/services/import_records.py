"""Rows out of text: csv's reader, kept from swallowing the rest of the file when a quote is never closed."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, TextIO

MAX_LINE = 200_000
MAX_LINES_IN_A_ROW = 50


class Record(NamedTuple):
    """The cells of one row and the line on which it starts; the file's first line is 1."""

    line: int
    cells: list[str]


class DamagedRow(NamedTuple):
    """A row that could not be split into cells, as far as its first line can be shown."""

    line: int
    cells: list[str]
    code: str
    sentence: str


class _QuoteNeverClosed(Exception):
    """A quoted cell goes on for more lines than any cell does."""


class _LineTooLong(Exception):
    """One line is longer than any row."""


class _Lines(Iterator[str]):
    """The file's lines, bounded, with those of the row being read kept so that they can be read again."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self._length = 0
        self.number = 0
        self.row: list[str] = []

    def __next__(self) -> str:
        if len(self.row) >= MAX_LINES_IN_A_ROW or self._length > MAX_LINE:
            raise _QuoteNeverClosed
        line = self._again.popleft() if self._again else self._text.readline(MAX_LINE)
        if not line:
            if self.row:
                raise _QuoteNeverClosed
            raise StopIteration
        self.number += 1
        if len(line) >= MAX_LINE:
            self._drop_rest(line)
            raise _LineTooLong
        self._length += len(line)
        self.row.append(line)
        return line

    def begin_row(self) -> None:
        """Forget the lines of the row before."""
        self.row.clear()
        self._length = 0

    def give_up_row(self) -> None:
        """Keep the first line of this row as read and read the others again as rows of their own."""
        self._again.extendleft(reversed(self.row[1:]))
        self.number -= len(self.row) - 1

    def _drop_rest(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(MAX_LINE)


class Records:
    """The rows of a file; damaged ones are named and cost only themselves."""

    def __init__(self, text: TextIO, *, delimiter: str) -> None:
        self._lines = _Lines(text)
        self._delimiter = delimiter
        # Strict, or a quote left open on one line would end in the middle of a cell of another.
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        #: Columns of the header once it is known: a row of several lines with more cells has a stray quote.
        self.width = 0

    def skip_line(self) -> None:
        """Pass over one line."""
        self._lines.begin_row()
        next(self._lines, "")

    def __iter__(self) -> Iterator[Record | DamagedRow]:
        """Yield every row that is not blank."""
        lines = self._lines
        while True:
            lines.begin_row()
            start = lines.number + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except _QuoteNeverClosed:
                yield self._unclosed(start)
                continue
            except _LineTooLong:
                yield self._damaged(
                    lines.number, "line_too_long",
                    f"The line has more than {MAX_LINE} characters: look for a missing line break.",
                )  # fmt: skip
                continue
            except csv.Error:
                yield self._unclosed(start) if len(lines.row) > 1 else self._leniently(start)
                continue
            if self.width and len(cells) > self.width and len(lines.row) > 1:
                yield self._unclosed(start)
            elif any(map(str.strip, cells)):
                yield Record(start, cells)

    def _leniently(self, start: int) -> Record | DamagedRow:
        """Read a single line that has text after a closing quote, as in "Ana "Nena" Ruiz"."""
        try:
            return Record(start, next(csv.reader(self._lines.row, delimiter=self._delimiter)))
        except csv.Error:
            return self._damaged(
                start, "cell_too_long",
                f"A cell has more than {csv.field_size_limit()} characters: look for a missing quote.",
            )  # fmt: skip

    def _unclosed(self, start: int) -> DamagedRow:
        damaged = self._damaged(
            start, "quote_not_closed",
            'A quote (") opens on this line and does not close where the cell ends: remove or double it.',
        )  # fmt: skip
        self._lines.give_up_row()
        return damaged

    def _damaged(self, line: int, code: str, sentence: str) -> DamagedRow:
        """Describe a damaged row by the cells of its first line, read without minding quotes."""
        first = self._lines.row[0].rstrip("\r\n")[:2000] if self._lines.row else ""
        cells = next(csv.reader([first], delimiter=self._delimiter, quoting=csv.QUOTE_NONE), [])
        return DamagedRow(line, cells, code, sentence)
