"""Taking an import back: as if the list had never come, while nobody of it has been called."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from outreach.models import ImportBatch, ImportState
from outreach.services import clock
from outreach.services.import_staging import CHANGED
from outreach.services.import_turns import import_into, only_one

CALLED = (
    "Somebody of this list was called or promised a call, so it stays. Open its people, and hold or close"
    " those whom nobody should call."
)


class CannotUndo(Exception):
    """The import stays; the sentence says why."""


_PEOPLE = "SELECT id FROM outreach_facilitator WHERE import_batch_id = %(batch)s"
_CHANGED = (
    "SELECT (cells->>'id')::bigint FROM outreach_importrow WHERE batch_id = %(batch)s AND code = %(code)s"
)
#: A claim takes the same rows and passes over locked ones: who is dialled now was claimed before.
_LOCK = f"SELECT FROM outreach_facilitator WHERE id IN ({_PEOPLE} UNION ALL {_CHANGED}) FOR UPDATE"
_CALLED = f"""
SELECT EXISTS (SELECT FROM outreach_call c WHERE c.facilitator_id IN ({_PEOPLE}))
    OR EXISTS (SELECT FROM outreach_call c
        WHERE c.facilitator_id IN ({_CHANGED}) AND c.queued_at >= %(since)s)
    OR EXISTS (SELECT FROM outreach_callback c WHERE c.facilitator_id IN ({_PEOPLE}))
    OR EXISTS (SELECT FROM outreach_incomingcall c WHERE c.facilitator_id IN ({_PEOPLE}))
"""  # noqa: S608  (composed of the constants above only)
#: The same for a page, quick with millions of calls: whom a list added was called after it, or never.
_CALLED_SINCE = """
SELECT EXISTS (
    SELECT FROM outreach_call c JOIN outreach_facilitator f ON f.id = c.facilitator_id
    WHERE c.campaign_id = %(campaign)s AND c.queued_at >= %(since)s AND f.import_batch_id = %(batch)s)
"""
_LATER = """
SELECT max(id) FROM outreach_importbatch
WHERE campaign_id = %(campaign)s AND id > %(batch)s AND state IN ('importing', 'imported')
"""
#: What goes back field by field, unless somebody has changed it since.
_FIELDS = (
    "name", "email", "organisation", "language", "country", "time_zone", "zone_source", "consent_basis",
    "consent_source",
)  # fmt: skip
#: Who was released by the list is held again, with the reasons of then.
_WITH_STANDING = ("standing", "standing_reason", "not_called_code", "not_called_reason")
_HELD_AGAIN = "(r.cells ? 'standing' AND f.standing = r.cells->'standing'->>1)"


def _back(column: str, *, kind: str = "text", when: str = "") -> str:
    now_as_imported = f"r.cells->'{column}'->1 = to_jsonb(f.{column})"
    before = f"(r.cells->'{column}'->0)" if kind == "jsonb" else f"(r.cells->'{column}'->>0)::{kind}"
    condition = f"r.cells ? '{column}' AND {when or now_as_imported}"
    return f"{column} = CASE WHEN {condition} THEN {before} ELSE f.{column} END"


_GIVE_BACK = f"""
UPDATE outreach_facilitator f SET
    {", ".join(_back(column) for column in _FIELDS)},
    {_back("priority", kind="smallint")}, {_back("extra", kind="jsonb")},
    {", ".join(_back(column, when=_HELD_AGAIN) for column in _WITH_STANDING)},
    next_call_at = CASE WHEN {_HELD_AGAIN} THEN NULL ELSE f.next_call_at END,
    updated_at = %(now)s
FROM outreach_importrow r
WHERE r.batch_id = %(batch)s AND r.code = %(code)s AND f.id = (r.cells->>'id')::bigint
    AND f.campaign_id = %(campaign)s
"""  # noqa: S608  (composed of the constants above only)
_FORGET_DECISIONS = f"DELETE FROM outreach_decision WHERE facilitator_id IN ({_PEOPLE})"  # noqa: S608
_REMOVE = "DELETE FROM outreach_facilitator WHERE import_batch_id = %(batch)s"


def undo_import(*, batch_id: int, by: str) -> int:
    """Remove the people that a list brought, give known people back what it changed; return how many.

    :raises CannotUndo: if somebody of it was called or promised a call, or a later list came on top.
    """
    campaign_id = ImportBatch.objects.values_list("campaign_id", flat=True).get(pk=batch_id)
    with only_one(import_into(campaign_id)) as alone:
        if not alone:
            raise CannotUndo("A list is being imported into this campaign right now: wait until it is done.")
        with transaction.atomic(), connection.cursor() as cursor:
            batch = ImportBatch.objects.select_for_update().get(pk=batch_id)
            if batch.state != ImportState.IMPORTED:
                raise CannotUndo("Only what was imported can be undone.")
            # Half a million people take longer than a page's statement is allowed to.
            cursor.execute("SET LOCAL statement_timeout = '5min'")
            cursor.execute(_LOCK, _values(batch))
            reason = _why_not(batch, _CALLED)
            if reason:
                raise CannotUndo(reason)
            cursor.execute(_GIVE_BACK, _values(batch))
            n_people: int = cursor.rowcount
            cursor.execute(_FORGET_DECISIONS, _values(batch))
            cursor.execute(_REMOVE, _values(batch))
            n_people += cursor.rowcount
            batch.state, batch.undone_at, batch.undone_by = ImportState.UNDONE, clock.now(), by[:150]
            batch.save(update_fields=["state", "undone_at", "undone_by"])
    return n_people


def why_not(batch: ImportBatch) -> str:
    """Return why an import cannot be undone as things stand; "" when it can: `undo_import` looks closer."""
    return _why_not(batch, _CALLED_SINCE)


def _why_not(batch: ImportBatch, called: str) -> str:
    if batch.state != ImportState.IMPORTED:
        return "Only what was imported can be undone."
    with connection.cursor() as cursor:
        cursor.execute(_LATER, _values(batch))
        later = cursor.fetchone()[0]
        if later is not None:
            return f"A later list went into this campaign (import {later}): undo that one first."
        cursor.execute(called, _values(batch))
        return CALLED if cursor.fetchone()[0] else ""


def _values(batch: ImportBatch) -> dict[str, Any]:
    return {
        "batch": batch.pk,
        "campaign": batch.campaign_id,
        "code": CHANGED,
        "since": batch.finished_at,
        "now": clock.now(),
    }
