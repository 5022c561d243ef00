"""Beat's entries are rows: made once, edited by operators, and harmless when they come twice."""

from __future__ import annotations

import importlib

import pytest
from celery import current_app
from django.apps import apps
from django_celery_beat.models import PeriodicTask

from outreach.models import Call
from outreach.tasks import TICKS_LAST, dial_due, retry_due
from tests.factories import a_campaign, a_person, an_agent_worker

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

TICKS = {
    "outreach.dial_due": "dial",
    "outreach.retry_due": "dial",
    "outreach.sweep_calls": "ops",
    "outreach.tally_calls": "ops",
    "outreach.count_people": "ops",
    "outreach.expire_old_events": "ops",
    "outreach.summarise_calls": "post",
    "outreach.price_calls": "post",
    "outreach.tend_campaigns": "ops",
    "outreach.tend_imports": "ops",
    "outreach.look_at_balance": "ops",
    "outreach.deliver_hooks": "post",
    "outreach.send_notices": "post",
}


def test_every_tick_is_a_row_with_a_known_task_that_expires() -> None:
    rows = {row.task: row for row in PeriodicTask.objects.filter(task__startswith="outreach.")}
    assert set(rows) == set(TICKS)
    for task, row in rows.items():
        assert task in current_app.tasks
        assert row.queue == TICKS[task]
        assert row.expire_seconds is not None
        assert row.queue != "dial" or row.priority == TICKS_LAST
        assert row.enabled


def test_migrating_again_keeps_what_an_operator_edited() -> None:
    PeriodicTask.objects.filter(task="outreach.dial_due").update(enabled=False, expire_seconds=7)
    migration = importlib.import_module("outreach.migrations.0002_clock_control_schedule")
    migration.create_rows(apps, None)
    row = PeriodicTask.objects.get(task="outreach.dial_due")
    assert (row.enabled, row.expire_seconds) == (False, 7)


def test_two_beats_and_tripled_delivery_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.tasks.prepare_call.delay", lambda **_: None)
    campaign = a_campaign()
    for _ in range(3):
        a_person(campaign)
    an_agent_worker()
    for _ in range(6):
        dial_due()
        retry_due()
    assert Call.objects.count() == 3
