"""From rows read to rows stored: COPY beside the table, then one merge of all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from django.db import connection

from outreach.domain import defaults
from outreach.domain.csv_rows import CONSENT_WITHHELD, HOLD_REASONS, Person, RowProblem
from outreach.domain.gate import RefusalCode
from outreach.domain.standing import Standing
from outreach.models import ImportBatch
from outreach.services import clock

SUPPRESSED = "The number is on the do-not-call list."

#: What the gate says of people who lack something that a list can bring.
_WANTS = (RefusalCode.NO_CONSENT, RefusalCode.UNKNOWN_COUNTRY, RefusalCode.UNKNOWN_ZONE)

_STAGE = """
CREATE TEMP TABLE import_stage (
    line integer, name text, number text, email text, organisation text, language text, country text,
    time_zone text, zone_source text, placed boolean, priority smallint, consent_basis text,
    consent_source text, consent text, hold_reason text, extra jsonb
)
"""

#: New values of a known person's columns: only what is empty is filled.
_FILL = {
    "email": "coalesce(nullif(f.email, ''), s.email)",
    "organisation": "coalesce(nullif(f.organisation, ''), s.organisation)",
    "country": "CASE WHEN {place} THEN s.country ELSE f.country END",
    "time_zone": "CASE WHEN {place} THEN s.time_zone ELSE f.time_zone END",
    "zone_source": "CASE WHEN {place} THEN s.zone_source ELSE f.zone_source END",
    "consent_basis": "CASE WHEN {consent} THEN s.consent_basis ELSE f.consent_basis END",
    "consent_source": "CASE WHEN {consent} THEN s.consent_source ELSE f.consent_source END",
    "extra": "s.extra || f.extra",
}
#: New values where the list wins; what it does not say stays.
_UPDATE = {
    **_FILL,
    "name": "s.name",
    "email": "coalesce(nullif(s.email, ''), f.email)",
    "organisation": "coalesce(nullif(s.organisation, ''), f.organisation)",
    "language": "coalesce(s.language, f.language)",
    "priority": "coalesce(s.priority, f.priority)",
    "extra": "f.extra || s.extra",
}
#: When the choice at the upload is a basis: never for somebody who said no in an earlier list.
_MAY_CHOOSE = (
    "(s.consent_basis <> '' AND position(%(withheld)s IN f.consent_source || f.standing_reason) = 0)"
)
#: When place and consent are taken over; each as a whole, so that a source never proves another basis.
_FILL_WHEN = {
    "place": "f.time_zone = '' AND (s.zone_source = 'given' OR (s.placed AND f.country = ''))",
    "consent": f"f.consent_basis = '' AND (s.consent IN ('given', 'withheld') OR {_MAY_CHOOSE})",
}
_UPDATE_WHEN = {
    "place": "s.zone_source = 'given' OR (s.placed AND f.zone_source <> 'given')",
    "consent": f"s.consent IN ('given', 'withheld') OR (f.consent_basis = '' AND {_MAY_CHOOSE})",
}

#: Whom only the want of consent or of a place keeps from the queue, by the gate's word or an earlier list's.
_WANTING = """
f.standing = %(held)s AND (f.standing_reason = ANY(%(hold_reasons)s) OR (
    f.not_called_code = ANY(%(wants)s) AND f.standing_reason = f.not_called_reason))
"""
_BROUGHT = """
{consent_basis} <> '' AND {country} <> ''
AND (f.consent_basis = '' OR ({country}, {time_zone}) IS DISTINCT FROM (f.country, f.time_zone))
"""
#: What being released changes.
_RELEASED = {
    "standing": "CASE WHEN f.attempts_made > 0 THEN %(retry_due)s ELSE %(waiting)s END",
    "standing_reason": "''",
    "next_call_at": "%(now)s::timestamptz",
    "not_called_code": "''",
    "not_called_reason": "''",
}

_INSERT = """
INSERT INTO outreach_facilitator (
    campaign_id, import_batch_id, name, number, email, organisation, language, country, time_zone,
    zone_source, priority, consent_basis, consent_source, extra, standing, standing_reason, next_call_at,
    attempts_made, our_faults, callbacks_unkept, voicemail_left, wish, not_called_code, not_called_reason,
    created_at, updated_at
)
SELECT %(campaign)s, %(batch)s, s.name, s.number, s.email, s.organisation, coalesce(s.language, 'en'),
    s.country, s.time_zone, s.zone_source, coalesce(s.priority, %(priority)s), s.consent_basis,
    s.consent_source, s.extra,
    CASE WHEN no.id IS NOT NULL THEN %(suppressed)s WHEN s.hold_reason <> '' THEN %(held)s ELSE %(new)s END,
    CASE WHEN no.id IS NOT NULL THEN %(suppressed_reason)s ELSE s.hold_reason END,
    CASE WHEN no.id IS NULL AND s.hold_reason = '' THEN %(now)s::timestamptz END,
    0, 0, 0, false, '', '', '', %(now)s, %(now)s
