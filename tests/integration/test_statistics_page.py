"""The page of statistics: a choice of calls, in figures, distributions, hours, and as CSV."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.desk import reading
from outreach.models import Access, Call, Campaign
from outreach.services import clock, tallying
from outreach.services.statistics import Scope
from tests.factories import a_campaign, a_person, an_earlier_call
from tests.integration.desk_rows import an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

HOUR = timedelta(hours=1)
PAGE, EXPORT = "admin:outreach_tally_changelist", "admin:outreach_tally_export"


def talked(campaign: Campaign, seconds: int, **fields: Any) -> None:
    """Let somebody have talked for so many seconds, an hour ago."""
    call = an_earlier_call(
        a_person(campaign), ago=HOUR, status="completed", answered_by="human", duration_seconds=seconds
    )
    Call.objects.filter(pk=call.pk).update(answered_at=clock.now() - HOUR, **fields)


@pytest.fixture
def campaign(tuesday: None) -> Campaign:
    """Two talked, one hung up at the pitch, one did not answer."""
    campaign = a_campaign(name="Spring")
    talked(campaign, 63, disposition="interested")
    talked(campaign, 120, disposition="not_interested")
    talked(campaign, 12, disposition="hung_up", stage="pitch")
    an_earlier_call(a_person(campaign), ago=HOUR)
    tallying.take_in()
    return campaign


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


class TestReading:
    def test_tells_lengths_attempts_hours_and_hang_ups(self, campaign: Campaign) -> None:
        shown = reading.read(Scope(campaign_id=campaign.pk))
        lengths = {bar.label: bar.n for bar in shown.lengths if bar.n}
        assert lengths == {"10 s – 20 s": 1, "1 min – 2 min": 1, "2 min – 3 min": 1}
        assert [(bar.label, bar.n) for bar in shown.attempts] == [("Attempt 1", 3)]
        assert [(row.script, row.talked, row.n) for row in shown.hung_up] == [(str(campaign.script), 3, 1)]
        ((hour, cells),) = shown.heat.rows
        assert (hour, cells[1].dialled, cells[1].percent, cells[1].few) == (9, 4, 75, True)
        assert (shown.whole.talked, shown.whole.reached, shown.whole.interested) == (3, 3, 1)


@pytest.mark.usefixtures("campaign")
class TestThePage:
    def test_shows_the_choice_and_nothing_else(self, desk: Client, campaign: Campaign) -> None:
        talked(a_campaign(), 30)
        page = desk.get(reverse(PAGE), {"campaign": campaign.pk}).content.decode()
        assert "3 of 4 calls" in page
        assert "3 of 5 calls" not in page
        assert "4 of 5 calls" in desk.get(reverse(PAGE)).content.decode()
        assert "No call was made in these days" in desk.get(
            reverse(PAGE), {"until": "2026-01-31"}
        ).content.decode()  # fmt: skip

    def test_says_what_is_wrong_with_a_choice(self, desk: Client) -> None:
        page = desk.get(reverse(PAGE), {"since": "2026-03-02", "until": "2026-03-01"}).content.decode()
        assert "The first day is after the last." in page

    def test_asks_as_many_questions_of_many_calls_as_of_few(self, desk: Client) -> None:
        talked(a_campaign(), 40)
        desk.get(reverse(PAGE))
        counts = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as asked:
                desk.get(reverse(PAGE))
            counts.append(len(asked))
            for _ in range(3):
                talked(a_campaign(), 40)
        assert counts[0] == counts[1]

    def test_is_exported_per_day(self, desk: Client) -> None:
        response = desk.get(reverse(EXPORT))
        (row,) = csv.DictReader(io.StringIO(response.content.decode()))
        expected = {
            "day": "2026-03-03",
            "dialled": "4",
            "talked": "3",
            "interested": "1",
            "talk_average": "65.0",
        }
        assert {name: row[name] for name in expected} == expected
        assert Access.objects.get().what.startswith("statistics 2026-02-02 2026-03-03")

    @pytest.mark.parametrize("page", [PAGE, EXPORT])
    def test_is_for_those_who_may(self, client: Client, page: str) -> None:
        client.force_login(an_operator())
        assert client.get(reverse(page)).status_code == 403
