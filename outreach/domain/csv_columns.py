"""Which column of a list holds what: headers in many languages, matched by a table of synonyms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outreach.domain.csv_guessing import guess_fields
from outreach.domain.csv_headers import SYNONYMS, Field, header_key

MAX_COLUMNS = 200
MAX_EXTRA_COLUMNS = 50
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


_FIELD_OF = {header_key(word).replace("_", ""): field for field, words in SYNONYMS.items() for word in words}


def field_of(header: str) -> Field | None:
    """Tell which field a header names; "Phone (mobile) *" is a phone."""
    whole = _FIELD_OF.get(header_key(header).replace("_", ""))
    if whole is not None or "(" not in header:
        return whole
    return _FIELD_OF.get(header_key(re.sub(r"\([^)]*\)", " ", header)).replace("_", ""))


def match_columns(
    headers: Sequence[str], *, sample: Sequence[Sequence[str]] = (), default_country: str = ""
) -> Columns:
    """Find each field's columns, by their headers, else by their cells; any other column is kept as `extra`.

    :param sample: some rows, for fields that no header names.
    :raises UnusableHeader: if the name or the phone has no column, or a field's header appears twice.
    """
    fields = suggest_fields(headers, sample=sample, default_country=default_country)
    _refuse_twins(headers, fields)
    return choose_columns(headers, fields)


def suggest_fields(
    headers: Sequence[str], *, sample: Sequence[Sequence[str]] = (), default_country: str = ""
) -> list[Field | None]:
    """Return for each column the field that its header names, else the one that its cells look like.

    :raises UnusableHeader: if there are more columns than are read.
    """
    if len(headers) > MAX_COLUMNS:
        raise UnusableHeader(
            "too_many_columns", f"The file has {len(headers)} columns; at most {MAX_COLUMNS} are read."
        )
    fields = [field_of(header) for header in headers]
    named = {field for field in fields if field is not None}
    wanted = {field for field in Field if field not in named}
    if named & {Field.FIRST_NAME, Field.LAST_NAME}:
        wanted.discard(Field.NAME)
    silent = [i for i, field in enumerate(fields) if field is None and headers[i].strip() != PROBLEM_COLUMN]
    guessed = guess_fields(sample, columns=silent, wanted=wanted, default_country=default_country)
    return [guessed.get(index, field) for index, field in enumerate(fields)]


def choose_columns(
    headers: Sequence[str], fields: Sequence[Field | None], *, ignored: Sequence[int] = ()
) -> Columns:
    """Return the columns where each of them holds a field, or something extra where that is None.

    :param ignored: indexes of columns that are not kept at all.
    :raises UnusableHeader: if the name or the phone has no column.
    """
    shown = unique_headers(headers)
    found: dict[Field, list[int]] = {}
    for index, field in enumerate(fields):
        if field is not None and index not in ignored:
            found.setdefault(field, []).append(index)
    _require(found, shown)
    first = {indexes[0] for indexes in found.values()} | set(ignored)
    others = [i for i in range(len(headers)) if i not in first and shown[i] != PROBLEM_COLUMN]
    kept, left_out = others[:MAX_EXTRA_COLUMNS], others[MAX_EXTRA_COLUMNS:]
    return Columns(
        headers=shown,
        of={field: tuple(indexes) for field, indexes in found.items()},
        extra=tuple((i, header_key(shown[i]) or f"column_{i + 1}") for i in kept),
        left_out=tuple(shown[i] for i in left_out),
    )


def _refuse_twins(headers: Sequence[str], fields: Sequence[Field | None]) -> None:
    first: dict[tuple[Field, str], int] = {}
    for index, field in enumerate(fields):
        if field is None:
            continue
        twin = first.setdefault((field, header_key(headers[index])), index)
        if twin != index:
            raise UnusableHeader(
                "column_twice",
                f'The column "{unique_headers(headers)[twin]}" appears twice (columns {twin + 1} and '
                f"{index + 1}); rename or remove one.",
            )


def unique_headers(headers: Sequence[str]) -> tuple[str, ...]:
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
