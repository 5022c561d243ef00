"""What an operator may download before the first upload: a sample list, and what its columns may hold."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from outreach.domain.csv_headers import SYNONYMS, Field

_ALSO = 12

#: What a column may hold, in the order of the sample.
_HOLDS: tuple[tuple[Field, str, str], ...] = (
    (Field.NAME, "yes, or first and last name", "up to 200 characters"),
    (Field.FIRST_NAME, "", "joined with the last name when there is no whole name"),
    (Field.LAST_NAME, "", "joined with the first name when there is no whole name"),
    (Field.PHONE, "yes", "one number as people write it, with + and country code or a country"),
    (Field.EMAIL, "", "one address"),
    (Field.ORGANISATION, "", "up to 200 characters"),
    (Field.LANGUAGE, "", "en, pt-BR, or a name such as Spanish"),
    (Field.COUNTRY, "", "two letters of ISO 3166, or a common name"),
    (Field.TIME_ZONE, "", "a name such as Europe/Madrid; not EST, UTC or +01:00"),
    (Field.PRIORITY, "", "1 (first) to 9 (last), or high, normal, low; 5 when empty"),
    (Field.CONSENT_BASIS, "", "express_written, express, inquiry, relationship, or no; held without"),
    (Field.CONSENT_SOURCE, "", "where and when they agreed; up to 300 characters"),
)  # fmt: skip

_SAMPLE: tuple[tuple[str, ...], ...] = (
    ("Name", "Phone", "Email", "Organisation", "Language", "Country", "Time zone", "Priority",
     "Consent basis", "Consent source", "Years at work"),
    ("Ana Ruiz", "+1 212 555 0100", "ana@example.org", "Acme Ltd", "en", "US", "America/New_York", "high",
     "express", "web form 2026-05-03", "12"),
    ("Bo Li", "020 7946 0123", "", "", "en", "GB", "", "5", "inquiry", "e-mail, 4 May", "3"),
    ("Chloé Martin", "+33 1 99 00 12 34", "chloe@example.org", "École Exemple", "fr", "FR", "Europe/Paris",
     "", "express_written", "signed form 2026-04-20", ""),
)  # fmt: skip


def sample_list() -> str:
    """Return a list that can be uploaded as it is."""
    return _as_csv(_SAMPLE)


def column_guide() -> str:
    """Return the guide to the columns, as a list that a spreadsheet opens."""
    rows = [("column", "required", "what it may hold", "also called, for example")]
    for field, required, holds in _HOLDS:
        also = ", ".join(SYNONYMS[field][1 : 1 + _ALSO])
        rows.append((field.value.replace("_", " "), required, holds, also))
    rows.append((
        "anything else", "", "kept, and the script may say it: Years at work becomes {years_at_work}", "",
    ))  # fmt: skip
    return _as_csv(rows)


def _as_csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
