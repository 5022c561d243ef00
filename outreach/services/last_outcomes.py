"""What the last call to a person achieved, beside the person: a list of a million people is filtered by it.

It is written where the statistics take a call in, since these take in each call and each correction.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

_NEWEST = """
SELECT DISTINCT ON (facilitator_id) facilitator_id AS id, disposition FROM outreach_call
WHERE facilitator_id = ANY(%(people)s) AND channel = 'phone' AND settled_at IS NOT NULL
ORDER BY facilitator_id, queued_at DESC
"""
_WRITE = f"""
WITH newest AS ({_NEWEST}), stale AS (
    SELECT f.id, newest.disposition FROM outreach_facilitator f JOIN newest USING (id)
    WHERE f.last_disposition <> newest.disposition ORDER BY f.id FOR NO KEY UPDATE OF f SKIP LOCKED
)
UPDATE outreach_facilitator f SET last_disposition = stale.disposition FROM stale WHERE f.id = stale.id
"""  # noqa: S608  (constants)
_LEFT = f"""
WITH newest AS ({_NEWEST}) SELECT f.id FROM outreach_facilitator f JOIN newest USING (id)
WHERE f.last_disposition <> newest.disposition
"""  # noqa: S608  (constants)


def write_last_dispositions(people: Iterable[int]) -> set[int]:
    """Bring the last outcome of these people up to date; return those whom somebody else holds just now.

    Waits for nobody: whoever holds a person may wait for one of the calls that the caller holds.
    """
    values = {"people": sorted(people)}
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, values)
        cursor.execute(_LEFT, values)
        return {pk for (pk,) in cursor.fetchall()}
