"""PostgreSQL's advisory locks, the only locks of the product: they die with their holder.

Order, to stay free of deadlocks: control row, campaign row, call row, number lock, caller ID row,
facilitator row, pacing buckets; the row of a call that somebody makes to us comes before all of them.
Whoever holds a facilitator row may only *try* a number lock or a call row, which a new reference to the call
takes as well; whoever holds a call row may only take a campaign row that nobody has. Of several call rows,
take them by id or skip those that are taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from django.db import connection

_NUMBER: Final = 1
_CALL: Final = 2
_TICK: Final = 3


def _ask(sql: str, key: str, space: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [key, space])
        return bool(cursor.fetchone()[0])


def lock_number(number: str) -> None:
    """Wait for the transaction-level lock on `number`: claim, dial intent and suppress take it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [number, _NUMBER])


def lock_numbers(numbers: Iterable[str]) -> None:
    """Wait for the locks on all of `numbers`, taken in one order, so that two who do this never deadlock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(number, %s))"
            " FROM (SELECT number FROM unnest(%s::text[]) AS wanted (number) ORDER BY 1 OFFSET 0) AS one",
            [_NUMBER, list(numbers)],
        )


def try_lock_number(number: str) -> bool:
    """Take the transaction-level lock on `number` if nobody has it; return whether we got it."""
    return number in try_lock_numbers([number])


def try_lock_numbers(numbers: Iterable[str]) -> set[str]:
    """Take the transaction-level locks on those of `numbers` that nobody has locked; return these."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, pg_try_advisory_xact_lock(hashtextextended(number, %s))"
            " FROM unnest(%s::text[]) AS wanted (number)",
            [_NUMBER, list(numbers)],
        )
        return {number for number, got in cursor.fetchall() if got}


def lock_tick(name: str) -> None:
    """Wait for the transaction-level lock that lets one tick of this kind run at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [name, _TICK])


@contextmanager
def _session_lock(key: str, space: int) -> Iterator[bool]:
    got = _ask("SELECT pg_try_advisory_lock(hashtextextended(%s, %s))", key, space)
    try:
        yield got
    finally:
        if got:
            _ask("SELECT pg_advisory_unlock(hashtextextended(%s, %s))", key, space)


@contextmanager
def try_lock_call(call_id: UUID) -> Iterator[bool]:
    """Hold the session-level lock on one call, over transactions and the POST; yield whether we got it.

    A dialer that is frozen keeps it, one that was killed frees it at once, so whoever gets it knows
    that no POST for this call is under way.
    """
    with _session_lock(str(call_id), _CALL) as got:
        yield got


@contextmanager
def try_lock_sweep() -> Iterator[bool]:
    """Hold the session-level lock that lets one sweep run at a time; yield whether we got it."""
    with _session_lock("sweep", _TICK) as got:
        yield got


@contextmanager
def try_lock_tick(name: str) -> Iterator[bool]:
    """Hold the session-level lock that lets one run of this tick go at a time; yield whether we got it.

    For ticks that ask somebody outside between their transactions.
    """
    with _session_lock(name, _TICK) as got:
        yield got
