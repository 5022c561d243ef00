"""Everybody sees times on the clock that they chose, and beside them the person's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from outreach.desk import own_time
from outreach.desk.own_time import zone_name_of
from outreach.desk.rendering import moment, their_moment
from outreach.models import Preference
from tests.integration.desk_rows import an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

AT = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)


@pytest.fixture
def olga(tuesday: None) -> User:
    """An operator in Madrid."""
    user = an_operator("outreach.view_call")
    Preference.objects.create(user=user, time_zone="Europe/Madrid")
    return user


class TestATime:
    def test_is_shown_on_the_clock_of_whoever_looks(self) -> None:
        assert moment(AT) == "Tue 3 Mar 23:30 UTC"
        with timezone.override("Europe/Madrid"):
            assert moment(AT) == "Wed 4 Mar 00:30 Madrid"

    def test_of_a_person_is_shown_on_both_clocks(self) -> None:
        with timezone.override("Europe/Madrid"):
            shown = str(their_moment(AT, "America/New_York"))
            assert "Tue 3 Mar 18:30" in shown
            assert "New York · Wed 00:30 Madrid" in shown
            assert " · " not in str(their_moment(AT, "Europe/Paris"))
            assert their_moment(AT, "") == "Wed 4 Mar 00:30 Madrid"


class TestAUser:
    def test_gets_pages_on_their_clock(self, client: Client, olga: User) -> None:
        client.force_login(olga)
        assert "it is Tue 3 Mar 16:05 Madrid" in client.get(
            reverse("admin:outreach_preference_mine")
        ).content.decode()  # fmt: skip
        assert timezone.get_current_timezone_name() == "UTC"

    def test_sets_their_clock_and_nobody_elses(self, client: Client, olga: User) -> None:
        other = an_operator(username="otto")
        client.force_login(other)
        page = reverse("admin:outreach_preference_mine")
        assert client.post(page, {"time_zone": "Nowhere/Else"}).status_code == 200
        assert client.post(page, {"time_zone": "Asia/Kolkata"}).status_code == 302
        assert (zone_name_of(other), zone_name_of(olga)) == ("Asia/Kolkata", "Europe/Madrid")
        assert "20:35 Kolkata" in client.get(page).content.decode()

    def test_who_wrote_nonsense_into_the_table_gets_utc(self, olga: User) -> None:
        Preference.objects.update(time_zone="Nowhere/Else")
        assert zone_name_of(olga) == "UTC"


async def test_a_page_on_an_event_loop_is_on_its_users_clock_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_time, "zone_name_of", lambda _user: "Europe/Madrid")

    async def page(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(moment(AT))

    request = RequestFactory().get("/admin/")
    request.user = AnonymousUser()
    request.COOKIES[settings.SESSION_COOKIE_NAME] = "some session"
    answer = await own_time.own_time_middleware(page)(request)
    assert answer.content.decode() == "Wed 4 Mar 00:30 Madrid"
