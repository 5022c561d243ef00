"""One row of a list: the person that it describes with what is doubtful, or why it is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from outreach.domain import csv_cells
from outreach.domain.csv_cells import UnreadableCell
from outreach.domain.csv_columns import Columns
from outreach.domain.csv_headers import Field
from outreach.domain.csv_rows import (
    CONSENT_WITHHELD,
    NO_CONSENT,
    NO_COUNTRY,
    Consent,
    Person,
    ReadRow,
    RowProblem,
    RowRules,
)
from outreach.domain.phone_number import InvalidNumber, PhoneNumber, parse_number

MAX_NAME = 200
MAX_ORGANISATION = 200
MAX_CONSENT_SOURCE = 300
MAX_EXTRA = 500

_Value = TypeVar("_Value")


class RowReader:
    """Reads the rows of one file, whose columns are known."""

    def __init__(self, *, columns: Columns, rules: RowRules) -> None:
        self._columns = columns
        self._rules = rules
        self._width = len(columns.headers)
        self._of = {field: columns.of.get(field, ()) for field in Field}
        self._line = 0
        self._problems: list[RowProblem] = []

    def read(self, *, line: int, cells: Sequence[str]) -> ReadRow:
        """Read one row; `line` is where it starts in the file."""
        self._line, self._problems = line, []
        if not self._is_whole(cells):
            return ReadRow(None, self._problems)
        name = self._name(cells)
        country = self._country(cells)
        number = self._number(cells, country)
        if not name or number is None:
            return ReadRow(None, self._problems)
        zone = self._optional(
            cells, Field.TIME_ZONE, csv_cells.read_time_zone, "the number's zone is used instead"
        )
        where, zone, zone_source = _place(number, country or "", zone or "")
        consent, basis = self._consent(cells)
        source = self._cut(self._cell(cells, Field.CONSENT_SOURCE), Field.CONSENT_SOURCE, MAX_CONSENT_SOURCE)
        person = Person(
            line=line,
            name=name,
            number=number.e164,
            email=self._optional(cells, Field.EMAIL, csv_cells.read_email, "left empty") or "",
            organisation=self._cut(
                self._cell(cells, Field.ORGANISATION), Field.ORGANISATION, MAX_ORGANISATION
            ),
            language=self._optional(cells, Field.LANGUAGE, csv_cells.read_language, "English is assumed"),
            country=where,
            time_zone=zone,
            zone_source=zone_source,
            placed=zone_source == "given" or bool(country),
            priority=self._optional(cells, Field.PRIORITY, csv_cells.read_priority, "the default is used"),
            consent=consent,
            consent_basis=basis,
            consent_source=self._consent_source(source, consent, basis),
            hold_reason=_hold_reason(country=where, consent=consent, basis=basis),
            extra=self._extra(cells),
        )
        return ReadRow(person, self._problems)

    def _is_whole(self, cells: Sequence[str]) -> bool:
        surplus = len(cells) - self._width
        if surplus > 0 and any(cell.strip() for cell in cells[self._width :]):
            what = f"The row has {len(cells)} cells for {self._width} columns"
            self._refuse("", "too_many_cells", f"{what}: put quotes around a cell that holds the separator.")
        if any("\0" in cell for cell in cells):
            self._refuse(
                "", "nul", "The row holds a NUL byte, so the file is damaged here: type the row again."
            )
        return not self._problems

    def _cell(self, cells: Sequence[str], field: Field) -> str:
        """Return the first filled cell of the field's columns, cleaned."""
        for index in self._of[field]:
            if index < len(cells):
                text = csv_cells.clean(cells[index])
                if text:
                    return csv_cells.unescape(text)
        return ""

    def _name(self, cells: Sequence[str]) -> str:
        name, first, last = (self._cell(cells, f) for f in (Field.NAME, Field.FIRST_NAME, Field.LAST_NAME))
        whole = _whole_name(name, first, last)
        if not whole:
            self._refuse(Field.NAME, "name_missing", "The name is empty: Alex has to ask for somebody.")
        elif whole.startswith(("=", "+", "@")):
            what = "The name begins like a formula: write it as Alex should say it."
            self._refuse(Field.NAME, "formula", what)
        elif len(whole) > MAX_NAME:
            what = f"The name has {len(whole)} characters; at most {MAX_NAME} fit"
            self._refuse(Field.NAME, "name_too_long", f"{what}: is it in the right column?")
        else:
            if "\ufffd" in whole:
                self._warn(
                    Field.NAME, "damaged", "The name holds damaged letters (\ufffd): save the list as UTF-8."
                )
            return whole
        return ""

    def _country(self, cells: Sequence[str]) -> str | None:
        """Return the given country, "" if none is given, None if it is unreadable."""
        cell = self._cell(cells, Field.COUNTRY)
        if not cell:
            return ""
        try:
            return csv_cells.read_country(cell)
        except UnreadableCell as exc:
            if not self._cell(cells, Field.PHONE).startswith(("+", "00")):
                self._refuse(Field.COUNTRY, "country_unknown", f"{_quoted(cell)} is no country: {exc}.")
                return None
            self._warn(
                Field.COUNTRY,
                "country_unknown",
                f"{_quoted(cell)} is no country; the number's is used: {exc}.",
            )
            return ""

    def _number(self, cells: Sequence[str], country: str | None) -> PhoneNumber | None:
        cell = self._cell(cells, Field.PHONE)
        if not cell:
            self._refuse(Field.PHONE, "number_missing", "The number is empty: add one, or remove the row.")
            return None
        if country is None:
            return None
        try:
            csv_cells.refuse_formula(cell)
            return parse_number(cell, default_country=country or self._rules.default_country)
        except UnreadableCell as exc:
            self._refuse(Field.PHONE, exc.code, f"{_quoted(cell)} is no number: {exc}.")
        except InvalidNumber as exc:
            self._refuse(Field.PHONE, exc.code, str(exc))
        return None

    def _optional(
        self, cells: Sequence[str], field: Field, read: Callable[[str], _Value], otherwise: str
    ) -> _Value | None:
        """Return what the cell says, or None with a warning if that cannot be told."""
        cell = self._cell(cells, field)
        if not cell:
            return None
        try:
            csv_cells.refuse_formula(cell)
            return read(cell)
        except UnreadableCell as exc:
            what = field.value.replace("_", " ")
            self._warn(
                field, exc.code or f"{field}_unknown", f"{_quoted(cell)} is no {what}; {otherwise}: {exc}."
            )
            return None

    def _cut(self, text: str, field: str, limit: int) -> str:
        if len(text) > limit:
            self._warn(field, "cut", f"The text has {len(text)} characters; the first {limit} are kept.")
        return text[:limit]

    def _consent(self, cells: Sequence[str]) -> tuple[Consent, str]:
        if not self._cell(cells, Field.CONSENT_BASIS):
            return Consent.DEFAULT, self._rules.consent_basis
        basis = self._optional(cells, Field.CONSENT_BASIS, csv_cells.read_consent, "the person is held")
        if basis is None:
            return Consent.UNCLEAR, ""
        return (Consent.GIVEN if basis else Consent.WITHHELD), basis

    def _consent_source(self, source: str, consent: Consent, basis: str) -> str:
        """Return where the consent comes from; of a "no" it is kept that it was said, for later lists."""
        if consent is Consent.WITHHELD:
            return f"{CONSENT_WITHHELD} {source}".strip()[:MAX_CONSENT_SOURCE]
        return source or (self._rules.consent_source if basis else "")

    def _extra(self, cells: Sequence[str]) -> dict[str, str]:
        kept: dict[str, str] = {}
        for index, key in self._columns.extra:
            text = csv_cells.unescape(csv_cells.clean(cells[index])) if index < len(cells) else ""
            if text:
                kept[key] = text if len(text) <= MAX_EXTRA else self._cut(text, key[:40], MAX_EXTRA)
        return kept

    def _refuse(self, field: str, code: str, sentence: str) -> None:
        self._problems.append(RowProblem(self._line, field, code, sentence, rejected=True))

    def _warn(self, field: str, code: str, sentence: str) -> None:
        self._problems.append(RowProblem(self._line, field, code, sentence, rejected=False))


def _whole_name(name: str, first: str, last: str) -> str:
    """Join what the columns hold; "Nom" beside "Prénom" is a last name, "Name" beside "First name" is not."""
    if name and not (first and last):
        half = first or last
        if half and not set(half.casefold().split()) <= set(name.casefold().split()):
            return f"{first} {name}" if first else f"{name} {last}"
        return name
    return name or f"{first} {last}".strip()


def _place(number: PhoneNumber, country: str, zone: str) -> tuple[str, str, str]:
    """Return country, zone and what the zone rests on.

    Given zone > given country > the only zone of the number > all zones of its country.
    """
    where = country or number.country
    if zone:
        return where, zone, "given"
    if not where:
        return "", "", "unknown"
    if where == number.country and len(number.zones) == 1:
        return where, number.zones[0], "number"
    return where, "", "country"


def _hold_reason(*, country: str, consent: Consent, basis: str) -> str:
    reasons = [] if country else [NO_COUNTRY]
    if not basis:
        reasons.append(CONSENT_WITHHELD if consent is Consent.WITHHELD else NO_CONSENT)
    return " ".join(reasons)


def _quoted(cell: str) -> str:
    return f'"{cell[:40]}…"' if len(cell) > 40 else f'"{cell}"'
