"""What runs every second reads few rows, however many calls there have been."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessLog
from django.contrib.auth.models import User
from django.db import connection

from outreach.models import Access, Call, Campaign, Decision
from outreach.services import (
    capacity,
    clock,
    dispatching,
    gating,
    housekeeping,
    reconciling,
    recording,
    statistics,
    tallying,
)
from outreach.services.statistics import Scope
from tests.factories import a_campaign, a_dialled_call, a_person, an_earlier_call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

MANY = """
INSERT INTO outreach_call (id, facilitator_id, campaign_id, script_id, number, caller_id, kind, token,
    standing_before, standing_reason_before, status, answered_by, disposition, ended_by, failure_code,
    failure_reason, our_fault, counts, stage, agent_worker, agent_job, queued_at, dialing_at, placed_at,
    ringing_at, answered_at, ended_at, end_received_at, settled_at, empty_lists, transcript, tally_due)
SELECT gen_random_uuid(), facilitator_id, campaign_id, script_id, '+1646' || lpad((n % 9000)::text, 7, '0'),
    caller_id, kind, 'token ' || n, 'new', '', 'completed', 'human', 'no_outcome', 'callee', '', '', false,
    true, 'close', '', '', at, at, at, at, at, at, at, at, 0,
    CASE n % 3 WHEN 0 THEN 'incomplete' ELSE 'complete' END, false
FROM outreach_call, generate_series(1, 20000) AS n,
    LATERAL (SELECT queued_at - n * interval '10 minutes' AS at) AS past
"""


@contextmanager
def plans() -> Iterator[list[str]]:
    """Collect the plans of every statement on calls and decisions that is made meanwhile."""
    found: list[str] = []

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().startswith(("SELECT", "WITH", "UPDATE", "INSERT", "DELETE")) and "outreach_" in sql:
            with connection.connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + sql, params)
                found.append(sql + "\n" + "\n".join(row[0] for row in cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield found


@pytest.fixture
def _many_calls(tuesday: None) -> None:
    """Let there have been twenty thousand calls."""
    called_often = a_person(a_campaign(), standing="exhausted", next_call_at=None)
    an_earlier_call(called_often, ago=timedelta(days=1))
    Call.objects.update(tally_due=False)
    with connection.cursor() as cursor:
        cursor.execute(MANY)
        cursor.execute("ANALYZE outreach_call")
    for _ in range(3):
        a_dialled_call(a_person(a_campaign()))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outreach_call, outreach_facilitator")


@pytest.mark.usefixtures("_many_calls")
class TestNoTickReadsAllCalls:
    @pytest.mark.parametrize(
        "work",
        [
            lambda: reconciling._agentless(clock.now()),
            lambda: reconciling._late(clock.now()),
            recording.give_up_on_gaps,
            dispatching.calls_to_prepare,
            dispatching.calls_to_dial,
            dispatching._running_campaigns,
            lambda: capacity.agent_places(clock.now()),
            lambda: gating.histories_of(["+16460000007"], now=clock.now()),
            lambda: statistics.tallied(Scope()),
            tallying.take_in,
            lambda: dispatching._latest_kinds(Campaign.objects.all()[0]),
        ],
        ids=[
            "agentless", "late", "gaps", "to_prepare", "to_dial", "campaigns", "places", "history",
            "statistics", "tallies", "latest_kinds",
        ],
    )  # fmt: skip
    def test_but_finds_them_by_an_index(self, work: Callable[[], object]) -> None:
        with plans() as found:
            work()
        assert found
        assert [plan for plan in found if "Seq Scan on outreach_call" in plan] == []


class TestForgetting:
    def test_catches_up_in_one_run_and_keeps_each_persons_last_decision(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(housekeeping, "BATCH", 3)
        person, other = a_person(a_campaign()), a_person(a_campaign())
        old = clock.now() - timedelta(days=91)
        for one in [person] * 8 + [other]:
            Decision.objects.create(facilitator=one, code="x", reason="x", decided_at=old)
        assert housekeeping.expire() == 7
        assert set(Decision.objects.values_list("facilitator_id", flat=True)) == {person.pk, other.pk}

    def test_keeps_who_read_what_as_long_as_is_set(
        self, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        monkeypatch.setattr(housekeeping, "BATCH", 2)
        settings.ACCESS_DAYS = 400
        user = User.objects.create_user("anna")
        for days in (401, 401, 401, 399):
            at = clock.now() - timedelta(days=days)
            Access.objects.create(user=user, kind="export", what="people", at=at)
            AccessLog.objects.create(username="anna")
            AccessLog.objects.filter(pk=AccessLog.objects.latest("pk").pk).update(attempt_time=at)
        assert housekeeping.expire() == 6
        assert (Access.objects.count(), AccessLog.objects.count()) == (1, 1)

    def test_reads_no_list_of_everybodys_last_decisions(self) -> None:
        with plans() as found:
            housekeeping.expire()
        decisions = [plan for plan in found if "DELETE FROM outreach_decision" in plan]
        assert decisions
        assert "Aggregate" not in decisions[0]
