"""The statistics hold every call exactly once, follow corrections, and agree with the tables."""

from __future__ import annotations

import importlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.migrations import RunSQL
from django.db.models import Count, Sum

from outreach.domain.tally import Thing, What
from outreach.models import Call, Campaign, Facilitator, PeopleCount, Tally
from outreach.services import clock, statistics, tallying
from outreach.services.statistics import Scope
from tests.factories import a_campaign, a_dialled_call, a_person, an_earlier_call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

HOUR = timedelta(hours=1)


def a_conversation(person: Facilitator, ago: timedelta, **fields: Any) -> Call:
    """Return a settled call that a person answered."""
    call = an_earlier_call(person, ago=ago, status="completed", answered_by="human", duration_seconds=63)
    Call.objects.filter(pk=call.pk).update(
        answered_at=call.placed_at, **({"disposition": "no_outcome"} | fields)
    )
    call.refresh_from_db()
    return call


def stored() -> dict[str, tuple[int, Decimal]]:
    """Return the tallies that are not nought, as {"thing key": (n, amount)}."""
    rows = Tally.objects.values("thing", "key").annotate(times=Sum("n"), total=Sum("amount"))
    return {f"{row['thing']} {row['key']}": (row["times"], row["total"]) for row in rows if row["times"]}


def counted_anew() -> dict[str, tuple[int, Decimal]]:
    """Return what the tallies hold when every call is taken in once, from nothing."""
    Tally.objects.all().delete()
    Call.objects.update(tally_due=True, tallied=[])
    tallying.take_in()
    return stored()


@pytest.fixture
def campaign(tuesday: None) -> Campaign:
    """Ann was reached at the second attempt; Ben hung up, then was interested; Cid was not reached."""
    campaign = a_campaign()
    ann, ben, cid = (a_person(campaign, name=name) for name in ("Ann", "Ben", "Cid"))
    an_earlier_call(ann, ago=30 * HOUR)
    a_conversation(ann, 3 * HOUR, disposition="interested", cost=Decimal("0.05"), cost_currency="USD")
    a_conversation(ben, 26 * HOUR, disposition="hung_up", stage="pitch", duration_seconds=4)
    a_conversation(ben, 2 * HOUR, disposition="interested")
    an_earlier_call(cid, ago=HOUR)
    return campaign


@pytest.mark.usefixtures("campaign")
class TestTakingIn:
    def test_counts_each_call_once_however_often_it_runs(self) -> None:
        assert tallying.take_in() == 5
        once = stored()
        assert tallying.take_in() == 0
        assert stored() == once
        assert {key: n for key, (n, _) in once.items() if key.startswith("calls ")} == {
            "calls begun": 5, "calls dialled": 5, "calls answered": 3, "calls human": 3, "calls reached": 2,
            "calls interested": 2, "calls reached_interested": 2, "calls hung_up_early": 1,
        }  # fmt: skip
        assert (once["attempt 1"][0], once["attempt 2"][0], once["stage pitch"][0]) == (1, 1, 1)
        assert once["cost USD"] == (1, Decimal("0.05"))

    @pytest.mark.parametrize(
        "change",
        [
            {"disposition": "not_interested"},
            {"judged_answered_by": "voicemail"},
            {"cost": Decimal("0.07"), "cost_currency": "USD"},
            {"our_fault": True, "failure_code": "stream_lost"},
        ],
    )
    def test_follows_every_correction_of_every_call(self, change: dict[str, Any]) -> None:
        tallying.take_in()
        for call in Call.objects.filter(answered_at__isnull=False):
            Call.objects.filter(pk=call.pk).update(**change)
            tallying.take_in()
        corrected = stored()
        assert corrected == counted_anew()

    def test_moves_the_first_reach_when_the_first_answer_was_a_machine(self) -> None:
        tallying.take_in()
        Call.objects.filter(facilitator__name="Ben", disposition="hung_up").update(
            judged_answered_by="voicemail"
        )
        assert tallying.take_in() == 1
        assert (stored()["calls reached"][0], stored()["attempt 2"][0]) == (2, 2)

    def test_counts_who_becomes_interested_later_among_those_reached_on_the_first_day(self) -> None:
        """Ben was reached yesterday and became interested today."""
        later = Call.objects.filter(facilitator__name="Ben", queued_at__gt=clock.now() - 3 * HOUR)
        later.update(disposition="no_outcome")
        tallying.take_in()
        later.update(disposition="interested")
        for _ in range(2):
            days = statistics.by_day(Scope(), things=[Thing.CALLS])
            told = {
                day.day: [days[day].calls(what) for what in (What.REACHED, What.REACHED_INTERESTED)]
                for day in days
            }
            assert told == {2: [1, 1], 3: [1, 1]}
            tallying.take_in()

    def test_leaves_out_what_is_not_dialled(self) -> None:
        Call.objects.update(channel="trial")
        tallying.take_in()
        assert not stored()
        assert not Call.objects.filter(tally_due=True).exists()


