"""Every list and page of the desk opens with rows in it, and more rows make no more queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.models import IncomingCall
from tests.factories import a_campaign, a_person
from tests.integration.desk_rows import a_full_desk, a_live_call, a_talk, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

admin.autodiscover()  # as the pages' addresses do, which no test has loaded yet
#: Models with one page in the place of a list and of rows' pages; each has tests of its own.
OF_ONE_PAGE = {"preference", "tally"}
MODELS = sorted(
    {str(model._meta.model_name) for model in admin.site._registry if model._meta.app_label == "outreach"}
    - OF_ONE_PAGE
)
QUERIES_OF_A_LIST = 16
QUERIES_OF_A_PAGE = 24
#: The pages that say why somebody is not being called ask the gate anew.
QUERIES_OF_THE_GATE = {"facilitator": 7}


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def queries_of(client: Client, url: str) -> int:
    """Return how many queries a page makes; it must answer 200."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200, url
    return len(captured)


class TestEveryModel:
    @pytest.mark.parametrize("model", MODELS)
    def test_has_a_list_whose_queries_do_not_grow_with_its_rows(self, desk: Client, model: str) -> None:
        url = reverse(f"admin:outreach_{model}_changelist")
        a_full_desk(2)
        few = queries_of(desk, url)
        for _ in range(3):
            a_talk(a_person(a_campaign()))
            a_live_call(a_person(a_campaign()))
        assert (
            queries_of(desk, url) <= few + 1
        )  # a campaign more makes a filter's choices longer, not more queries
        assert few <= QUERIES_OF_A_LIST + QUERIES_OF_THE_GATE.get(model, 0)

    @pytest.mark.parametrize("model", MODELS)
    def test_has_a_page_that_opens(self, desk: Client, model: str) -> None:
        a_full_desk(1)
        row = apps.get_model("outreach", model).objects.order_by("pk").first()
        url = reverse(f"admin:outreach_{model}_change", args=[row.pk])
        assert queries_of(desk, url) <= QUERIES_OF_A_PAGE + QUERIES_OF_THE_GATE.get(model, 0)

    @pytest.mark.parametrize(
        "name", ["periodictask", "intervalschedule", "crontabschedule", "solarschedule", "clockedschedule"]
    )
    def test_includes_those_of_beat(self, desk: Client, name: str) -> None:
        queries_of(desk, reverse(f"admin:django_celery_beat_{name}_changelist"))
        queries_of(desk, reverse(f"admin:django_celery_beat_{name}_add"))

    @pytest.mark.parametrize("name", ["user", "group"])
    def test_includes_those_of_accounts(self, desk: Client, name: str) -> None:
        queries_of(desk, reverse(f"admin:auth_{name}_changelist"))
        queries_of(desk, reverse(f"admin:auth_{name}_add"))

    @pytest.mark.parametrize(
        "model", ["call", "turn", "note", "callevent", "decision", "suppression", "facilitator", "campaign"]
    )
    def test_that_is_a_record_cannot_be_deleted(self, desk: Client, model: str) -> None:
        a_full_desk(1)
        row = apps.get_model("outreach", model).objects.order_by("pk").first()
        assert (
            desk.post(reverse(f"admin:outreach_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code
            == 403
        )


class TestThePageOfACall:
    def test_shows_the_conversation_with_its_gap_and_its_note(self, desk: Client) -> None:
        call = a_talk(a_person(a_campaign()))
        page = desk.get(reverse("admin:outreach_call_change", args=[call.pk])).content.decode()
        assert "Turn 3 is missing" in page
        assert "Prefers mornings" in page
        assert "Tell me &lt;b&gt;more&lt;/b&gt;." in page
        assert "shows the outcome" in page

    def test_keeps_words_from_those_who_may_not_read_them(self, client: Client) -> None:
        call = a_talk(a_person(a_campaign()))
        client.force_login(an_operator("outreach.view_call"))
        page = client.get(reverse("admin:outreach_call_change", args=[call.pk])).content.decode()
        assert "You may not read what is said" in page
        assert "Yes, please." not in page


class TestThePageOfAPerson:
    def test_says_why_they_are_not_called(self, desk: Client) -> None:
        a_full_desk(1)
        page = desk.get(reverse("admin:outreach_facilitator_changelist")).content.decode()
        assert "Outside 10:00–13:00 in New York" in page
        assert "Their zone is not known" in page

    @pytest.mark.parametrize(
        "typed", ["+1 (212) 777-0101", "0012127770101", "212-777-0101", "212777", "ann", "Exam", "bright"]
    )
    def test_is_found_by_any_spelling(self, desk: Client, typed: str) -> None:
        campaign = a_campaign()
        a_person(campaign, name="Ann Example", number="+12127770101", organisation="Bright School")
        a_person(campaign, name="Somebody Else", number="+14157770102")
        page = desk.get(reverse("admin:outreach_facilitator_changelist"), {"q": typed}).content.decode()
        assert "Ann Example" in page
        assert "Somebody Else" not in page

    def test_shows_when_they_rang_us_and_what_came_of_it(self, desk: Client) -> None:
        a_full_desk(1)
        person = IncomingCall.objects.get().facilitator
        assert person is not None
        page = desk.get(reverse("admin:outreach_facilitator_change", args=[person.pk])).content.decode()
        assert "They rang us" in page
        assert "Wants never to be called" in page
        assert "Never called again, in any campaign" in page

    def test_writes_only_what_was_edited(self, desk: Client) -> None:
        person = a_person(a_campaign())
        url = reverse("admin:outreach_facilitator_change", args=[person.pk])
        given = form_values(desk.get(url))
        type(person).objects.filter(pk=person.pk).update(attempts_made=3)
        assert desk.post(url, {**given, "name": "Anna"}).status_code == 302
        person.refresh_from_db()
        assert (person.name, person.attempts_made) == ("Anna", 3)


def form_values(response: Any) -> dict[str, Any]:
    """Return what a browser would send back from an unchanged form."""
    form = response.context["adminform"].form
    return {name: form[name].value() if form[name].value() is not None else "" for name in form.fields} | {
        "extra": "{}"
    }
