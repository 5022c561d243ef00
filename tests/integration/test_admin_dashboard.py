"""The dashboard says what happens, who waits for what, what is wrong, and what to do first."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from outreach.desk import board, health
from outreach.domain.contracts import WORDS_GROUP, WORDS_STREAM
from outreach.models import Campaign, DialingControl
from outreach.services import clock
from tests.factories import a_campaign, a_person, an_agent_worker
from tests.integration.desk_rows import a_full_desk, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def piece(name: str) -> health.Piece:
    """Return the health of one piece now."""
    return next(piece for piece in health.health_of(clock.now()) if piece.name == name)


class TestTheDashboard:
    def test_says_what_to_do_first(self, desk: Client) -> None:
        page = desk.get(reverse("admin:index")).content.decode()
        assert "Nobody to call yet" in page
        assert reverse("admin:outreach_facilitator_upload") in page

    def test_shows_the_day_the_calls_and_the_promises(self, desk: Client) -> None:
        a_full_desk(2)
        page = desk.get(reverse("admin:index")).content.decode()
        assert "Nobody to call yet" not in page
        assert "<span>Dialled today</span><b>10</b>" in page
        assert "2 calls" in page
        assert "It is outside their calling hours" in page
        assert "Their zone is not known" in page
        assert "Late" in page

    def test_shows_nothing_to_those_who_may_see_nothing(self, client: Client) -> None:
        a_full_desk(1)
        client.force_login(an_operator())
        page = client.get(reverse("admin:index")).content.decode()
        assert "Nothing here is yours to see yet" in page
        assert "data-board" not in page


class TestCounts:
    def test_group_people_by_what_they_wait_for(self) -> None:
        campaign = a_campaign()
        later = clock.now() + timedelta(hours=3)
        for code in ("outside_window", "outside_window", "daily_cap"):
            a_person(campaign, standing="waiting", not_called_code=code, next_call_at=later)
        a_person(campaign, standing="retry_due")
        counts = board.counts()
        assert [(group.code, group.n_people) for group in counts.waiting] == [
            ("outside_window", 2),
            ("daily_cap", 1),
        ]
        assert (counts.due_now, counts.retries_due) == (1, 1)

    def test_say_how_much_of_a_campaign_is_done(self) -> None:
        campaign = a_campaign()
        a_person(campaign)
        a_person(campaign, standing="interested", next_call_at=None)
        count = next(count for count in board.counts().campaigns if count.campaign == campaign)
        assert (count.n_people, count.done_percent) == (2, 50)
        assert list(count.standings) == ["new", "interested"]

    def test_of_an_empty_campaign_are_nought(self) -> None:
        assert board.CampaignCount(campaign=Campaign(name="x")).done_percent == 0


class TestHealth:
    def test_misses_an_agent_that_reports_no_more(self) -> None:
        an_agent_worker(free=3)
        assert piece("Alex").says.startswith("3 of 50 lines free")
        assert not next(
            piece for piece in health.health_of(clock.now() + timedelta(minutes=1)) if piece.name == "Alex"
        ).well

    def test_says_when_the_models_are_the_limit(self) -> None:
        an_agent_worker(free=3)
        DialingControl.objects.update_or_create(pk=1, defaults={"model_budget": 12})
        assert piece("Alex").says == "3 of 50 lines free; the models carry 12 calls at once"
        DialingControl.objects.filter(pk=1).update(model_budget=0)
        assert not piece("Alex").well

    def test_counts_the_words_the_recorder_has_not_stored(self, valkey: redis.Redis) -> None:
        assert piece("Transcripts").well
        for _ in range(health.WORDS_BEHIND + 1):
            valkey.xadd(WORDS_STREAM, {"v": "{}"})
        assert not piece("Transcripts").well
        valkey.xgroup_create(WORDS_STREAM, WORDS_GROUP, id="$")
        assert piece("Transcripts").well

    def test_sees_tasks_that_nobody_takes(self, valkey: redis.Redis) -> None:
        valkey.rpush("dial", *["x"] * (health.TASKS_WAITING + 1))
        assert not piece("Work queue").well

    def test_sees_a_beat_that_ticks_no_more(self) -> None:
        PeriodicTask.objects.update(last_run_at=None)
        assert not piece("Schedule").well
        PeriodicTask.objects.update(last_run_at=timezone.now())
        assert piece("Schedule").well
        PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(minutes=10))
        assert "10 minutes ago" in piece("Schedule").says

    def test_goes_on_without_redis(self, monkeypatch: pytest.MonkeyPatch) -> None:
        nobody = redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.1)
        monkeypatch.setattr(health, "_client", lambda: nobody)
        assert not piece("Live words").well
