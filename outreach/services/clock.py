"""The one door to time: the database's clock, which a rehearsal may set and production never does."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection


def now() -> datetime:
    """Return the present moment as aware UTC."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outreach_now()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def database_age() -> timedelta:
    """Return how long ago PostgreSQL was started: before that nobody could report anything."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() - pg_postmaster_start_time()")
        age: timedelta = cursor.fetchone()[0]
    return age
