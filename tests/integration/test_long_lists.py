"""What keeps a list of millions as quick as one of ten: counting ends, indexes sort, filters read no list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from outreach.admin import base
from outreach.models import Call, Decision, Facilitator, Preference
from outreach.services import clock
from tests.factories import a_campaign, a_person, an_earlier_call

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

PEOPLE = "admin:outreach_facilitator_changelist"
CALLS = "admin:outreach_call_changelist"
DECISIONS = "admin:outreach_decision_changelist"


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def rows_on(client: Client, name: str, **query: str) -> list[Any]:
    """Return the rows of the list that this query shows."""
    page = client.get(reverse(name), query)
    assert page.status_code == 200
    return list(page.context["cl"].result_list)


class TestCounting:
    def test_ends_at_the_cap_and_says_so(self, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(base, "COUNT_CAP", 3)
        campaign = a_campaign()
        for n_people, says in ((3, "3 facilitators"), (4, "more than 3 facilitators")):
            while Facilitator.objects.count() < n_people:
                a_person(campaign)
            page = " ".join(desk.get(reverse(PEOPLE)).content.decode().split())
            assert f"> {says}" in page


class TestSorting:
    @pytest.fixture
    def people(self) -> list[str]:
        """People, the newest first."""
        campaign = a_campaign()
        return [a_person(campaign, name=name).name for name in "bca"][::-1]

    def test_is_offered_by_every_column_of_a_short_list(self, desk: Client, people: list[str]) -> None:
        assert [person.name for person in rows_on(desk, PEOPLE, o="1")] == sorted(people)

    def test_of_a_long_list_is_by_what_an_index_knows_also_where_an_address_asks_for_more(
        self, desk: Client, people: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for ago in (2, 1, 3):
            an_earlier_call(Facilitator.objects.all()[0], ago=timedelta(days=ago))
        newest_first = list(Call.objects.order_by("-queued_at"))
        monkeypatch.setattr(base, "COUNT_CAP", 2)
        assert [person.name for person in rows_on(desk, PEOPLE, o="1")] == people
        assert rows_on(desk, CALLS, o="0") == newest_first[::-1]
        assert rows_on(desk, CALLS, o="0.1") == rows_on(desk, CALLS, o="99") == newest_first


class TestFiltering:
    def test_by_days_takes_them_whole_as_they_are_on_my_clock(self, desk: Client) -> None:
        """In Los Angeles the 3rd of March lasts from 08:00 UTC to 08:00 UTC."""
        Preference.objects.create(user=User.objects.get(), time_zone="America/Los_Angeles")
        person, hour = a_person(a_campaign()), timedelta(hours=1)
        begins = datetime(2026, 3, 3, 8, tzinfo=UTC)
        for at in (begins - hour, begins, begins + 23 * hour, begins + 24 * hour):
            Call.objects.filter(pk=an_earlier_call(person, ago=hour).pk).update(queued_at=at)

        def hours(**days: str) -> list[float]:
            found = rows_on(desk, CALLS, **{f"queued_at_{end}": day for end, day in days.items()})
            return sorted((call.queued_at - begins) / hour for call in found)

        assert hours(**{"from": "2026-03-03", "to": "2026-03-03"}) == [0, 23]
        assert hours(**{"from": "2026-03-03"}) == [0, 23, 24]
        assert hours(to="2026-03-02") == [-1]
        assert hours(**{"from": "0001-01-01", "to": "9999-12-31"}) == hours(to="never") == [-1, 0, 23, 24]

    def test_by_a_reason_finds_the_decisions_that_give_it(self, desk: Client) -> None:
        person, now = a_person(a_campaign()), clock.now()
        said_no, _ = (
            Decision.objects.create(facilitator=person, code=code, reason="So.", decided_at=now)
            for code in ("said_no", "daily_cap")
        )
        assert rows_on(desk, DECISIONS, because="said_no") == [said_no]
