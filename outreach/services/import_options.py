"""What an operator decides about a list, and how its batch remembers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from outreach.domain.csv_cells import CONSENT_BASES
from outreach.domain.csv_columns import Columns, choose_columns
from outreach.domain.csv_headers import Field
from outreach.domain.csv_rows import RowRules
from outreach.domain.zones import is_country

#: What a column may be beside a field: kept for the script, or left out.
EXTRA, IGNORED = "extra", "ignored"


class KnownPeople(StrEnum):
    """What an import does with people who are in the campaign already.

    Their standing is never touched, but that whoever was held for want of something is released by it.
    """

    SKIP = "skip"
    FILL = "fill"
    UPDATE = "update"


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What the operator decides about a file.

    :param known: what to do with people who are in the campaign already.
    :param consent_basis: basis for rows without their own; empty: such people are held.
    :param consent_source: where and when that consent was given.
    :param default_country: ISO code for numbers without a country; empty: the campaign's.
    """

    known: KnownPeople = KnownPeople.SKIP
    consent_basis: str = ""
    consent_source: str = ""
    default_country: str = ""

    def __post_init__(self) -> None:
        """Refuse a basis or a country that does not exist."""
        if self.consent_basis and self.consent_basis not in CONSENT_BASES:
            raise ValueError(
                f"{self.consent_basis!r} is no consent basis: use one of {', '.join(CONSENT_BASES)}."
            )
        if self.default_country and not is_country(self.default_country):
            raise ValueError(
                f"{self.default_country!r} is no country: use the two letters of ISO 3166, e.g. US."
            )

    def stored(self) -> dict[str, Any]:
        """Return the options as a batch keeps them."""
        return {
            "known": self.known.value,
            "consent_basis": self.consent_basis,
            "consent_source": self.consent_source,
            "default_country": self.default_country,
        }

    def rules(self, *, campaign_country: str) -> RowRules:
        """Return what holds for rows that do not say otherwise."""
        return RowRules(
            default_country=self.default_country or campaign_country,
            consent_basis=self.consent_basis,
            consent_source=self.consent_source[:300],
        )


def options_of(stored: Mapping[str, Any]) -> ImportOptions:
    """Return the options that a batch keeps."""
    return ImportOptions(
        known=KnownPeople(stored.get("known", KnownPeople.SKIP.value)),
        consent_basis=stored.get("consent_basis", ""),
        consent_source=stored.get("consent_source", ""),
        default_country=stored.get("default_country", ""),
    )


def stored_fields(fields: Sequence[Field | None]) -> list[str]:
    """Return the mapping of columns as a batch keeps it."""
    return [EXTRA if field is None else field.value for field in fields]


def columns_of(headers: Sequence[str], chosen: Sequence[str]) -> Columns:
    """Return the columns of a list whose mapping was chosen.

    :raises UnusableHeader: if the name or the phone has no column.
    """
    fields = [Field(word) if word in _FIELDS else None for word in chosen]
    return choose_columns(headers, fields, ignored=[i for i, word in enumerate(chosen) if word == IGNORED])


_FIELDS = frozenset(field.value for field in Field)
