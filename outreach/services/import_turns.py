"""One at a time: who works on a campaign's lists, and how far they are, seen from outside the transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

_SAY = "UPDATE outreach_importbatch SET rows_done = %s, worked_at = outreach_now() WHERE id = %s"


@contextmanager
def only_one(key: str) -> Iterator[bool]:
    """Tell whether nobody else works on this, and keep it so.

    The lock belongs to the session: a killed process frees it at once, so what is marked as worked on while
    its lock is free has nobody working on it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        alone: bool = cursor.fetchone()[0]
    try:
        yield alone
    finally:
        if alone and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def import_into(campaign_id: int) -> str:
    """Return the key of the one import that may run into a campaign."""
    return f"import into campaign {campaign_id}"


class Progress:
    """Says how far a list is on a session of its own: the import's transaction is seen by nobody yet."""

    def __init__(self, *, batch_id: int) -> None:
        self._batch_id = batch_id
        self._session = connection.copy()

    def __enter__(self) -> Progress:
        """Begin; the session is opened by the first word."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the session."""
        self._session.close()

    def say(self, rows_done: int) -> None:
        """Say how many rows are done, and that somebody is at it."""
        with self._session.cursor() as cursor:
            cursor.execute(_SAY, [rows_done, self._batch_id])
