"""What stands in the way of a campaign is said before it is started, and what is red refuses the start."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outreach.domain.csv_rows import NO_CONSENT
from outreach.domain.standing import Standing
from outreach.models import CallerId, Campaign, Rate, ScriptVersion, Suppression
from outreach.services import clock
from outreach.services.campaigns import Refused
from outreach.services.forecasting import outlook
from outreach.services.preflight import Preflight, inspect, start_checked
from outreach.services.preflight_items import Item
from outreach.services.preflight_people import Why, look_at_people
from tests.factories import SCRIPT, a_campaign, a_person, an_agent_worker, an_earlier_call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


def a_draft(**fields: object) -> Campaign:
    """Return a campaign that nothing stands in the way of but having somebody to call."""
    an_agent_worker()
    campaign = a_campaign(**{"state": "draft", **fields})
    Campaign.objects.filter(pk=campaign.pk).update(heard_script=campaign.script)
    return Campaign.objects.select_related("script").get(pk=campaign.pk)


def found(campaign: Campaign) -> Preflight:
    return inspect(Campaign.objects.select_related("script").get(pk=campaign.pk))


def item(campaign: Campaign, name: str) -> Item:
    return next(one for one in found(campaign).items if one.name == name)


def told(heap: Iterable[Why]) -> dict[str, int]:
    return {why.code: why.n_people for why in heap}


class TestThePeople:
    def test_are_sorted_as_the_gate_would(self) -> None:
        campaign, elsewhere = a_draft(), a_campaign()
        a_person(campaign)
        a_person(campaign, time_zone="America/Los_Angeles")
        a_person(campaign, consent_basis="")
        a_person(campaign, country="", time_zone="")
        Suppression.objects.create(
            number=a_person(campaign).number, source="operator", created_at=clock.now()
        )
        said_no = a_person(campaign)
        an_earlier_call(
            a_person(elsewhere, number=said_no.number), ago=timedelta(days=60), disposition="not_interested"
        )
        called = a_person(campaign)
        an_earlier_call(a_person(elsewhere, number=called.number), ago=timedelta(hours=1))
        a_person(campaign, next_call_at=clock.now() + timedelta(days=1), standing=Standing.RETRY_DUE.value)
        a_person(campaign, standing=Standing.EXHAUSTED.value, standing_reason="Tried.", next_call_at=None)
        people = look_at_people(campaign, now=clock.now())
        assert people.now == 1
        assert told(people.later) == {"outside_window": 1, "daily_cap": 1, "retry_due": 1}
        assert told(people.to_mend) == {"no_consent": 1, "unknown_country": 1}
        assert told(people.never) == {"suppressed": 1, "said_no": 1, "exhausted": 1}
        (no,) = (why for why in people.never if why.code == "said_no")
        assert no.says == "They said no on Fri 2 Jan 2026; quiet until Wed 1 Jul 2026."
        assert no.example_id == said_no.pk

    def test_who_would_be_called_after_the_last_day_never_is(self) -> None:
        campaign = a_draft(ends_at=clock.now() + timedelta(hours=1))
        a_person(campaign, time_zone="America/Los_Angeles")
        assert told(look_at_people(campaign, now=clock.now()).never) == {"after_the_end": 1}

    def test_are_judged_as_of_the_first_day(self) -> None:
        campaign = a_draft(starts_at=clock.now() + timedelta(hours=4))
        a_person(campaign, time_zone="America/Los_Angeles")
        assert look_at_people(campaign, now=clock.now()).now == 1

    def test_are_looked_at_with_as_many_queries_however_many_they_are(self) -> None:
        campaign = a_draft()
        counts = []
        for n_people in (1, 30):
            for _ in range(n_people):
                an_earlier_call(a_person(campaign), ago=timedelta(hours=5))
                a_person(campaign)
            with CaptureQueriesContext(connection) as queries:
                found(campaign)
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestStarting:
    def test_starts_what_nothing_stands_in_the_way_of(self) -> None:
        campaign = a_draft()
        a_person(campaign)
        assert found(campaign).red == []
        assert start_checked(campaign_id=campaign.pk, by="olga", overrides=False).state == "running"

    def test_refuses_until_somebody_has_heard_this_version(self) -> None:
        campaign = a_draft()
        a_person(campaign)
        newer = ScriptVersion.objects.create(
            name=campaign.script.name, version=2, body=SCRIPT, created_at=clock.now()
        )
        Campaign.objects.update(script=newer)
        with pytest.raises(Refused, match="Call me first"):
            start_checked(campaign_id=campaign.pk, by="olga", overrides=False)
        assert start_checked(campaign_id=campaign.pk, by="sue", overrides=True).state == "running"

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"call_window": {"0": [["07:00", "12:00"]]}}, "Monday 07:00–12:00 lies outside 08:00–21:00"),
            ({"caller_ids": []}, "no caller ID"),
            ({"quiet_days_after_no": 10}, "60 days of peace"),
            ({"leave_voicemail": True}, "no number that answers"),
        ],
    )
    def test_lets_nobody_override_the_law_or_the_impossible(
        self, fields: dict[str, object], says: str
    ) -> None:
        campaign = a_draft(**fields)
        a_person(campaign)
        with pytest.raises(Refused, match=says):
            start_checked(campaign_id=campaign.pk, by="sue", overrides=True)

    def test_more_calls_than_the_law_allows_need_express_consent(self) -> None:
        campaign = a_draft(max_attempts_in_30_days=5)
        a_person(campaign)
        assert item(campaign, "caps").level == "ok"
        a_person(campaign, consent_basis="relationship")
        assert item(campaign, "caps").level == "fail"

    def test_nobody_with_consent_is_nobody_to_call(self) -> None:
        campaign = a_draft()
        a_person(campaign, consent_basis="")
        assert {one.name for one in found(campaign).final} == {"people", "consent"}

    def test_people_whom_an_import_held_want_consent_as_well(self) -> None:
        campaign = a_draft()
        for number in ("+12025550141", "+12025550142"):
            held = {"standing": "held", "standing_reason": NO_CONSENT, "next_call_at": None}
            a_person(campaign, number=number, consent_basis="", **held)
        assert item(campaign, "consent").says.startswith("2 have no consent basis")


class TestTheNumbersThatWeCallFrom:
    def test_stand_in_the_way_while_all_of_them_rest(self) -> None:
        campaign = a_draft(caller_ids=["+12025550199", "+12025550198"])
        later = clock.now() + timedelta(days=1)
        CallerId.objects.create(number="+12025550199", rests_until=later, created_at=clock.now())
        assert item(campaign, "caller_id").level == "warn"
        CallerId.objects.create(number="+12025550198", rests_until=later, created_at=clock.now())
        assert item(campaign, "caller_id").level == "fail"


class TestTheScript:
    def test_names_the_rows_for_which_it_has_a_gap(self) -> None:
        campaign = a_draft()
        body = SCRIPT.replace("You are Alex", "They teach {extra.subject}. You are Alex").replace(
            "Hi {person_name}, this is Alex, an AI", "Hi {person_name} of {organisation}, Alex, an AI"
        )
        ScriptVersion.objects.filter(pk=campaign.script_id).update(body=body)
        a_person(campaign, organisation="School", extra={"subject": "maths"})
        bare = a_person(campaign)
        spoken, told_only = item(campaign, "script.organisation"), item(campaign, "script.extra.subject")
        assert (spoken.level, told_only.level) == ("fail", "warn")
        assert list(spoken.people) == list(told_only.people) == [(bare.pk, bare.name)]

    def test_cannot_be_read(self) -> None:
        campaign = a_draft()
        ScriptVersion.objects.filter(pk=campaign.script_id).update(body="{nonsense}")
        assert item(campaign, "script").rank == "nobody"


class TestTheOutlook:
    def test_says_when_it_is_through_with_its_range(self) -> None:
        campaign = a_draft(max_open_calls=1, max_attempts=2)
        for _ in range(30):
            a_person(campaign)
        seen = outlook(campaign)
        assert seen is not None
        assert seen.n_people == 30
        soonest, likely, latest = seen.soonest.at, seen.likely.at, seen.latest.at
        assert soonest is not None
        assert likely is not None
        assert latest is not None
        assert soonest <= likely <= latest

    def test_goes_by_what_the_latest_calls_show(self) -> None:
        campaign = a_draft()
        for n in range(40):
            call = an_earlier_call(
                a_person(campaign), ago=timedelta(hours=2), cost="0.5", cost_currency="USD"
            )
            if n < 10:
                type(call).objects.filter(pk=call.pk).update(answered_at=call.ended_at, answered_by="human")
        seen = outlook(campaign)
        assert seen is not None
        assert seen.observed.answer_rate.likely == 0.25
        assert "USD" in item(campaign, "cost").says

    def test_costs_what_a_usual_talk_does_by_the_rates_before_any_was_made(self) -> None:
        campaign = a_draft(max_attempts=1)
        a_person(campaign)
        assert "USD each on average, by the rates" in item(campaign, "cost").says
        Rate.objects.all().delete()
        assert item(campaign, "cost").level == "warn"

    def test_has_nothing_to_say_of_an_empty_campaign(self) -> None:
        assert outlook(a_draft()) is None
