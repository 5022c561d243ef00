"""The dashboard says what happens, who waits for what, what is wrong, and what to do first."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import timedelta

import pytest
import redis
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from outreach.desk import board, health
from outreach.desk.badges import stage_badge
from outreach.desk.charts import hours_chart
from outreach.domain.contracts import WORDS_GROUP, WORDS_STREAM
from outreach.models import (
    Call,
    CallerId,
    CallEvent,
    Campaign,
    CheckResult,
    DialingControl,
    Facilitator,
    Turn,
)
from outreach.services import caller_ids, clock, tallying
from outreach.tasks import LISTS_OF_DIAL
from tests.factories import a_campaign, a_person, an_agent_worker, an_earlier_call
from tests.integration.desk_rows import a_full_desk, a_live_call, a_talk, an_operator

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
        assert "<span>Dialled</span><b>2</b>" in page
        assert "2 calls" in page
        assert "wait for tomorrow 06:05 in their zone" in page
        assert "Their zone is not known" in page
        assert "Late" in page

    def test_shows_the_conversation_s_stage_as_soon_as_there_are_words(self, desk: Client) -> None:
        """The carrier's news that they picked up comes later than their first word."""
        spoken = {"status": "preparing", "answered_at": None}
        calls = [a_live_call(a_person(a_campaign())) for _ in range(3)]
        Call.objects.filter(pk=calls[0].pk).update(**spoken, stage="pitch")
        for call in calls[1:]:
            Call.objects.filter(pk=call.pk).update(**spoken, stage="")
        Turn.objects.create(call=calls[1], seq=1, speaker="person", text="Hello?", said_at=clock.now())
        shown = [re.sub(r"<[^>]*>|\s", "", stage_badge(call)) for call in board.present().calls]
        assert shown == ["Pitch", "Talking", "Preparing"]

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
        a_person(campaign, standing="waiting", not_called_code="daily_cap", next_call_at=later)
        a_person(campaign, standing="retry_due")
        held = {"standing": "held", "next_call_at": None}
        for _ in range(2):
            a_person(campaign, **held, not_called_code="no_consent", standing_reason="No consent.")
        a_person(campaign, **held, standing_reason="Their zone is not known.")
        counts = board.counts()
        assert [(group.n_people, group.says) for group in counts.waiting] == [
            (1, "is tried again later"),
            (1, "was tried often enough today"),
        ]
        assert [(group.n_people, group.says) for group in counts.held] == [
            (2, "have no consent recorded"),
            (1, "Their zone is not known."),
        ]
        assert (counts.due_now, counts.retries_due, counts.next_at) == (1, 1, later)

    def test_name_the_hour_that_people_wait_for_in_their_own_zone(self) -> None:
        """It is 10:05 in New York, 09:05 in Chicago, 16:05 in Madrid and 02:05 of the next day in Sydney."""
        campaign, now = a_campaign(), clock.now().replace(minute=0, second=0, microsecond=0)
        waits = {"standing": "waiting", "not_called_code": "outside_window"}
        for zone, hours in {
            "America/New_York": 5, "America/Chicago": 6, "Europe/Madrid": 18, "Australia/Sydney": 8, "": 20,
        }.items():  # fmt: skip
            a_person(campaign, **waits, time_zone=zone, next_call_at=now + timedelta(hours=hours))
        moved_on = a_person(campaign, **waits, next_call_at=now + timedelta(hours=5))
        Facilitator.objects.filter(pk=moved_on.pk).update(next_call_at=now + timedelta(days=3))
        a_person(campaign, **waits, next_call_at=now - timedelta(hours=1))
        for _ in range(2):
            told = {
                group.says: (group.n_people, group.first_at, group.where) for group in board.counts().waiting
            }
            assert told == {
                "wait for 15:00 in their zone": (
                    2, now + timedelta(hours=5), "New York, Chicago"
                ),
                "waits for 10:00 in their zone": (1, now + timedelta(hours=8), "Sydney"),
                "waits for tomorrow 10:00 in their zone": (1, now + timedelta(hours=18), "Madrid"),
                "waits for Fri 6 Mar 10:00 in their zone": (1, now + timedelta(days=3), "New York"),
                "waits for an hour that all their zones share": (1, now + timedelta(hours=20), ""),
                "was outside their calling hours when last looked at": (1, None, ""),
            }  # fmt: skip
            tallying.count_people()

    def test_say_which_campaign_nobody_is_called_in(self) -> None:
        running, paused = a_campaign(), a_campaign(name="Spring", state="paused")
        a_person(running)
        for _ in range(2):
            a_person(paused, standing="waiting", not_called_code="outside_window")
        a_person(a_campaign(state="finished"))
        assert [(group.n_people, group.says) for group in board.counts().waiting] == [
            (2, "wait for “Spring”, which is paused"),
            (1, "waits for their turn"),
        ]

    def test_forget_who_waits_for_hours_in_a_finished_campaign_but_no_promise_of_it(self) -> None:
        """A paused one still waits as a whole."""
        waits = {"not_called_code": "outside_window", "next_call_at": clock.now() + timedelta(hours=5)}
        for state in ("running", "paused", "finished"):
            campaign = a_campaign(name=state, state=state)
            for standing in ("waiting", "waiting", "callback_due"):
                a_person(campaign, standing=standing, **waits)
        assert [(group.n_people, group.says) for group in board.counts().waiting] == [
            (4, "wait for 15:05 in their zone"),
            (3, "wait for “paused”, which is paused"),
        ]

    def test_tell_a_long_list_of_reasons_by_the_most_frequent(self) -> None:
        campaign = a_campaign()
        for n in range(11):
            a_person(campaign, standing="waiting", not_called_code=f"reason_{n}")
        waiting = board.counts().waiting
        assert (len(waiting), waiting[-1].says, waiting[-1].n_people) == (9, "wait for other reasons", 3)

    def test_of_people_agree_with_the_table(self) -> None:
        a_full_desk(3)
        counts = board.counts()
        people = Facilitator.objects.order_by().values_list("standing").annotate(n=Count("pk"))
        assert counts.standings == dict(people)
        assert counts.n_people == Facilitator.objects.count()
        due = Facilitator.objects.filter(next_call_at__lte=counts.at, standing__in=board.CALLABLE_STANDINGS)
        assert counts.due_now == due.count()
        callable_now = Facilitator.objects.filter(standing__in=board.CALLABLE_STANDINGS)
        assert sum(group.n_people for group in counts.waiting) == callable_now.count()

    def test_of_calls_agree_with_the_table_whether_or_not_they_were_tallied(self) -> None:
        a_full_desk(3)
        for _ in range(2):
            today = board.counts().today
            calls = Call.objects.by_phone().filter(queued_at__date=clock.now().date())
            assert (today.begun, today.dialled, today.answered) == (
                calls.count(),
                calls.filter(placed_at__isnull=False).count(),
                calls.filter(answered_at__isnull=False).count(),
            )
            talked = calls.filter(answered_at__isnull=False).values("facilitator").distinct()
            assert (today.reached, today.interested) == (talked.count(), 3)
            tallying.take_in()

    def test_ask_as_many_questions_of_many_as_of_few(self, desk: Client) -> None:
        a_full_desk(1)
        desk.get(reverse("admin:index"))
        with CaptureQueriesContext(connection) as few:
            desk.get(reverse("admin:index"))
        for n in range(3):
            campaign = a_campaign()
            a_live_call(a_person(campaign))
            a_person(campaign, standing="waiting", not_called_code="daily_cap")
            a_talk(a_person(campaign, name=f"More {n}"))
        with CaptureQueriesContext(connection) as many:
            desk.get(reverse("admin:index"))
        assert len(many) == len(few)

    def test_say_why_a_campaign_has_no_number_to_call_from(self, desk: Client) -> None:
        campaign = a_campaign()
        caller_ids.make_rows()
        CallerId.objects.update(rests_until=clock.now() + timedelta(days=1))
        (count,) = [count for count in board.counts().campaigns if count.campaign == campaign]
        assert count.no_number.startswith("Every number to call from rests")
        assert "Every number to call from rests" in desk.get(reverse("admin:index")).content.decode()

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
        assert (piece("Models").says, piece("Models").well) == ("carry 0 calls at once", False)

    def test_counts_the_words_the_recorder_has_not_stored(self, valkey: redis.Redis) -> None:
        assert piece("Transcripts").well
        for _ in range(health.WORDS_BEHIND + 1):
            valkey.xadd(WORDS_STREAM, {"v": "{}"})
        assert not piece("Transcripts").well
        valkey.xgroup_create(WORDS_STREAM, WORDS_GROUP, id="$")
        assert piece("Transcripts").well

    def test_misses_a_recorder_that_asks_no_more(
        self, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        valkey.xgroup_create(WORDS_STREAM, WORDS_GROUP, mkstream=True)
        valkey.xreadgroup(WORDS_GROUP, "recorder", {WORDS_STREAM: ">"})
        assert piece("Transcripts").well
        monkeypatch.setattr(health, "RECORDER_SILENT_AFTER", timedelta(milliseconds=-1))
        assert piece("Transcripts").says.startswith("No recorder has asked for words for 1 minute; 0 wait")

    def test_sees_vendors_that_the_last_calls_could_not_reach_until_one_does(self) -> None:
        campaign = a_campaign()
        ago = timedelta(minutes=3)
        for name, code in {"Twilio": "carrier_unreachable", "LiveKit": "rooms_unavailable"}.items():
            for _ in range(2):
                an_earlier_call(a_person(campaign), ago=ago, placed_at=None, failure_code=code)
            assert not piece(name).well
            assert piece(name).says.startswith(
                "It could not be reached at 2 calls, the last one 3 minutes ago."
            )
        an_earlier_call(a_person(campaign), ago=timedelta(minutes=1), ready_at=clock.now())
        assert (piece("Twilio").says, piece("Twilio").well) == ("took a call 1 minute ago", True)
        assert piece("LiveKit").says == "Alex was in a room just now"

    def test_hears_that_no_news_of_calls_arrive(self) -> None:
        assert piece("Webhooks").well
        an_earlier_call(a_person(a_campaign()), ago=timedelta(minutes=2))
        assert piece("Webhooks").says.startswith("Twilio took calls in the last quarter of an hour, but none")
        CallEvent.objects.create(source="twilio", event_id="y", kind="ringing", received_at=clock.now())
        assert piece("Webhooks").well

    @pytest.mark.parametrize("waiting", LISTS_OF_DIAL, ids=["dials", "rooms", "ticks"])
    def test_sees_tasks_that_nobody_takes(self, valkey: redis.Redis, waiting: str) -> None:
        valkey.rpush(waiting, *["x"] * (health.TASKS_WAITING + 1))
        assert not piece("Work queue").well

    def test_sees_a_beat_that_ticks_no_more(self) -> None:
        PeriodicTask.objects.update(last_run_at=None)
        assert not piece("Schedule").well
        PeriodicTask.objects.update(last_run_at=timezone.now())
        assert piece("Schedule").well
        PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(minutes=10))
        assert "10 minutes ago" in piece("Schedule").says

    def test_tells_what_the_last_checks_found_of_vendors(self) -> None:
        assert not piece("Twilio").known
        of = {"area": "twilio", "checked_at": clock.now() - timedelta(hours=3)}
        CheckResult.objects.create(name="twilio.credentials", status="ok", finding="In order.", **of)
        assert piece("Twilio").says == "in order when last checked, 3 hours ago"
        CheckResult.objects.create(
            name="twilio.account", status="fail", finding="It is suspended.", remedy="Pay.", **of
        )
        assert (piece("Twilio").well, piece("Twilio").says) == (False, "It is suspended. Pay.")

    def test_forgets_what_the_checks_found_for_a_campaign_that_is_over_or_asked_about_with_all(self) -> None:
        now, (over, runs) = clock.now(), (a_campaign(state=state) for state in ("finished", "running"))
        found = {"area": "twilio", "status": "fail", "finding": "The balance is low."}
        for campaign in (over, runs):
            CheckResult.objects.create(name=f"twilio.balance/{campaign.pk}", checked_at=now, **found)
        assert not piece("Twilio").well
        later = {"status": "ok", "finding": "It lasts.", "checked_at": now + timedelta(minutes=1)}
        CheckResult.objects.create(name="twilio.balance", area="twilio", **later)
        assert piece("Twilio").well
        CheckResult.objects.filter(name="twilio.balance").delete()
        Campaign.objects.filter(pk=runs.pk).update(state="finished")
        assert not piece("Twilio").known

    def test_counts_what_must_not_happen(self) -> None:
        assert piece("Webhooks").well
        CallEvent.objects.create(
            source="twilio", event_id="x", kind="second_call", incident=True, received_at=clock.now()
        )
        assert "1 out of order" in piece("Webhooks").says

    def test_goes_on_at_once_without_valkey(self, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        began = time.monotonic()
        assert not piece("Valkey").well
        assert time.monotonic() - began < 1


class TestTheHours:
    def test_are_drawn_with_what_is_possible_only_where_bars_stay_visible(self) -> None:
        an_agent_worker(free=50)
        campaign = a_campaign()
        for _ in range(3):
            an_earlier_call(
                a_person(campaign, standing="exhausted", next_call_at=None), ago=timedelta(hours=1)
            )
        counts = board.counts()
        assert (counts.pace.last_hour, counts.pace.this_hour) == (3, 0)
        assert counts.pace.possible > 100
        assert [bars["label"] for bars in json.loads(hours_chart(counts))["datasets"]] == [
            "Yesterday",
            "Today",
        ]
        slow = replace(counts, pace=replace(counts.pace, possible=9))
        drawn = json.loads(hours_chart(slow))["datasets"]
        assert (drawn[1]["data"][14], drawn[2]["label"], drawn[2]["data"][0]) == (3, "Possible now", 9)

    def test_possible_are_none_while_no_campaign_runs_or_nobody_may_dial(self) -> None:
        assert board.counts().pace.limit == "no campaign is running"
        a_campaign()
        assert board.counts().pace.limit == "no agent worker reports"
        DialingControl.objects.update(stopped=True)
        assert (board.counts().pace.possible, board.counts().pace.limit) == (0, "all dialing is stopped")
