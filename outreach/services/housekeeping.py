"""Forgetting what need not be kept: what was said, raw events, decisions, who read what, old logins."""

from __future__ import annotations

from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from outreach.domain import defaults
from outreach.models import Access, CallEvent, Decision, HookDelivery, Note, Summary, Turn
from outreach.services import clock

BATCH = 5_000
#: Batches per table and run: more than an hour of a busy dialer brings in.
BATCHES_A_RUN = 20


def expire() -> int:
    """Delete what is older than its keeping, in bounded batches; return how many rows went.

    Calls, consent, script versions and suppressions stay: the Telemarketing Sales Rule wants five years.
    """
    now = clock.now()
    gone = 0
    for table, column, days, keep in (
        (Turn._meta.db_table, "said_at", defaults.TRANSCRIPT_DAYS, "true"),
        (Note._meta.db_table, "noted_at", defaults.TRANSCRIPT_DAYS, "true"),
        (Summary._meta.db_table, "made_at", defaults.TRANSCRIPT_DAYS, "true"),
        (CallEvent._meta.db_table, "received_at", defaults.RAW_EVENT_DAYS, "NOT incident"),
        (Access._meta.db_table, "at", settings.ACCESS_DAYS, "true"),
        (AccessLog._meta.db_table, "attempt_time", settings.ACCESS_DAYS, "true"),
        (AccessAttempt._meta.db_table, "attempt_time", settings.ACCESS_DAYS, "true"),
        (HookDelivery._meta.db_table, "created_at", defaults.RAW_EVENT_DAYS, "state <> 'due'"),
        (
            Decision._meta.db_table,
            "decided_at",
            defaults.DECISION_DAYS,
            "EXISTS (SELECT 1 FROM outreach_decision AS newer"
            " WHERE newer.facilitator_id = old.facilitator_id AND newer.id > old.id)",
        ),
    ):
        gone += _expire(table, column, now - timedelta(days=days), keep)
    SessionStore.clear_expired()
    return gone


def _expire(table: str, column: str, before: datetime, keep: str) -> int:
    # The names come from the table above, never from outside.
    rows = f"SELECT id FROM {table} AS old WHERE {column} < %s AND {keep} LIMIT {BATCH}"  # noqa: S608
    statement = f"DELETE FROM {table} WHERE id IN ({rows})"  # noqa: S608
    gone = 0
    for _ in range(BATCHES_A_RUN):
        with connection.cursor() as cursor:
            cursor.execute(statement, [before])
            gone += cursor.rowcount
            if cursor.rowcount < BATCH:
                break
    return gone
