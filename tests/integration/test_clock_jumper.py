"""The rehearsal's clock in the database: set once, moved by jumps, and the telephone network told first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection as ours

from sandbox import clock_jumper

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

MORNING = datetime(2026, 12, 1, 14, 59, tzinfo=UTC)


@pytest.fixture
def connection() -> Iterator[psycopg.Connection]:
    """The jumper's own connection to the test's database, with the clock as production has it."""
    settings = ours.settings_dict
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname=settings["NAME"],
        autocommit=True,
    ) as connection:
        connection.execute("DELETE FROM outreach_clock")
        yield connection
        connection.execute("DELETE FROM outreach_clock")


def now(connection: psycopg.Connection) -> datetime:
    row = connection.execute("SELECT outreach_now()").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


def test_begins_on_the_morning_once_and_goes_on_from_there_at_the_next_start(
    connection: psycopg.Connection,
) -> None:
    assert clock_jumper.start_clock(connection, at=MORNING)
    assert not clock_jumper.start_clock(connection, at=MORNING + timedelta(days=7))
    assert now(connection) - MORNING < timedelta(seconds=10)


def test_tells_the_telephone_network_before_it_jumps(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_jumper.start_clock(connection, at=MORNING)
    told: list[tuple[float, datetime]] = []
    monkeypatch.setattr(
        clock_jumper, "tell_network", lambda _address, *, key, ahead: told.append((ahead, now(connection)))
    )
    tomorrow = MORNING + timedelta(days=1)
    clock_jumper.jump(connection, to=tomorrow, network="", key="")
    [(ahead, when_told)] = told
    assert when_told < tomorrow <= now(connection)
    assert ahead == pytest.approx(clock_jumper.ahead_seconds(connection), abs=1)


def test_stays_where_it_is_when_the_telephone_network_cannot_be_told(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_address: str, *, key: str, ahead: float) -> None:
        raise ConnectionRefusedError

    clock_jumper.start_clock(connection, at=MORNING)
    monkeypatch.setattr(clock_jumper, "tell_network", fail)
    with pytest.raises(ConnectionRefusedError):
        clock_jumper.jump(connection, to=MORNING + timedelta(days=1), network="", key="")
    assert now(connection) - MORNING < timedelta(seconds=10)
