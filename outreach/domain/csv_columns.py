"""Which column of a list holds what: headers in many languages, matched by a table of synonyms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outreach.domain.csv_headers import SYNONYMS, Field

MAX_COLUMNS = 200
MAX_EXTRA_COLUMNS = 50
MAX_KEY = 60
#: The column that the download of refused rows adds; it is no fact about the person when it comes back.
PROBLEM_COLUMN = "import problem"


class UnusableHeader(Exception):
    """The header cannot be used; the sentence says which column and what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Where each field is: the column indexes in order of preference (the first filled cell counts)."""

    headers: tuple[str, ...]
    of: Mapping[Field, tuple[int, ...]]
    extra: tuple[tuple[int, str], ...]
    left_out: tuple[str, ...]

    def mapping(self) -> dict[str, list[str]]:
        """Return our fields with their columns, and all columns of the file in order under "columns"."""
        found = {field.value: [self.headers[i] for i in indexes] for field, indexes in self.of.items()}
        return {**found, "columns": list(self.headers)}


def header_key(header: str) -> str:
    """Return a header as the script's placeholder names it: "Years at work" becomes "years_at_work"."""
    letters: list[str] = []
    for char in unicodedata.normalize("NFKD", header.casefold()):
        if unicodedata.combining(char):
            continue
        letters.append(char if unicodedata.category(char)[0] in "LNM" else "_")
    joined = re.sub("_+", "_", "".join(letters)).strip("_")
    return unicodedata.normalize("NFC", joined)[:MAX_KEY].strip("_")


_FIELD_OF = {header_key(word).replace("_", ""): field for field, words in SYNONYMS.items() for word in words}


def field_of(header: str) -> Field | None:
    """Tell which field a header names; "Phone (mobile) *" is a phone."""
    whole = _FIELD_OF.get(header_key(header).replace("_", ""))
    if whole is not None or "(" not in header:
        return whole
    return _FIELD_OF.get(header_key(re.sub(r"\([^)]*\)", " ", header)).replace("_", ""))


def match_columns(headers: Sequence[str]) -> Columns:
    """Find each field's columns; every other column is kept as `extra`.

    :raises UnusableHeader: if the name or the phone has no column, or a field's header appears twice.
    """
    if len(headers) > MAX_COLUMNS:
        raise UnusableHeader(
            "too_many_columns", f"The file has {len(headers)} columns; at most {MAX_COLUMNS} are read."
        )
    shown = _unique_headers(headers)
    found: dict[Field, list[int]] = {}
    for index, header in enumerate(headers):
        field = field_of(header)
        if field is None:
            continue
        twin = next((i for i in found.get(field, []) if header_key(headers[i]) == header_key(header)), None)
        if twin is not None:
            raise UnusableHeader(
                "column_twice",
                f'The column "{shown[twin]}" appears twice (columns {twin + 1} and {index + 1}); '
                "rename or remove one.",
            )
        found.setdefault(field, []).append(index)
    _require(found, shown)
    first = {indexes[0] for indexes in found.values()}
    others = [i for i in range(len(headers)) if i not in first and shown[i] != PROBLEM_COLUMN]
    kept, left_out = others[:MAX_EXTRA_COLUMNS], others[MAX_EXTRA_COLUMNS:]
    return Columns(
        headers=shown,
        of={field: tuple(indexes) for field, indexes in found.items()},
        extra=tuple((i, header_key(shown[i]) or f"column_{i + 1}") for i in kept),
        left_out=tuple(shown[i] for i in left_out),
    )


def _unique_headers(headers: Sequence[str]) -> tuple[str, ...]:
    """Return the headers as shown to people: never empty, never the same twice, at most 100 characters."""
    shown: list[str] = []
    taken: set[str] = set()
    for number, header in enumerate(headers, start=1):
        text = " ".join(header.split())[:100] or f"column {number}"
        if header_key(text) in taken:
            text = f"{text} ({number})"
        taken.add(header_key(text))
        shown.append(text)
    return tuple(shown)


def _require(found: Mapping[Field, object], shown: Sequence[str]) -> None:
    names = {Field.NAME, Field.FIRST_NAME, Field.LAST_NAME}
    missing = [field for field in (Field.PHONE, Field.NAME) if field not in found]
    if names & set(found):
        missing = [field for field in missing if field is not Field.NAME]
    if not missing:
        return
    accepted = "; ".join(f"{field} is also read from {', '.join(SYNONYMS[field][1:8])}" for field in missing)
    listed = ", ".join(f'"{header[:30]}"' for header in shown[:8]) + (" …" if len(shown) > 8 else "")
    wanted = " and ".join(missing)
    raise UnusableHeader(
        "column_missing", f"No column for {wanted}. The first line has {listed}. Rename a column: {accepted}."
    )
