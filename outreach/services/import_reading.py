"""Reading a list as people send it: any encoding, separator and line end, in bounded memory."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import BinaryIO

from outreach.domain.csv_columns import field_of
from outreach.domain.csv_guessing import is_person
from outreach.services.import_records import MAX_LINE, DamagedRow, Record, Records

DELIMITERS = ",;\t|"
_CHUNK = 1 << 18
_SAMPLE = 1 << 16
#: Lines above a header that may say what the list is.
MOST_TITLES = 10
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_NOT_LISTS = {
    b"PK\x03\x04": "an Excel or OpenDocument workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a compressed file",
}
#: The first line that Excel writes and reads to say which separator it means.
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)


class UnreadableFile(Exception):
    """The file as a whole cannot be used; the sentence says what to do."""


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """What one look at every byte tells: identity and encoding; `doubt` is a sentence for the operator."""

    sha256: str
    encoding: str
    doubt: str

    def with_doubt_of(self, table: Table) -> Fingerprint:
        """Return the same, with what opening the list has brought up."""
        return replace(self, doubt=" ".join(filter(None, (self.doubt, table.doubt))))


@dataclass(frozen=True, kw_only=True)
class Table:
    """An opened list: its header, and its rows as they are read."""

    delimiter: str
    headers: Sequence[str]
    rows: Iterator[Record | DamagedRow]
    doubt: str = ""
    """What an operator should know of lines that are no rows."""


def fingerprint(source: BinaryIO) -> Fingerprint:
    """Read the whole file once and tell what it is.

    UTF-8 and UTF-16 are taken by their mark, UTF-8 also without one; anything else is Windows-1252, which
    contains Latin-1.

    :raises UnreadableFile: if it is empty or no text.
    """
    source.seek(0)
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    start = b""
    damaged = read_well = 0
    while chunk := source.read(_CHUNK):
        start = start or chunk[:4]
        digest.update(chunk)
        text = decoder.decode(chunk)
        damaged += text.count("\ufffd")
        read_well += len(chunk) - len(text)
    damaged += decoder.decode(b"", final=True).count("\ufffd")
    _refuse_other_kinds(start)
    encoding = next((name for bom, name in _BOMS.items() if start.startswith(bom)), "")
    doubt = ""
    if not encoding:
        encoding = "utf-8" if read_well >= damaged else "cp1252"
        if encoding == "cp1252":
            doubt = "The file is not UTF-8; it was read as Windows-1252. Check names with accents."
        elif damaged:
            doubt = f"The file is UTF-8 with {damaged} damaged letters, which are shown as \ufffd."
    return Fingerprint(sha256=digest.hexdigest(), encoding=encoding, doubt=doubt)


def _refuse_other_kinds(start: bytes) -> None:
    if not start:
        raise UnreadableFile("The file is empty.")
    for magic, what in _NOT_LISTS.items():
        if start.startswith(magic):
            raise UnreadableFile(f"This is {what}, not a list: save it as CSV (UTF-8) and upload that.")
    if b"\0" in start and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableFile(
            "The file is no readable text (perhaps UTF-16 without a mark): save it as CSV (UTF-8)."
        )


@contextmanager
def open_table(source: BinaryIO, *, encoding: str) -> Iterator[Table]:
    """Open a list whose encoding is known; the source stays open.

    :raises UnreadableFile: if it has no header.
    """
    source.seek(0)
    text = io.TextIOWrapper(source, encoding=encoding, errors="replace", newline="")
    try:
        sample = text.read(_SAMPLE)
        text.seek(0)
        delimiter, skipped = _separator(sample)
        records = Records(text, delimiter=delimiter)
        for _ in range(skipped):
            records.skip_line()
        first, further, doubt = _beginning(records)
        records.width = len(first.cells)
        rows = chain(further, records)
        # "Ana;+34…" on the first line is nobody's header: that file has none.
        if is_person(first.cells):
            named = [f"column {number}" for number in range(1, len(first.cells) + 1)]
            yield Table(delimiter=delimiter, headers=named, rows=chain([first], rows), doubt=doubt)
        else:
            headers = [cell.strip() for cell in first.cells]
            yield Table(delimiter=delimiter, headers=headers, rows=rows, doubt=doubt)
    finally:
        text.detach()


def _separator(sample: str) -> tuple[str, int]:
    """Return the separator, and how many first lines only name it.

    The separator is the one that yields most headers we know, then fewest lines above them, then most
    columns; csv.Sniffer decides on letter counts and takes the comma in "Ruiz, Ana;+34…" for it.
    """
    first = re.split(r"\r\n|\r|\n", sample.lstrip("\ufeff"), maxsplit=1)[0]
    named = _SEPARATOR_LINE.fullmatch(first)
    if named:
        return named.group(1), 1

    def fitness(delimiter: str) -> tuple[int, int, int]:
        rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        try:
            top = list(islice((row for row in rows if any(map(str.strip, row))), MOST_TITLES + 1))
        except csv.Error:
            return 0, 0, 0
        n_titles = next((n for n, row in enumerate(top) if not _is_title(row)), 0)
        header = top[n_titles] if top else []
        return sum(field_of(cell) is not None for cell in header[:200]), -n_titles, len(header)

    return max(DELIMITERS, key=fitness), 0


def _beginning(records: Records) -> tuple[Record, list[Record], str]:
    """Return the first row, those that were read after it, and what to say of the lines above it.

    A line that only says what the list is ("Exported on 3 May") is passed over where a header follows.
    """
    titles: list[Record] = []
    for record in records:
        if isinstance(record, DamagedRow):
            raise UnreadableFile(f"The header cannot be read: {record.sentence}")
        if any("\0" in cell for cell in record.cells):
            raise UnreadableFile("The header holds NUL bytes: save the list as CSV (UTF-8) and upload that.")
        if not _is_title(record.cells):
            doubt = f"What stands above line {record.line} is no row of the list and was left out."
            return record, [], doubt if titles else ""
        titles.append(record)
        if len(titles) > MOST_TITLES:
            break
    if titles:
        return titles[0], titles[1:], ""
    raise UnreadableFile(f"The file has no header within its first {MAX_LINE} characters.")


def _is_title(cells: Sequence[str]) -> bool:
    """Tell whether a line holds a single cell that names no column, nor anybody."""
    filled = [cell for cell in cells if cell.strip()]
    return len(filled) == 1 and field_of(filled[0]) is None and not is_person(filled)