FROM import_stage s LEFT JOIN outreach_suppression no ON no.number = s.number
ORDER BY s.line
ON CONFLICT (campaign_id, number) DO NOTHING
"""


class KnownPeople(StrEnum):
    """What an import does with people who are in the campaign already.

    Their standing is never touched, but that whoever was held for want of something is released by it.
    """

    SKIP = "skip"
    FILL = "fill"
    UPDATE = "update"


class Merged(NamedTuple):
    """How many rows of the list became new people, and how many changed a known one."""

    created: int
    updated: int


def open_stage() -> None:
    """Make the stage of this transaction; `merge` or a rollback removes it."""
    with connection.cursor() as cursor:
        # One merge of a whole list may take longer than a page's statement is allowed to.
        cursor.execute("SET LOCAL statement_timeout = '10min'")
        cursor.execute(_STAGE)


def stage_people(people: Sequence[Person]) -> None:
    """Add people to the stage."""
    with connection.cursor() as cursor, cursor.copy("COPY import_stage FROM STDIN") as copy:
        for person in people:
            copy.write_row((*person[:-1], json.dumps(person.extra)))


def store_problems(batch: ImportBatch, problems: Sequence[tuple[RowProblem, Mapping[str, str]]]) -> None:
    """Store problems with the cells of their rows.

    They come as a list: a generator that asks the database would wait for its own COPY for ever.
    """
    columns = "batch_id, line, field, code, problem, rejected, cells"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY outreach_importrow ({columns}) FROM STDIN") as copy,
    ):
        for problem, cells in problems:
            copy.write_row((
                batch.pk, problem.line, problem.field[:40], problem.code[:40], problem.sentence[:500],
                problem.rejected, json.dumps(cells),
            ))  # fmt: skip


def merge(batch: ImportBatch, *, known: KnownPeople) -> Merged:
    """Store the staged people: change known ones as `known` says, then add the others."""
    parameters: dict[str, Any] = {
        "campaign": batch.campaign_id,
        "batch": batch.pk,
        "now": clock.now(),
        "priority": defaults.PRIORITY,
        "new": Standing.NEW.value,
        "held": Standing.HELD.value,
        "suppressed": Standing.SUPPRESSED.value,
        "suppressed_reason": SUPPRESSED,
        "waiting": Standing.WAITING.value,
        "retry_due": Standing.RETRY_DUE.value,
        "withheld": CONSENT_WITHHELD,
        "hold_reasons": list(HOLD_REASONS),
        "wants": [code.value for code in _WANTS],
    }
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE import_stage")
        updated = 0
        if known is not KnownPeople.SKIP:
            cursor.execute(_update_statement(known), parameters)
            updated = cursor.rowcount
        cursor.execute(_INSERT, parameters)
        created = cursor.rowcount
        cursor.execute("DROP TABLE import_stage")
    return Merged(created=created, updated=updated)


def _update_statement(known: KnownPeople) -> str:
    values, when = (_FILL, _FILL_WHEN) if known is KnownPeople.FILL else (_UPDATE, _UPDATE_WHEN)
    new = {column: value.format(**when) for column, value in values.items()}
    released = f"{_WANTING} AND {_BROUGHT.format(**new)}"
    new |= {
        column: f"CASE WHEN {released} THEN {value} ELSE f.{column} END"
        for column, value in _RELEASED.items()
    }
    changes = ", ".join(f"{column} = {value}" for column, value in new.items())
    return f"""
        UPDATE outreach_facilitator f SET {changes}, updated_at = %(now)s
        FROM import_stage s
        WHERE f.campaign_id = %(campaign)s AND f.number = s.number
        AND ({", ".join(f"f.{column}" for column in new)}) IS DISTINCT FROM ({", ".join(new.values())})
    """  # noqa: S608  (composed of the constants above only)
