"""From rows read to rows stored: COPY beside the table, then a statement for all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from outreach.domain import defaults
from outreach.domain.csv_rows import CONSENT_WITHHELD, HOLD_REASONS, Person, RowProblem
from outreach.domain.gate import RefusalCode
from outreach.domain.standing import Standing
from outreach.models import ImportBatch
from outreach.services import clock
from outreach.services.import_chunks import Chunk, storable
from outreach.services.import_options import KnownPeople

SUPPRESSED = "The number is on the do-not-call list."
#: The code of rows that keep what an import changed of known people, so that it can be undone.
CHANGED = "changed"

#: What the gate says of people who lack something that a list can bring.
_WANTS = (RefusalCode.NO_CONSENT, RefusalCode.UNKNOWN_COUNTRY, RefusalCode.UNKNOWN_ZONE)

_STAGE = """
CREATE TEMP TABLE import_stage (
    line integer, name text, number text, email text, organisation text, language text, country text,
    time_zone text, zone_source text, placed boolean, priority smallint, consent_basis text,
    consent_source text, consent text, hold_reason text, extra jsonb
) ON COMMIT DROP
"""
_COPY_SOURCES = "COPY outreach_sourcerow (batch_id, line, number, cells) FROM STDIN"
_COPY_PROBLEMS = "COPY outreach_importrow (batch_id, line, field, code, problem, rejected, cells) FROM STDIN"
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
#: Stands for NULL until a line is escaped; no cell holds it, since such rows are refused.
_NULL = "\0"

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
_REMEMBER = """
INSERT INTO import_known SELECT s.* FROM import_stage s
JOIN outreach_facilitator f ON f.campaign_id = %(campaign)s AND f.number = s.number
WHERE f.import_batch_id IS DISTINCT FROM %(batch)s
"""


class Stage:
    """Where the rows of one list stand before they are stored, inside the import's transaction.

    It works on the bare session, so that the thread that stores one chunk needs nothing of the thread that
    reads the next. Everything of the list is one transaction: it is stored as a whole or not at all.
    """

    def __init__(self, *, session: psycopg.Connection[Any], batch: ImportBatch, known: KnownPeople) -> None:
        self._session = session
        self._known = known
        self._batch_id = batch.pk
        self._parameters = _parameters(batch)
        self.n_created = 0
        with session.cursor() as cursor:
            # One update of a whole list may take longer than a page's statement is allowed to.
            cursor.execute("SET LOCAL statement_timeout = '10min'")
            # Else all references of half a million rows are checked at the commit, with nothing to see.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(_STAGE)
            cursor.execute("CREATE TEMP TABLE import_known (LIKE import_stage) ON COMMIT DROP")

    def store(self, chunk: Chunk) -> None:
        """Store a chunk: new people, every row as it stood in the file, and the problems."""
        with self._session.cursor() as cursor:
            with cursor.copy("COPY import_stage FROM STDIN") as copy:
                copy.write("".join(map(_person_line, chunk.people)))
            with cursor.copy(_COPY_SOURCES) as copy:
                start = f"{self._batch_id}\t"
                copy.write("".join(start + _source_line(*source) for source in chunk.sources))
            cursor.execute(_INSERT, self._parameters)
            self.n_created += cursor.rowcount
            if self._known is not KnownPeople.SKIP:
                cursor.execute(_REMEMBER, self._parameters)
            cursor.execute("TRUNCATE import_stage")
            store_problems(cursor, self._batch_id, chunk.problems)

    def change_known(self) -> int:
        """Change people who were in the campaign before as the operator chose; return how many changed.

        It comes last: their rows stay locked until the import is over.
        """
        changed = 0
        with self._session.cursor() as cursor:
            if self._known is not KnownPeople.SKIP:
                cursor.execute("ANALYZE import_known")
                cursor.execute(_update_statement(self._known), self._parameters)
                changed = cursor.rowcount
            cursor.execute("DROP TABLE import_stage, import_known")
        return changed


def store_problems(
    cursor: psycopg.Cursor[Any], batch_id: int, problems: Sequence[tuple[RowProblem, Mapping[str, str]]]
) -> None:
    """Store problems with the cells of their rows.

    They come as a list: a generator that asks the database would wait for its own COPY for ever.
    """
    if not problems:
        return
    with cursor.copy(_COPY_PROBLEMS) as copy:
        for problem, cells in problems:
            copy.write_row((
                batch_id, problem.line, problem.field[:40], problem.code[:40], problem.sentence[:500],
                problem.rejected, _json(cells),
            ))  # fmt: skip


def _parameters(batch: ImportBatch) -> dict[str, Any]:
    return {
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


def _person_line(person: Person) -> str:
    """Return a person as a line of COPY's text format; clean texts hold neither tab nor line break."""
    texts = [_NULL if value is None else str(value) for value in person[:-1]]
    line = "\t".join([*texts, _json(person.extra)])
    return line.replace("\\", "\\\\").replace(_NULL, "\\N") + "\n"


def _source_line(line: int, number: str, cells: Sequence[str]) -> str:
    kept = _json([storable(cell) for cell in cells])
    return f"{line}\t{number}\t" + kept.replace("\\", "\\\\") + "\n"


def _update_statement(known: KnownPeople) -> str:
    values, when = (_FILL, _FILL_WHEN) if known is KnownPeople.FILL else (_UPDATE, _UPDATE_WHEN)
    new = {column: value.format(**when) for column, value in values.items()}
    released = f"{_WANTING} AND {_BROUGHT.format(**new)}"
    new |= {
        column: f"CASE WHEN {released} THEN {value} ELSE f.{column} END"
        for column, value in _RELEASED.items()
    }
    changes = ", ".join(f"{column} = {value}" for column, value in new.items())
    before, after = (", ".join(f"'{c}', {side}.{c}" for c in new) for side in ("old", "new"))
    return f"""
        WITH changed AS (
            UPDATE outreach_facilitator f SET {changes}, updated_at = %(now)s
            FROM import_known s
            WHERE f.campaign_id = %(campaign)s AND f.number = s.number
            AND ({", ".join(f"f.{column}" for column in new)}) IS DISTINCT FROM ({", ".join(new.values())})
            RETURNING f.id, s.line, jsonb_build_object({before}) AS before,
                jsonb_build_object({after}) AS after
        ), differing AS (
            SELECT c.id, c.line, b.key, jsonb_build_array(b.value, c.after -> b.key) AS values
            FROM changed c, jsonb_each(c.before) b WHERE b.value IS DISTINCT FROM c.after -> b.key
        )
        INSERT INTO outreach_importrow (batch_id, line, field, code, problem, rejected, cells)
        SELECT %(batch)s, line, '', '{CHANGED}',
            'Changed: ' || string_agg(replace(key, '_', ' '), ', '), false,
            jsonb_object_agg(key, values) || jsonb_build_object('id', id)
        FROM differing GROUP BY id, line
    """  # noqa: S608  (composed of the constants above only)
