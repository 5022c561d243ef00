"""A number of ours that rests, or has made its calls, is not called from; one that does badly is seen."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.desk.number_health import health_of
from outreach.domain.standing import CallKind
from outreach.models import Call, Callback, CallerId, Campaign, Decision, PacingBucket, Tally
from outreach.services import caller_ids, clock, dispatching, intent, pacing_buckets
from outreach.services.caller_ids import pool_of
from tests.factories import (
    a_campaign,
    a_person,
    an_agent_worker,
    an_earlier_call,
    dial,
    pass_time,
    prepare,
    set_clock,
)
from tests.fakes import FakeTelephony
from tests.integration.desk_rows import an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

FIRST, SECOND = "+12025550101", "+12025550102"
DAY = timedelta(days=1)


@pytest.fixture
def campaign(tuesday: None) -> Campaign:
    """A campaign that calls from two numbers, with four people who are due."""
    campaign = a_campaign(caller_ids=[FIRST, SECOND])
    for _ in range(4):
        a_person(campaign)
    an_agent_worker()
    caller_ids.make_rows()
    return campaign


def number(which: str) -> CallerId:
    return CallerId.objects.get(number=which)


def called_from() -> list[str]:
    """Let a tick claim, and return the numbers that it calls from."""
    return sorted(Call.objects.filter(pk__in=dispatching.claim_due()).values_list("caller_id", flat=True))


class TestTheClaim:
    def test_calls_from_every_number_of_the_campaign(self, campaign: Campaign) -> None:
        assert called_from() == [FIRST, FIRST, SECOND, SECOND]

    def test_leaves_out_a_number_that_rests(self, campaign: Campaign) -> None:
        caller_ids.rest(caller_id=number(FIRST).pk, days=3, reason="marked as spam")
        assert called_from() == [SECOND] * 4

    def test_stops_at_the_cap_of_the_day_and_moves_nobody(self, campaign: Campaign) -> None:
        CallerId.objects.update(daily_cap=2)
        elsewhere = a_person(a_campaign(), standing="exhausted", next_call_at=None)
        an_earlier_call(elsewhere, ago=timedelta(hours=1), caller_id=FIRST)
        an_earlier_call(elsewhere, ago=2 * DAY, caller_id=SECOND)
        assert called_from() == [FIRST, SECOND, SECOND]
        assert called_from() == []
        left = campaign.facilitators.get(standing="new")
        assert (left.not_called_code, Decision.objects.count()) == ("", 0)
        assert left.next_call_at is not None
        assert left.next_call_at < clock.now()

    def test_calls_nobody_when_all_rest_and_says_why(self, campaign: Campaign) -> None:
        CallerId.objects.update(rests_until=clock.now() + DAY)
        assert called_from() == []
        assert pool_of(campaign, clock.now()).why_none.startswith("Every number to call from rests")
        with pytest.raises(dispatching.CannotCall, match="Every number to call from rests"):
            dispatching.call_now(facilitator_id=campaign.facilitators.all()[0].pk, requested_by="olga")
        assert set(campaign.facilitators.values_list("standing", flat=True)) == {"new"}

    def test_keeps_a_promise_from_the_number_they_know_unless_it_rests(self, campaign: Campaign) -> None:
        campaign.facilitators.update(standing="callback_due")
        for person in campaign.facilitators.all():
            Callback.objects.create(
                facilitator=person, promised_at=clock.now(), time_zone="America/New_York", caller_id=SECOND,
                created_at=clock.now(),
            )  # fmt: skip
        CallerId.objects.filter(number=SECOND).update(daily_cap=3)
        assert called_from() == [FIRST, SECOND, SECOND, SECOND]
        assert set(Call.objects.values_list("kind", flat=True)) == {CallKind.CALLBACK.value}

    def test_calls_again_from_a_number_whose_rest_is_over(self, campaign: Campaign) -> None:
        CallerId.objects.update(rests_until=clock.now() - DAY)
        assert len(called_from()) == 4


class TestTheIntent:
    @pytest.fixture
    def calls(self, campaign: Campaign) -> list[Call]:
        """Two calls from one number, claimed and with Alex waiting, when their number gets a cap of one."""
        Campaign.objects.update(caller_ids=[FIRST])
        ready = [prepare(call) for call in Call.objects.filter(pk__in=dispatching.claim_due())[:2]]
        CallerId.objects.update(daily_cap=1)
        PacingBucket.objects.update(tokens=2.0)
        return ready

    def test_asks_again_and_costs_nobody_an_attempt(self, calls: list[Call]) -> None:
        telephony = FakeTelephony()
        placed, refused = (dial(call, telephony) for call in calls)
        assert [order.to for order in telephony.orders] == [placed.number]
        assert (refused.status, refused.counts) == ("canceled", False)
        assert refused.failure_reason == "The number to call from has made its calls for today."
        assert (refused.person.standing, refused.person.attempts_made) == ("waiting", 0)

    def test_calls_from_no_number_that_was_put_to_rest_meanwhile(self, calls: list[Call]) -> None:
        caller_ids.rest(caller_id=number(FIRST).pk, days=1, reason="marked as spam")
        assert dial(calls[0], FakeTelephony()).failure_reason == "The number to call from rests."

    def test_counts_on_the_day_of_the_call(self, calls: list[Call]) -> None:
        an_earlier_call(calls[0].person, ago=DAY, caller_id=FIRST)
        set_clock(clock.now().replace(hour=23, minute=59, second=50))
        Call.objects.filter(ended_at=None).update(queued_at=clock.now())
        now = pass_time(timedelta(seconds=20))
        Call.objects.filter(pk=calls[0].pk).update(dialing_at=now)
        assert caller_ids.used_today([FIRST], now) == {FIRST: 4}
        on_their_way = Call.objects.exclude(pk=calls[0].pk).filter(ended_at=None)
        on_their_way.update(status="canceled", ended_at=now)
        assert caller_ids.used_today([FIRST], now) == {FIRST: 1}

    @pytest.mark.usefixtures("real_commits")
    def test_lets_two_at_once_not_exceed_the_cap(
        self, calls: list[Call], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        both, real = threading.Barrier(2), pacing_buckets.seconds_until_token
        orders: list[object] = []

        def wait_for_the_other(**given: Any) -> float:
            with suppress(threading.BrokenBarrierError):
                both.wait(0.3)
            return real(**given)

        def commit(call: Call) -> None:
            orders.append(intent.commit_intent(call_id=call.pk))
            connections.close_all()

        monkeypatch.setattr(intent, "seconds_until_token", wait_for_the_other)
        threads = [threading.Thread(target=commit, args=[call]) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert sorted(type(order).__name__ for order in orders) == ["CallOrder", "NoneType"]


def tally(campaign: Campaign, *, days_ago: int, dialled: int, human: int) -> None:
    """Let a number have made so many calls on a day."""
    day = clock.now().date() - timedelta(days=days_ago)
    for key, n in (("dialled", dialled), ("human", human)):
        Tally.objects.create(
            day=day, campaign=campaign, script=campaign.script, caller_id=FIRST, thing="calls", key=key, n=n
        )


class TestHealth:
    @pytest.mark.parametrize(
        ("dialled", "human", "warns"),
        [(200, 36, True), (200, 37, False), (199, 0, False)],
        ids=["fell by 40 %", "fell by less", "too few calls"],
    )
    def test_warns_of_an_answer_rate_that_fell_against_its_own(
        self, campaign: Campaign, dialled: int, human: int, *, warns: bool
    ) -> None:
        tally(campaign, days_ago=20, dialled=500, human=150)
        tally(campaign, days_ago=6, dialled=dialled, human=human)
        health = health_of([FIRST, SECOND], clock.now())
        assert bool(health[FIRST].warning) == warns
        assert health[FIRST].baseline.answer_rate == 0.3
        assert not health[SECOND].warning

    def test_asks_as_many_questions_of_many_numbers_as_of_one(
        self, client: Client, campaign: Campaign
    ) -> None:
        client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
        url = reverse("admin:outreach_callerid_changelist")
        tally(campaign, days_ago=6, dialled=10, human=3)
        page = client.get(url).content.decode()
        assert "30%" in page
        assert "1.4 a day" in page
        counts = []
        for n in range(2):
            with CaptureQueriesContext(connection) as asked:
                client.get(url)
            counts.append(len(asked))
            for more in range(5):
                CallerId.objects.create(number=f"+1303555{n}{more}00", created_at=clock.now())
        assert counts[0] == counts[1]


class TestResting:
    def test_is_for_those_who_may(self, client: Client, campaign: Campaign) -> None:
        url = reverse("admin:outreach_callerid_rest", args=[number(FIRST).pk])
        client.force_login(an_operator("outreach.view_callerid"))
        client.post(url, {"_form_submitted": "on", "days": 5, "reason": "spam"})
        assert number(FIRST).rests_until is None
        client.force_login(an_operator("outreach.view_callerid", "outreach.rest_number", username="otto"))
        client.post(url, {"_form_submitted": "on", "days": 5, "reason": "spam"})
        rested = number(FIRST)
        assert rested.rests_until is not None
        assert rested.rests_until.date() == (clock.now() + 5 * DAY).date()
        assert "spam" in client.get(reverse("admin:outreach_callerid_changelist")).content.decode()
        client.post(reverse("admin:outreach_callerid_wake", args=[rested.pk]), {"_form_submitted": "on"})
        assert number(FIRST).rests_until is None
