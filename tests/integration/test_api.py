"""The JSON API answers good tokens with what their users may see, page by page, and writes it down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.api import keys
from outreach.models import Access, ApiToken, Callback, Facilitator, Tally
from outreach.services import api_tokens, clock
from tests.factories import a_campaign, a_person, an_earlier_call, pass_time
from tests.integration.desk_rows import a_talk, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

SEEING = ("outreach.view_call", "outreach.view_facilitator", "outreach.view_callback", "outreach.view_tally")
READING = ("outreach.read_transcript", "outreach.view_turn")


class Program:
    """Another program with a token."""

    def __init__(self, *permissions: str, username: str = "crm") -> None:
        self.user = an_operator(*permissions, username=username)
        self.token, self.key = api_tokens.make_token(user=self.user, name="CRM")

    def get(self, path: str, **query: Any) -> Any:
        """Ask for something and return the answer."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return Client().get(f"/api/v1/{path}", query, headers=headers)

    def read(self, path: str, **query: Any) -> Any:
        """Ask for something that is there and return what it says."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def pages(self, path: str, **query: Any) -> list[Any]:
        """Return the ids of all pages."""
        found, cursor = [], ""
        while cursor is not None:
            page = self.read(path, cursor=cursor, **query)
            found += [row["id"] for row in page["items"]]
            cursor = page["next"]
        return found


class TestAToken:
    def test_is_kept_as_a_digest_and_opens_until_it_is_revoked(self) -> None:
        program = Program(*SEEING)
        assert program.key not in str(ApiToken.objects.values().get())
        assert program.get("calls").status_code == 200
        assert ApiToken.objects.get().last_used_at is not None
        api_tokens.revoke(token_ids=[program.token.pk])
        assert program.get("calls").status_code == 401

    def test_opens_nothing_when_it_is_over_or_its_user_has_left(self) -> None:
        program = Program(*SEEING)
        ApiToken.objects.update(expires_at=clock.now() + timedelta(hours=1))
        assert program.get("calls").status_code == 200
        User.objects.update(is_active=False)
        assert program.get("calls").status_code == 401
        User.objects.update(is_active=True)
        pass_time(timedelta(hours=2))
        assert program.get("calls").status_code == 401

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer outreach_wrong", "Basic b2xnYTpwdw=="])
    def test_is_needed(self, header: str) -> None:
        assert Client().get("/api/v1/calls", headers={"Authorization": header}).status_code == 401

    def test_may_ask_so_often_a_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keys, "A_MINUTE", 2)
        monkeypatch.setattr(keys.time, "time", lambda: 1_772_550_300.0)
        program, other = Program(*SEEING), Program(*SEEING, username="erp")
        assert [program.get("calls").status_code for _ in range(3)] == [200, 200, 429]
        assert other.get("calls").status_code == 200


class TestWhatIsShown:
    def test_needs_the_right_of_the_page(self) -> None:
        program = Program("outreach.view_call")
        answer = program.get("facilitators")
        assert (answer.status_code, "lacks outreach.view_facilitator" in answer.json()["detail"]) == (
            403,
            True,
        )

    def test_leaves_out_names_and_words_without_their_rights(self) -> None:
        call = a_talk(a_person(a_campaign(), name="Ann Example", email="ann@example.org"))
        program = Program(*SEEING)
        one, person = program.read(f"calls/{call.pk}"), program.read("facilitators")["items"][0]
        assert (one["turns"], one["notes"], one["number"]) == (None, None, None)
        assert one["disposition"] == "interested"
        assert (person["name"], person["number"], person["email"]) == (None, None, None)

    def test_includes_them_with_their_rights_and_writes_it_down(self) -> None:
        call = a_talk(a_person(a_campaign(), name="Ann Example"))
        program = Program(*SEEING, *READING, keys.EXPORT)
        one, person = program.read(f"calls/{call.pk}"), program.read("facilitators")["items"][0]
        assert [turn["seq"] for turn in one["turns"]] == [1, 2, 4]
        assert (person["name"], one["number"]) == ("Ann Example", call.number)
        program.read("calls", campaign=call.campaign_id, unknown="Ann")
        assert list(Access.objects.order_by("pk").values_list("kind", "what", "n_rows")) == [
            ("api", f"call {call.pk}", 3),
            ("api", "facilitators ", 1),
            ("api", f"calls campaign={call.campaign_id}", 1),
        ]

    def test_is_narrowed_by_filters(self) -> None:
        campaign, other = a_campaign(), a_campaign()
        a_person(campaign, standing="held", standing_reason="x", next_call_at=None)
        person = a_person(campaign)
        a_person(other)
        old = an_earlier_call(person, ago=timedelta(days=3), disposition="not_interested")
        an_earlier_call(person, ago=timedelta(days=1))
        promised = Callback.objects.create(
            facilitator=person, promised_at=clock.now(), time_zone="UTC", created_at=clock.now()
        )
        Tally.objects.create(
            day=clock.now().date(), campaign=campaign, script=campaign.script, caller_id="", thing="calls",
            key="dialled", n=3,
        )  # fmt: skip
        program = Program(*SEEING)
        assert program.pages("facilitators", campaign=campaign.pk, standing="new") == [person.pk]
        assert program.pages("calls", disposition="not_interested") == [str(old.pk)]
        assert program.pages("calls", until=(clock.now() - timedelta(days=2)).isoformat()) == [str(old.pk)]
        assert program.pages("callbacks", state="promised", campaign=campaign.pk) == [promised.pk]
        assert program.read("statistics", campaign=campaign.pk)["items"][0]["n"] == 3
        assert program.read(f"facilitators/{person.pk}")["standing"] == "new"

    @pytest.mark.parametrize(
        ("path", "query"),
        [
            ("calls", {"cursor": "nonsense"}),
            ("calls", {"cursor": "fDE"}),
            ("calls", {"since": "2026-03-03T15:05:00"}),
            ("statistics", {"since": "2020-01-01"}),
        ],
    )
    def test_says_what_is_wrong_with_a_question(self, path: str, query: dict[str, str]) -> None:
        answer = Program(*SEEING).get(path, **query)
        assert (answer.status_code, bool(answer.json()["detail"])) == (400, True)

    def test_is_nothing_where_there_is_nothing(self) -> None:
        program = Program(*SEEING)
        assert program.get("calls/6f1a5a3e-0000-4000-8000-000000000000").status_code == 404
        assert program.get("facilitators/999999999").status_code == 404


class TestPages:
    def test_come_one_after_the_other_without_gap_or_repeat_even_at_the_same_moment(self) -> None:
        campaign = a_campaign()
        people = [a_person(campaign) for _ in range(5)]
        made = [an_earlier_call(person, ago=timedelta(days=1)) for person in people[:3]]
        at = made[0].queued_at
        made += [an_earlier_call(person, ago=timedelta(days=2)) for person in people[3:]]
        type(made[0]).objects.filter(pk__in=[call.pk for call in made[:3]]).update(queued_at=at)
        program = Program(*SEEING)
        paged = program.pages("calls", limit=2)
        assert paged == program.pages("calls", limit=500)
        assert set(paged) == {str(call.pk) for call in made}
        assert len(paged) == 5
        assert program.pages("facilitators", limit=2) == sorted(person.pk for person in people)

    def test_make_as_many_queries_with_more_rows(self) -> None:
        campaign, program = a_campaign(), Program(*SEEING, *READING, keys.EXPORT)
        a_talk(a_person(campaign))
        counted = []
        for _ in range(2):
            program.read("calls")  # the first use in a minute writes when that was
            with CaptureQueriesContext(connection) as captured:
                program.read("calls")
                program.read("facilitators")
            counted.append(len(captured))
            for _ in range(5):
                a_talk(a_person(campaign))
        assert counted[0] == counted[1]
        assert Facilitator.objects.count() == 11


class TestThePageOfTheAPI:
    def test_is_for_those_who_work_here_and_loads_from_here_only(self, client: Client) -> None:
        page = reverse("api-1:openapi-view")
        assert client.get(page).status_code == 302
        client.force_login(an_operator())
        html = client.get(page).content.decode()
        assert "/static/ninja/swagger-ui-bundle.js" in html
        assert "http://" not in html
        assert "https://" not in html
        described = client.get(reverse("api-1:openapi-json")).json()
        assert set(described["paths"]) == {
            f"/api/v1/{path}"
            for path in (
                *("calls", "calls/{call_id}", "facilitators", "facilitators/{person_id}"),
                *("callbacks", "statistics"),
            )
        }


class TestTheAdmin:
    def test_shows_a_key_once_and_revokes_it(self, client: Client) -> None:
        permissions = ("outreach.view_apitoken", "outreach.add_apitoken", "outreach.change_apitoken")
        program = an_operator("outreach.view_call", username="crm")
        client.force_login(an_operator(*permissions))
        form = {"name": "CRM", "user": program.pk}
        page = client.post(reverse("admin:outreach_apitoken_add"), form)
        token = ApiToken.objects.get()
        key = page.context["shown"]
        assert key in page.content.decode()
        assert "no-store" in page.headers["Cache-Control"]
        assert (token.digest, token.user) == (api_tokens.digest_of(key), program)
        assert Client().get("/api/v1/calls", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        changelist = reverse("admin:outreach_apitoken_changelist")
        assert key not in client.get(changelist).content.decode()
        client.post(changelist, {"action": "revoke", "_selected_action": [token.pk]})
        assert Client().get("/api/v1/calls", headers={"Authorization": f"Bearer {key}"}).status_code == 401

    def test_says_which_keys_open_nothing(self, client: Client) -> None:
        Program(*SEEING)
        client.force_login(an_operator("outreach.view_apitoken"))

        def page() -> str:
            return client.get(reverse("admin:outreach_apitoken_changelist")).content.decode()

        assert "Good" in page()
        User.objects.filter(username="crm").update(is_active=False)
        assert "Its user is switched off" in page()
        ApiToken.objects.update(expires_at=clock.now())
        assert "Expired" in page()

    def test_makes_no_key_of_a_superuser_for_a_supervisor(self, client: Client) -> None:
        root = User.objects.create_superuser("root", password="a-password-of-tests")
        client.force_login(an_operator("outreach.add_apitoken"))
        client.post(reverse("admin:outreach_apitoken_add"), {"name": "CRM", "user": root.pk})
        assert not ApiToken.objects.exists()
