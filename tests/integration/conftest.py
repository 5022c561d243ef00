"""What integration tests share: a Tuesday morning, and the rows that migrations make."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from outreach.models import DialingControl
from outreach.services import clock
from tests.factories import TUESDAY_MORNING, set_clock


@pytest.fixture(autouse=True)
def _a_database_that_runs_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sweep believe that PostgreSQL was not started moments ago, which in a test run it was."""
    monkeypatch.setattr(clock, "database_age", lambda: timedelta(days=1))


@pytest.fixture
def tuesday(db: None) -> None:
    """Let it be Tuesday morning in New York."""
    set_clock(TUESDAY_MORNING)


@pytest.fixture
def real_commits(transactional_db: None) -> Iterator[None]:
    """Let it be Tuesday morning for tests with several connections; give later tests a clean clock."""
    DialingControl.objects.get_or_create(pk=1)
    set_clock(TUESDAY_MORNING)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM outreach_clock")
