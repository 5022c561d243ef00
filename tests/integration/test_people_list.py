"""The list of people: found and filtered by index, in as many questions for many as for few."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.admin.base import COUNT_CAP
from outreach.admin.searching import people_found
from outreach.models import Call, Callback, Decision, Facilitator, ImportBatch
from outreach.services import clock, tallying
from tests.factories import a_campaign, a_person, an_earlier_call
from tests.integration.test_many_rows import plans

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

#: Twenty thousand people of whom each filter's value is rare.
MANY = """
INSERT INTO outreach_facilitator (campaign_id, name, number, email, organisation, language, country,
    time_zone, zone_source, priority, consent_basis, consent_source, extra, standing, standing_reason,
    attempts_made, our_faults, callbacks_unkept, voicemail_left, wish, not_called_code, not_called_reason,
    next_call_at, created_at, updated_at)
SELECT %s, 'Person Number' || n, '+1646' || lpad(n::text, 7, '0'), '', 'School ' || n, 'en',
    CASE WHEN n %% 5000 = 0 THEN 'ES' ELSE 'US' END,
    CASE WHEN n %% 5000 = 0 THEN 'Europe/Madrid' ELSE 'America/New_York' END, 'given',
    CASE WHEN n %% 5000 = 0 THEN 1 ELSE 5 END, 'express', '', '{}', 'waiting', '',
    CASE WHEN n %% 5000 = 0 THEN 3 ELSE 0 END, 0, 0, false, '',
    CASE WHEN n %% 5000 = 0 THEN 'daily_cap' ELSE '' END, '', now(), now(), now()
FROM generate_series(1, 20000) AS n
"""

LIST = "admin:outreach_facilitator_changelist"


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def names_on(client: Client, **query: str) -> set[str]:
    """Return who is on the list that this query shows."""
    page = client.get(reverse(LIST), query)
    assert page.status_code == 200
    return {person.name for person in page.context["cl"].result_list}


class TestSearching:
    @pytest.mark.parametrize(
        "typed",
        ["jose", "JOSÉ", "José", "garcia-ma", "lopez jo", "escu", "jose@correo", "+1 212 777 0101",
         "(212) 777-0101", "00 1 212777", "o'n"],
    )  # fmt: skip
    def test_finds_by_the_beginnings_of_words_without_accents_and_any_spelling(self, typed: str) -> None:
        campaign = a_campaign()
        wanted = a_person(
            campaign, name="José García-Márquez López O'Neil", number="+12127770101",
            email="jose@correo.example", organisation="Escuela Ñandú",
        )  # fmt: skip
        a_person(campaign, name="Somebody Else", number="+14157770102")
        assert list(Facilitator.objects.filter(people_found(typed))) == [wanted]

    @pytest.mark.parametrize("typed", ["osé", "&", "@", "' | x:*", "jose nobody", "jos@correo", "j", "\\"])
    def test_finds_nobody_by_what_begins_no_word(self, typed: str) -> None:
        a_person(a_campaign(), name="José García")
        assert not Facilitator.objects.filter(people_found(typed)).exists()

    def test_finds_what_hangs_on_a_person_as_it_finds_the_person(self, desk: Client) -> None:
        campaign, now = a_campaign(), clock.now()
        wanted = a_person(campaign, name="José García", number="+12127770101", organisation="Escuela Ñandú")
        for person in (wanted, a_person(campaign, name="Somebody Else")):
            an_earlier_call(person, ago=timedelta(days=1))
            Callback.objects.create(facilitator=person, promised_at=now, time_zone="", created_at=now)
            Decision.objects.create(facilitator=person, code="said_no", reason="No.", decided_at=now)
        for model in ("call", "callback", "decision"):
            for typed in ("garcia", "(212) 777-0101", "nandu"):
                page = desk.get(reverse(f"admin:outreach_{model}_changelist"), {"q": typed})
                rows: list[Any] = list(page.context["cl"].result_list)
                assert [row.facilitator for row in rows] == [wanted], (model, typed)


class TestFilters:
    def test_of_the_list_find_whom_they_say(self, desk: Client) -> None:
        campaign = a_campaign()
        now = clock.now()
        spain = a_person(campaign, name="Spain", country="ES", time_zone="Europe/Madrid", priority=2)
        an_earlier_call(spain, ago=timedelta(days=3), disposition="hung_up")
        last = an_earlier_call(spain, ago=timedelta(days=2), disposition="not_interested")
        owed = a_person(campaign, name="Owed", attempts_made=3)
        Callback.objects.create(
            facilitator=owed, promised_at=now - timedelta(hours=1), time_zone="", created_at=now, by="human"
        )
        batch = ImportBatch.objects.create(campaign=campaign, file_name="a.csv", sha256="0", created_at=now)
        a_person(campaign, name="Listed", import_batch=batch, not_called_code="daily_cap", country="")
        assert names_on(desk, country="ES") == {"Spain"}
        assert names_on(desk, country="unknown", upload=str(batch.pk)) == {"Listed"}
        assert names_on(desk, zone="Europe/Madrid", priority_from="1", priority_to="3") == {"Spain"}
        assert names_on(desk, attempts_made_from="2") == {"Owed"}
        tallying.take_in()
        assert names_on(desk, outcome="not_interested") == {"Spain"}
        assert names_on(desk, outcome="hung_up") == set()
        Call.objects.filter(pk=last.pk).update(disposition="interested")
        tallying.take_in()
        assert names_on(desk, outcome="interested") == {"Spain"}
        assert names_on(desk, outcome="not_interested") == set()
        assert names_on(desk, callback="late") == names_on(desk, callback="human") == {"Owed"}
        assert names_on(desk, because="daily_cap") == {"Listed"}


class TestTheHeading:
    def test_offers_to_show_all_only_where_something_narrows_the_list(self, desk: Client) -> None:
        a_person(a_campaign())
        assert "Show all" not in desk.get(reverse(LIST)).content.decode()
        for narrowed in ({"q": "nobody"}, {"country": "ES"}):
            assert "Show all" in desk.get(reverse(LIST), narrowed).content.decode()


class TestManyPeople:
    def test_are_listed_searched_and_filtered_without_reading_everybody(self, desk: Client) -> None:
        campaign = a_campaign()
        with connection.cursor() as cursor:
            cursor.execute(MANY, [campaign.pk])
            cursor.execute("ANALYZE outreach_facilitator")
        for query in (
            {"q": "number15000"}, {"q": "+16460015000"}, {"country": "ES"}, {"zone": "Europe/Madrid"},
            {"priority_from": "1", "priority_to": "1"}, {"attempts_made_from": "3"},
            {"because": "daily_cap"}, {"callback": "late"}, {"outcome": "interested"}, {},
        ):  # fmt: skip
            with plans() as found:
                assert desk.get(reverse(LIST), query).status_code == 200
            assert found
            # What leaves nobody out may read people as they come, up to its cap.
            capped = f'"outreach_facilitator" LIMIT {COUNT_CAP + 1}'
            slow = [plan for plan in found if "Seq Scan on outreach_facilitator" in plan]
            slow = [plan for plan in slow if capped not in plan]
            assert slow == []

    def test_make_no_more_questions_than_few(self, desk: Client) -> None:
        campaign = a_campaign()

        def questions() -> int:
            with CaptureQueriesContext(connection) as made:
                assert desk.get(reverse(LIST), {"q": "person"}).status_code == 200
            return len(made)

        a_person(campaign)
        questions()
        few = questions()
        for _ in range(20):
            an_earlier_call(a_person(campaign), ago=timedelta(days=1))
        assert questions() == few
