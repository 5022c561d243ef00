"""Reading a list as people send it: any encoding, separator and line end, in bounded memory."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from outreach.domain.csv_columns import field_of
from outreach.domain.csv_guessing import is_person
from outreach.services.import_records import MAX_LINE, DamagedRow, Record, Records

DELIMITERS = ",;\t|"
_CHUNK = 1 << 18
_SAMPLE = 1 << 16
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


@dataclass(frozen=True, kw_only=True)
class Table:
    """An opened list: its header, and its rows as they are read."""

    delimiter: str
    headers: Sequence[str]
    rows: Iterator[Record | DamagedRow]


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
        first = _first_row(records)
        records.width = len(first.cells)
        # "Ana;+34…" on the first line is nobody's header: that file has none.
        if is_person(first.cells):
            named = [f"column {number}" for number in range(1, len(first.cells) + 1)]
            yield Table(delimiter=delimiter, headers=named, rows=chain([first], records))
        else:
            headers = [cell.strip() for cell in first.cells]
            yield Table(delimiter=delimiter, headers=headers, rows=iter(records))
    finally:
        text.detach()


def _separator(sample: str) -> tuple[str, int]:
    """Return the separator, and how many first lines only name it.

    The separator is the one that yields most headers we know, then most columns; csv.Sniffer decides on
    letter counts and takes the comma in "Ruiz, Ana;+34…" for the separator.
    """
    first = re.split(r"\r\n|\r|\n", sample.lstrip("\ufeff"), maxsplit=1)[0]
    named = _SEPARATOR_LINE.fullmatch(first)
    if named:
        return named.group(1), 1

    def fitness(delimiter: str) -> tuple[int, int]:
        rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        try:
            header = next((row for row in rows if any(cell.strip() for cell in row)), [])
        except csv.Error:
            return 0, 0
        return sum(field_of(cell) is not None for cell in header[:200]), len(header)

    return max(DELIMITERS, key=fitness), 0


def _first_row(records: Records) -> Record:
    for record in records:
        if isinstance(record, DamagedRow):
            raise UnreadableFile(f"The header cannot be read: {record.sentence}")
        if any("\0" in cell for cell in record.cells):
            raise UnreadableFile("The header holds NUL bytes: save the list as CSV (UTF-8) and upload that.")
        if any(cell.strip() for cell in record.cells):
            return record
    raise UnreadableFile(f"The file has no header within its first {MAX_LINE} characters.")
