"""What `make up` tells of the calls, whatever becomes of the servers that it reads."""

from __future__ import annotations

import time
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from django.db import connection
from rich.console import Console

from outreach.management.supervisor import running
from outreach.management.supervisor.console import Terminal
from tests.factories import TUESDAY_MORNING, a_campaign, a_dialled_call, a_person, an_agent_worker, set_clock

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


class TestTelling:
    @pytest.mark.usefixtures("valkey")
    def test_goes_on_after_the_database_ended_its_session(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(running, "OwnLog", lambda _journal: None)
        monkeypatch.setattr(running.time, "sleep", lambda _seconds: None)
        set_clock(TUESDAY_MORNING)
        printed = StringIO()
        plan = running.Plan(directory=tmp_path, environment={}, started_at=time.time())
        run = running.Running(plan=plan, terminal=Terminal(Console(file=printed)), asked=running.Asked())
        run.tell()
        session = connection.connection.info.backend_pid
        end_session(session)
        run.tell()
        an_agent_worker()
        call = a_dialled_call(a_person(a_campaign()))
        run.tell()
        assert f"calls {call.person.name}" in printed.getvalue()


def end_session(backend_pid: int) -> None:
    """Let PostgreSQL end a session, as a restart of it does."""
    other = connection.copy()
    with closing(other), other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [backend_pid])
