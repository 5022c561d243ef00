"""The agenda of callbacks: by day on two clocks, who keeps them, and how a person's own is closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.domain.standing import Standing
from outreach.models import Callback, Interest, Preference
from outreach.services import clock
from tests.factories import TUESDAY_MORNING, a_campaign, a_person
from tests.integration.desk_rows import a_talk, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

AGENDA = "/admin/outreach/callback/agenda/"


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody in Berlin who may do everything."""
    user = User.objects.create_superuser("root", password="a-password-of-tests")
    Preference.objects.create(user=user, time_zone="Europe/Berlin")
    client.force_login(user)
    return client


def a_callback(at: datetime, *, by: str = "alex", state: str = "promised", name: str = "Ann") -> Callback:
    """Return a callback that somebody in New York was promised."""
    person = a_person(
        a_campaign(), name=name, standing="needs_review", standing_reason="x", next_call_at=None
    )
    return Callback.objects.create(
        facilitator=person, promised_at=at, time_zone="America/New_York", by=by, state=state,
        closed_at=None if state == "promised" else clock.now(), created_at=clock.now(),
    )  # fmt: skip


def done_page(callback: Callback) -> str:
    """Return the address on which somebody says that they called."""
    return reverse("admin:outreach_callback_done", args=[callback.pk])


class TestTheAgenda:
    def test_shows_my_day_and_both_clocks(self, desk: Client) -> None:
        a_callback(datetime(2026, 3, 4, 23, 30, tzinfo=UTC))
        page = desk.get(AGENDA).content.decode()
        assert "Thursday 5 March" in page
        assert ">00:30</time>" in page
        assert "Wed 4 Mar 18:30 New York" in page

    def test_says_who_is_late_and_how_many_were_kept(self, desk: Client) -> None:
        a_callback(TUESDAY_MORNING - timedelta(days=30), by="human", name="Zoe")
        for state in ("kept", "kept", "kept", "missed", "canceled"):
            a_callback(TUESDAY_MORNING, state=state)
        response = desk.get(AGENDA)
        agenda = response.context["agenda"]
        assert (agenda.n_late, agenda.late[0].callback.facilitator.name) == (1, "Zoe")
        assert [(kept.who, kept.kept, kept.missed) for kept in agenda.kept] == [
            ("Alex", 3, 1),
            ("People", 0, 0),
        ]
        assert "<b>75%</b>" in response.content.decode()

    def test_goes_on_by_weeks_and_reads_no_nonsense(self, desk: Client) -> None:
        a_callback(TUESDAY_MORNING + timedelta(days=7))
        assert "?from=2026-03-09" in desk.get(AGENDA).content.decode()
        assert "Tuesday 10 March" in desk.get(AGENDA, {"from": "2026-03-09"}).content.decode()
        assert desk.get(AGENDA, {"from": "9999-99-99", "campaign": "x"}).status_code == 200

    def test_asks_as_many_questions_however_many_there_are(self, desk: Client) -> None:
        counts = []
        for _ in range(3):
            for minutes in range(5):
                a_callback(TUESDAY_MORNING + timedelta(minutes=minutes - 2), by="human")
            with CaptureQueriesContext(connection) as captured:
                desk.get(AGENDA)
            counts.append(len(captured))
        assert counts[1] == counts[2] <= 13

    def test_offers_to_close_only_what_a_person_has_to_do(self, desk: Client) -> None:
        by_human, by_alex = a_callback(TUESDAY_MORNING, by="human"), a_callback(TUESDAY_MORNING)
        page = desk.get(AGENDA).content.decode()
        assert done_page(by_human) in page
        assert done_page(by_alex) not in page


class TestAPersonsCallback:
    @pytest.mark.parametrize(
        ("done", "state"), [("on_time", "kept"), ("late", "missed"), ("not_needed", "canceled")]
    )
    def test_is_closed_also_when_late(self, desk: Client, done: str, state: str) -> None:
        callback = a_callback(TUESDAY_MORNING - timedelta(days=2), by="human")
        desk.post(done_page(callback), {"done": done, "outcome": "", "note": "Rang twice"})
        callback.refresh_from_db()
        assert (callback.state, callback.closed_at is not None) == (state, True)
        assert callback.facilitator.standing == Standing.NEEDS_REVIEW
        edit = callback.history.get()
        assert (edit.history_user.username, edit.history_change_reason) == ("root", "Rang twice")

    def test_may_close_the_person_with_it(self, desk: Client) -> None:
        callback = a_callback(TUESDAY_MORNING, by="human")
        a_talk(callback.facilitator, disposition="callback_requested")
        desk.post(done_page(callback), {"done": "on_time", "outcome": "interested"})
        callback.refresh_from_db()
        assert (callback.state, callback.facilitator.standing) == ("kept", Standing.INTERESTED)
        assert Interest.objects.get().facilitator == callback.facilitator

    def test_that_is_alexs_or_closed_is_left_as_it_is(self, desk: Client) -> None:
        for callback in (a_callback(TUESDAY_MORNING), a_callback(TUESDAY_MORNING, by="human", state="kept")):
            before = callback.state
            answer = desk.post(done_page(callback), {"done": "late"}, follow=True)
            callback.refresh_from_db()
            assert callback.state == before
            assert "Nothing was changed" in answer.content.decode()

    def test_is_closed_by_those_who_may(self, client: Client) -> None:
        callback = a_callback(TUESDAY_MORNING, by="human")
        client.force_login(an_operator("outreach.view_callback"))
        assert client.get(AGENDA).status_code == 200
        assert client.post(done_page(callback), {"done": "late"}).status_code == 403
