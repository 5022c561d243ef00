"""`manage.py stats`: each figure as its footnote says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management.base import CommandError

from outreach.models import Callback, Campaign
from outreach.services import clock
from tests.factories import a_campaign, a_person, an_earlier_call
from tests.integration.operators import read_json, typed

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

HOUR = timedelta(hours=1)


@pytest.fixture
def campaign(tuesday: None) -> Campaign:
    """Six people; six of seven calls dialled, four answered by a person, one of them cut off by us."""
    campaign = a_campaign(name="Spring")
    people = [a_person(campaign) for _ in range(6)]
    now = clock.now()
    talks = [("interested", 100), ("interested", 40), ("not_interested", 70)]
    for person, (disposition, seconds) in zip(people, talks, strict=False):
        an_earlier_call(
            person, ago=HOUR, status="completed", answered_at=now, answered_by="human",
            disposition=disposition, duration_seconds=seconds,
        )  # fmt: skip
    an_earlier_call(
        people[0], ago=30 * HOUR, status="completed", answered_at=now, answered_by="human",
        disposition="interested", duration_seconds=10, our_fault=True, ended_by="llm_failure",
    )  # fmt: skip
    an_earlier_call(
        people[3], ago=HOUR, status="completed", answered_at=now, answered_by="voicemail", duration_seconds=5
    )
    an_earlier_call(people[4], ago=HOUR, status="no_answer")
    an_earlier_call(
        people[5], ago=HOUR, status="canceled", placed_at=None, our_fault=True, failure_code="not_ready"
    )
    for person, state in zip(people, ("kept", "kept", "missed", "canceled"), strict=False):
        Callback.objects.create(
            facilitator=person, promised_at=now - HOUR, time_zone="UTC", state=state, closed_at=now,
            created_at=now,
        )  # fmt: skip
    a_person(a_campaign(name="Autumn"))
    return campaign


class TestJson:
    @pytest.mark.usefixtures("campaign")
    def test_counts_calls_and_people_by_their_formulas(self) -> None:
        told = read_json("stats", "Spring")
        expected = {
            "mode": "rehearsal", "campaign": "Spring", "days": None, "people": 6, "begun": 7, "dialled": 6,
            "answered_by_person": 4, "answered_by_machine": 1, "answer_rate": 0.6667, "people_reached": 3,
            "people_interested": 2, "reached_interested": 2, "success_rate": 0.6667, "talk_average": 55.0,
            "talk_median": 57.0, "kept_rate": 0.6667, "our_faults": 2, "our_faults_rate": 0.2857,
            "our_faults_by_code": {"llm_failure": 1, "not_ready": 1},
            "dispositions": {"interested": 3, "not_interested": 1},
            "callbacks": {"kept": 2, "canceled": 1, "missed": 1},
        }  # fmt: skip
        assert {name: told[name] for name in expected} == expected

    @pytest.mark.usefixtures("campaign")
    def test_counts_the_last_days_only(self) -> None:
        told = read_json("stats", "Spring", "--days", "1")
        assert (told["begun"], told["answered_by_person"], told["talk_median"]) == (6, 3, 72.0)

    @pytest.mark.usefixtures("campaign")
    def test_counts_all_campaigns(self) -> None:
        told = read_json("stats")
        assert (told["campaign"], told["people"]) == (None, 7)

    def test_invents_no_rate_where_nothing_happened(self) -> None:
        told = read_json("stats")
        rates = ("answer_rate", "success_rate", "kept_rate", "our_faults_rate", "talk_average", "talk_median")
        assert [told[name] for name in rates] == [None] * len(rates)


class TestTables:
    @pytest.mark.usefixtures("campaign")
    def test_gives_every_rate_a_footnote(self) -> None:
        printed = typed("stats", "Spring", "--days", "7")
        for part in (
            "REHEARSAL", "Spring · the last 7 days", "66.7 %", "0:55", "llm failure",
            "calls a person answered ÷ calls dialled", "people reached, that is who answered a call",
        ):  # fmt: skip
            assert part in " ".join(printed.split()), part

    def test_shows_dashes_where_nothing_happened(self) -> None:
        assert "–" in typed("stats")

    def test_names_the_nearest_campaign(self) -> None:
        a_campaign(name="Spring")
        with pytest.raises(CommandError, match='Did you mean "Spring"'):
            typed("stats", "Sping")

    @pytest.mark.parametrize("days", ["0", "-3", "99999999"])
    def test_refuses_days_that_are_none(self, days: str) -> None:
        with pytest.raises(CommandError, match="number of days"):
            typed("stats", f"--days={days}")
