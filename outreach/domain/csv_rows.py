"""What a row of a list becomes: a person to store, and the problems found on the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

NO_CONSENT = "No consent basis: say why this person may be called, then release them."
CONSENT_WITHHELD = "The list says that this person has not consented."
NO_COUNTRY = (
    "The number belongs to no country, so its local time is unknown: set the country, then release them."
)
#: Every reason for which a row's person is held as soon as they are stored.
HOLD_REASONS = (
    NO_CONSENT, CONSENT_WITHHELD, NO_COUNTRY,
    f"{NO_COUNTRY} {NO_CONSENT}", f"{NO_COUNTRY} {CONSENT_WITHHELD}",
)  # fmt: skip


class RowProblem(NamedTuple):
    """What is wrong in one row and what to do; a warning does not keep the person out."""

    line: int
    field: str
    code: str
    sentence: str
    rejected: bool


class Consent(StrEnum):
    """What a row says about consent: a basis, nothing (so the rules' holds), a no, or something unclear."""

    GIVEN = "given"
    DEFAULT = "default"
    WITHHELD = "withheld"
    UNCLEAR = "unclear"


class Person(NamedTuple):
    """A row as it will be stored (a plain tuple, since there may be half a million).

    None and "" mean that the list does not say; `placed` that the list itself says where the person is;
    `consent` where the basis comes from.
    """

    line: int
    name: str
    number: str
    email: str
    organisation: str
    language: str | None
    country: str
    time_zone: str
    zone_source: str
    placed: bool
    priority: int | None
    consent_basis: str
    consent_source: str
    consent: Consent
    hold_reason: str
    extra: dict[str, str]


class ReadRow(NamedTuple):
    """The person, or None if the row is refused, with every problem of the row."""

    person: Person | None
    problems: list[RowProblem]


@dataclass(frozen=True, kw_only=True)
class RowRules:
    """What holds for every row that does not say otherwise."""

    default_country: str
    consent_basis: str
    consent_source: str
