"""A campaign's page: what the checks found last, and a button to check again."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from outreach import tasks
from outreach.doctor import examining, results
from outreach.doctor.finding import Check, Result, Surroundings, fail, ok
from outreach.models import CheckResult
from tests.factories import a_campaign

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

AGAIN = "admin:outreach_campaign_check_again"
YES = {"_form_submitted": "on"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """What the workers are asked to check."""
    asked: list[dict[str, int]] = []
    monkeypatch.setattr(tasks.run_checks, "apply_async", lambda *, kwargs, retry: asked.append(kwargs))
    return asked


def log_in(client: Client, *permissions: str) -> None:
    user = User.objects.create_user("operator", password="a-password-of-tests", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)


def page_of(client: Client, campaign_id: int) -> str:
    return client.get(reverse("admin:outreach_campaign_change", args=[campaign_id])).content.decode()


def test_shows_what_was_found_and_what_to_do(client: Client) -> None:
    log_in(client, "view_campaign")
    campaign = a_campaign()
    assert "Nothing was checked yet" in page_of(client, campaign.pk)
    finding = fail("ES disabled: 412 people.", remedy="Allow it.", page="https://console.example/geo")
    check = Check(name="twilio.countries", examine=lambda _: finding, of_campaign=True)
    results.store([Result(check=check, finding=finding, seconds=0.1)], Surroundings(campaign=campaign))
    page = page_of(client, campaign.pk)
    for words in (
        "ES disabled: 412 people.",
        "Allow it.",
        'href="https://console.example/geo"',
        "Stands in the way",
    ):
        assert words in page


def test_the_button_asks_the_workers_for_this_campaign(client: Client, asked: list[dict[str, int]]) -> None:
    log_in(client, "view_campaign", "run_checks")
    campaign = a_campaign()
    client.get(reverse(AGAIN, args=[campaign.pk]))
    assert asked == []
    client.post(reverse(AGAIN, args=[campaign.pk]), YES)
    assert asked == [{"campaign_id": campaign.pk}]


def test_nobody_else_may_press_it(client: Client, asked: list[dict[str, int]]) -> None:
    log_in(client, "view_campaign", "change_campaign")
    campaign = a_campaign()
    assert "check-again" not in page_of(client, campaign.pk)
    client.post(reverse(AGAIN, args=[campaign.pk]), YES)
    assert asked == []


def test_says_that_no_worker_can_be_asked(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(**_kwargs: object) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.run_checks, "apply_async", refuses)
    log_in(client, "view_campaign", "run_checks")
    campaign = a_campaign()
    client.post(reverse(AGAIN, args=[campaign.pk]), YES)
    answer = client.get(reverse("admin:outreach_campaign_change", args=[campaign.pk]))
    assert "Redis takes no tasks" in " ".join(str(message) for message in answer.context["messages"])


def test_the_worker_makes_every_check_and_keeps_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = a_campaign()
    made: list[Surroundings] = []

    def run(checks: list[Check], about: Surroundings) -> list[Result]:
        made.append(about)
        return [Result(check=check, finding=ok("Well."), seconds=0.0) for check in checks]

    monkeypatch.setattr(examining, "run", run)
    tasks.run_checks(campaign_id=campaign.pk)
    assert made == [Surroundings(campaign=campaign)]
    assert CheckResult.objects.filter(name=f"twilio.countries/{campaign.pk}", status="ok").exists()
    assert CheckResult.objects.filter(name="local.redis", status="ok").exists()
