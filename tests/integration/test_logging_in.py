"""Logging in: who is locked out and told so, who is idle, and what browsers are told to load."""

from __future__ import annotations

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from outreach.desk import policy, visitors
from tests.factories import a_campaign
from tests.integration.desk_rows import an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:No directory at"),
]

LOGIN = "/admin/login/"


@pytest.fixture
def olga() -> User:
    return an_operator("axes.view_accessattempt", "axes.delete_accessattempt")


def try_to_log_in(client: Client, password: str, *, address: str = "192.0.2.7", name: str = "olga") -> int:
    form = {"username": name, "password": password, "next": "/admin/"}
    return client.post(LOGIN, form, REMOTE_ADDR=address).status_code


class TestALockOut:
    def test_comes_with_the_fifth_failure_and_says_for_how_long(self, client: Client, olga: User) -> None:
        assert [try_to_log_in(client, "wrong") for _ in range(5)] == [200, 200, 200, 200, 429]
        page = client.post(LOGIN, {"username": "olga", "password": "wrong"}, REMOTE_ADDR="192.0.2.7")
        assert "Try again in 15 minutes, or ask a supervisor" in page.content.decode()
        assert try_to_log_in(client, "a-password-of-tests") == 429

    def test_holds_for_that_name_from_that_address_only(self, client: Client, olga: User) -> None:
        User.objects.create_user("otto", password="a-password-of-tests", is_staff=True)
        for _ in range(5):
            try_to_log_in(client, "wrong")
        assert try_to_log_in(client, "a-password-of-tests", name="otto") == 302
        assert try_to_log_in(Client(), "a-password-of-tests", address="192.0.2.8") == 302

    def test_is_lifted_by_a_supervisor(self, client: Client, olga: User) -> None:
        for _ in range(5):
            try_to_log_in(client, "wrong")
        supervisor = Client()
        supervisor.force_login(olga)
        attempt = AccessAttempt.objects.get()
        page = reverse("admin:axes_accessattempt_changelist")
        assert "Locked out" in supervisor.get(page).content.decode()
        supervisor.post(page, {"action": "unlock", "_selected_action": [attempt.pk]})
        assert try_to_log_in(client, "a-password-of-tests") == 302


class TestTheAddress:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "address"),
        [
            (0, "203.0.113.9", "10.0.0.1"),
            (1, "203.0.113.9", "203.0.113.9"),
            (1, "made-up, 203.0.113.9", "203.0.113.9"),
            (2, "made-up, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
            (1, "", "10.0.0.1"),
        ],
    )
    def test_is_what_our_own_proxies_saw(
        self, settings: Settings, proxies: int, forwarded: str, address: str
    ) -> None:
        settings.AXES_IPWARE_PROXY_COUNT = proxies
        request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
        assert visitors.client_address(request) == address


class TestASession:
    def test_is_renewed_by_pages_at_most_once_a_minute_and_by_no_stream(
        self, client: Client, olga: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client.force_login(olga)
        client.get("/admin/")
        renewed = Session.objects.get().expire_date
        client.get("/admin/")
        assert Session.objects.get().expire_date == renewed
        later = visitors.time.time() + 3600
        monkeypatch.setattr(visitors.time, "time", lambda: later)
        client.get("/live/nothing")
        assert Session.objects.get().expire_date == renewed
        client.get("/admin/")
        assert Session.objects.get().expire_date > renewed


class TestThePolicy:
    def test_is_strict_outside_the_admin_and_looser_inside(self, client: Client) -> None:
        outside = client.get("/").headers["Content-Security-Policy"]
        inside = client.get(LOGIN).headers["Content-Security-Policy"]
        for header in (outside, inside):
            assert "frame-ancestors 'none'" in header
            assert "connect-src 'self';" in f"{header};"
            assert "http" not in header
        assert "unsafe" not in outside
        assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in inside

    def test_lets_the_page_of_a_talk_connect_to_livekit(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("root"))
        campaign = a_campaign()
        page = client.get(reverse("admin:outreach_campaign_talk", args=[campaign.pk]))
        assert (
            "connect-src 'self' ws://127.0.0.1:9102 http://127.0.0.1:9102"
            in page.headers["Content-Security-Policy"]
        )

    def test_knows_livekit_clouds_regions(self) -> None:
        cloud = policy.livekit_sources("wss://example.livekit.cloud")
        assert cloud == ["wss://*.livekit.cloud", "https://*.livekit.cloud"]
