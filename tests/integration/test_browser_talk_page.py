"""The page on which an operator talks with Alex: for those who may, with what they may see."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from outreach.integrations import livekit, livekit_browser
from outreach.models import Call, Campaign, ScriptVersion
from tests.factories import a_campaign, a_person, an_agent_worker
from tests.fakes import FakeRooms
from tests.integration.desk_rows import an_operator
from tests.integration.test_browser_talk import Door, talking

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """A LiveKit server that carries sound, until a test says otherwise."""
    door = Door()
    monkeypatch.setattr(livekit_browser, "door", lambda: door)
    return door


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> FakeRooms:
    """Its rooms."""
    rooms = FakeRooms()
    monkeypatch.setattr(livekit, "rooms", lambda: rooms)
    return rooms


@pytest.fixture
def campaign(door: Door, rooms: FakeRooms) -> Campaign:
    """A campaign; Alex has a place."""
    an_agent_worker(free=9)
    return a_campaign()


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def page_of(row: Campaign | ScriptVersion) -> str:
    """Return the address of the page on which one talks about a campaign or a script."""
    return reverse(f"admin:outreach_{row._meta.model_name}_talk", args=[row.pk])


def said(answer: Any) -> Any:
    """Return the JSON of an answer."""
    return json.loads(answer.content)


class TestThePage:
    def test_is_one_click_from_a_campaign_and_from_a_script(self, desk: Client, campaign: Campaign) -> None:
        for row in (campaign, campaign.script):
            change = reverse(f"admin:outreach_{row._meta.model_name}_change", args=[row.pk])
            assert page_of(row) in desk.get(change).content.decode()

    def test_offers_an_invented_person_and_the_campaigns_people(
        self, desk: Client, campaign: Campaign
    ) -> None:
        a_person(campaign, name="Noah Eriksen")
        a_person(a_campaign(), name="Somebody Else")
        shown = desk.get(page_of(campaign)).content.decode()
        assert "Sam Sample, an invented person" in shown
        assert "Noah Eriksen" in shown
        assert "Somebody Else" not in shown

    def test_finds_people_by_name_and_number(self, desk: Client, campaign: Campaign) -> None:
        noah = a_person(campaign, name="Noah Eriksen", number="+12125550123", organisation="Fjord")
        a_person(campaign, name="Mia")
        for term in ("noah", "Eriksen", "+1212555012"):
            found = said(desk.get(page_of(campaign), {"people": term}))["people"]
            assert {"id": noah.pk, "name": "Noah Eriksen, Fjord"} in found
            assert len(found) == 1 or term.startswith("+")

    def test_says_plainly_that_rooms_without_sound_will_not_do(
        self, desk: Client, campaign: Campaign, door: Door
    ) -> None:
        door.sound = False
        shown = desk.get(page_of(campaign)).content.decode()
        assert "manage.py up --voice" in shown
        assert "data-start" not in shown

    def test_of_a_script_lets_one_choose_whose_facts(self, desk: Client, campaign: Campaign) -> None:
        other = a_campaign(name="A campaign that comes first")
        answer = desk.get(page_of(campaign.script))
        assert answer.context["subject"].campaign == campaign
        chosen = desk.get(page_of(campaign.script), {"campaign": other.pk})
        assert (chosen.context["subject"].campaign, chosen.context["subject"].script) == (
            other,
            campaign.script,
        )

    def test_of_a_script_asks_for_a_campaign_where_there_is_none(self, desk: Client, door: Door) -> None:
        script = ScriptVersion.objects.order_by("pk").first() or a_campaign().script
        Campaign.objects.all().delete()
        assert "there is no campaign yet" in desk.get(page_of(script)).content.decode()


class TestATalk:
    def test_begins_by_a_post_and_ends_by_another(
        self, desk: Client, campaign: Campaign, rooms: FakeRooms
    ) -> None:
        begun = desk.post(page_of(campaign), {"person": ""})
        call = Call.objects.get()
        assert said(begun) == {
            "call": str(call.pk), "url": "ws://livekit.test", "token": f"{call.room} web-{call.pk} root",
            "words": f"/live/calls/{call.pk}", "page": f"/admin/outreach/call/{call.pk}/change/",
        }  # fmt: skip
        assert "no-store" in begun.headers["Cache-Control"]
        assert desk.post(page_of(campaign), {"end": str(call.pk)}).status_code == 204
        call.refresh_from_db()
        assert (call.status, rooms.deleted) == ("canceled", [call.room])

    def test_has_the_words_of_the_script_on_whose_page_it_begins(
        self, desk: Client, campaign: Campaign
    ) -> None:
        other, person = a_campaign(), a_person(campaign)
        desk.post(page_of(other.script), {"campaign": campaign.pk, "person": person.pk})
        call = Call.objects.get()
        assert (call.script, call.campaign, call.facilitator) == (other.script, campaign, person)

    def test_with_somebody_of_another_campaign_is_refused(self, desk: Client, campaign: Campaign) -> None:
        stranger = a_person(a_campaign())
        answer = desk.post(page_of(campaign), {"person": stranger.pk})
        assert (answer.status_code, Call.objects.count()) == (409, 0)

    def test_may_be_asked_for_again_while_alex_has_no_place(self, desk: Client, campaign: Campaign) -> None:
        an_agent_worker(free=0)
        answer = desk.post(page_of(campaign))
        assert (answer.status_code, said(answer)["again"]) == (409, True)
        assert "agent.log" in said(answer)["error"]

    @pytest.mark.parametrize("end", ["nonsense", "d511169e-6e71-4853-923a-b4a4dc3a6377"])
    def test_that_does_not_exist_cannot_be_ended(self, desk: Client, campaign: Campaign, end: str) -> None:
        assert desk.post(page_of(campaign), {"end": end}).status_code in (204, 400)


class TestWhoMay:
    def test_nobody_without_the_permission(self, client: Client, campaign: Campaign) -> None:
        client.force_login(an_operator("outreach.view_campaign", "outreach.view_scriptversion"))
        assert client.get(page_of(campaign)).status_code == 403
        assert client.post(page_of(campaign)).status_code == 403
        assert client.post(page_of(campaign.script)).status_code == 403
        assert not Call.objects.exists()

    def test_sees_neither_people_nor_words_without_those_permissions(
        self, client: Client, campaign: Campaign
    ) -> None:
        person = a_person(campaign, name="Noah Eriksen")
        client.force_login(an_operator("outreach.view_campaign", "outreach.talk_in_browser"))
        shown = client.get(page_of(campaign)).content.decode()
        assert "Noah Eriksen" not in shown
        assert "Ask for the permission" in shown
        assert client.post(page_of(campaign), {"person": person.pk}).status_code == 409
        assert client.post(page_of(campaign)).status_code == 200


class TestATalkAmongTheCalls:
    @pytest.mark.parametrize("played", [True, False], ids=["a person's row", "an invented person"])
    def test_has_its_page_and_its_line(self, desk: Client, campaign: Campaign, played: bool) -> None:
        person = a_person(campaign, name="Noah Eriksen") if played else None
        call = talking(campaign, person=person)
        who = "root as Noah Eriksen" if played else "root in the browser"
        shown = desk.get(reverse("admin:outreach_call_change", args=[call.pk])).content.decode()
        assert who in shown
        assert "nobody was called" in shown
        assert who in desk.get(reverse("admin:outreach_call_changelist")).content.decode()

    def test_leaves_its_script_free_to_be_edited(self, desk: Client, campaign: Campaign) -> None:
        talking(campaign)
        shown = desk.get(reverse("admin:outreach_scriptversion_change", args=[campaign.script_id]))
        assert b'name="body"' in shown.content

    def test_is_not_on_the_persons_page(self, desk: Client, campaign: Campaign) -> None:
        person = a_person(campaign)
        talk = talking(campaign, person=person)
        shown = desk.get(reverse("admin:outreach_facilitator_change", args=[person.pk]))
        assert str(talk.pk) not in shown.content.decode()