class TestReading:
    def test_agrees_with_the_tables_before_and_after_the_tick(self, campaign: Campaign) -> None:
        a_dialled_call(a_person(campaign))
        phone = Call.objects.by_phone()
        sql = (
            phone.filter(placed_at__isnull=False).count(),
            phone.filter(answered_at__isnull=False).count(),
            phone.filter(answered_at__isnull=False).aggregate(n=Count("facilitator", distinct=True))["n"],
            phone.filter(disposition="interested").aggregate(n=Count("facilitator", distinct=True))["n"],
            phone.aggregate(cost=Sum("cost"))["cost"],
        )
        for _ in range(2):
            all_of_it = statistics.tallied(Scope(campaign_id=campaign.pk))
            assert sql == (
                all_of_it.calls(What.DIALLED), all_of_it.calls(What.ANSWERED), all_of_it.calls(What.REACHED),
                all_of_it.calls(What.INTERESTED), all_of_it.money()["USD"],
            )  # fmt: skip
            tallying.take_in()

    def test_narrows_to_days_campaign_caller_and_script(self, campaign: Campaign) -> None:
        an_earlier_call(a_person(a_campaign()), ago=HOUR, caller_id="+12025550111")
        tallying.take_in()
        today = Call.objects.latest("queued_at").queued_at.date()

        def dialled(**scope: Any) -> int:
            return statistics.tallied(Scope(**scope), things=[Thing.CALLS]).calls(What.DIALLED)

        assert (dialled(), dialled(since=today), dialled(until=today - timedelta(days=1))) == (6, 4, 2)
        assert (dialled(campaign_id=campaign.pk), dialled(script_id=campaign.script_id)) == (5, 5)
        assert dialled(caller_id="+12025550111") == 1
        assert (
            sum(day.calls(What.DIALLED) for day in statistics.by_day(Scope(), things=[Thing.CALLS]).values())
            == 6
        )
        per_script = statistics.by_script(Scope(), things=[Thing.STAGE])
        assert per_script[campaign.script_id].by_key(Thing.STAGE) == {"pitch": 1}

    def test_asks_the_same_number_of_questions_of_many_calls(
        self, campaign: Campaign, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(5):
            statistics.tallied(Scope())
        for _ in range(4):
            a_conversation(a_person(campaign), HOUR)
        with django_assert_num_queries(5):
            statistics.tallied(Scope())


class TestPeople:
    def test_stay_the_same_sums_when_they_are_added_up(self) -> None:
        campaign = a_campaign()
        for standing in ("new", "new", "held"):
            due = {} if standing == "new" else {"next_call_at": None, "standing_reason": "x"}
            a_person(campaign, standing=standing, not_called_code="x" * (standing == "held"), **due)
        Facilitator.objects.filter(standing="new").update(not_called_code="daily_cap")
        before = sorted(statistics.people([campaign.pk]))
        assert before == [(campaign.pk, "held", "x", 1), (campaign.pk, "new", "daily_cap", 2)]
        assert PeopleCount.objects.count() > 2
        tallying.count_people()
        assert PeopleCount.objects.filter(campaign=campaign).count() == 2
        assert sorted(statistics.people([campaign.pk])) == before


class TestTheLastOutcome:
    def of_each(self) -> dict[str, str]:
        return dict(Facilitator.objects.values_list("name", "last_disposition"))

    @pytest.mark.usefixtures("campaign")
    def test_of_calls_that_were_taken_in_before_there_was_a_place_for_it_is_written_by_the_migration(
        self,
    ) -> None:
        tallying.take_in()
        Facilitator.objects.update(last_disposition="")
        migration = importlib.import_module("outreach.migrations.0020_lists_of_millions").Migration
        with connection.cursor() as cursor:
            for operation in migration.operations:
                if isinstance(operation, RunSQL):
                    cursor.execute(str(operation.sql))
        assert self.of_each() == {"Ann": "interested", "Ben": "interested", "Cid": ""}

    @pytest.mark.usefixtures("real_commits")
    def test_of_somebody_whom_another_holds_is_left_to_the_next_run(self) -> None:
        held, free = (a_person(a_campaign(), name=name) for name in ("Held", "Free"))
        for person in (held, free):
            a_conversation(person, HOUR, disposition="interested")
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM outreach_facilitator WHERE id = %s FOR UPDATE", [held.pk])
            tallying.take_in()
        assert self.of_each() == {"Held": "", "Free": "interested"}
        assert stored()["calls interested"][0] == 1
        other.close()
        tallying.take_in()
        assert self.of_each() == {"Held": "interested", "Free": "interested"}
        assert stored()["calls interested"][0] == 2
