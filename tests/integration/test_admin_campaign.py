"""A campaign's page: what stands in the way, the questions before each step, the first people's calls."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.domain.standing import Standing
from outreach.integrations import livekit
from outreach.models import (
    Access,
    Call,
    Callback,
    Campaign,
    CampaignState,
    CanaryState,
    Facilitator,
    ScriptVersion,
    Tally,
)
from outreach.services import clock
from tests.factories import a_campaign, a_person, an_agent_worker, an_earlier_call
from tests.fakes import FakeRooms
from tests.integration.desk_rows import a_talk, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

YES = {"_form_submitted": "on"}


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def address(name: str, campaign: Campaign) -> str:
    return reverse(f"admin:outreach_campaign_{name}", args=[campaign.pk])


def page(client: Client, name: str, campaign: Campaign) -> str:
    answer = client.get(address(name, campaign))
    assert answer.status_code == 200
    return answer.content.decode()


def ready_draft() -> Campaign:
    """Return a draft that only waits for being heard."""
    an_agent_worker()
    campaign = a_campaign(state="draft", calls_per_second=50)
    a_person(campaign)
    return campaign


def promised(campaign: Campaign, name: str = "Ann Example") -> Facilitator:
    at = clock.now() + timedelta(minutes=30)
    person = a_person(campaign, name=name, standing=Standing.CALLBACK_DUE.value, next_call_at=at)
    Callback.objects.create(
        facilitator=person, promised_at=at, time_zone=person.time_zone, created_at=clock.now()
    )
    return person


class TestStarting:
    def test_is_refused_with_what_is_red_and_said_in_the_question(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_campaign", "outreach.change_campaign"))
        campaign = ready_draft()
        question = page(client, "start_campaign", campaign)
        assert "Nobody has heard" in question
        assert "only a supervisor may start" in question
        assert "campaign-barred" in question
        assert "in spite of" not in question
        client.post(address("start_campaign", campaign), {**YES, "overrides": "on"})
        assert Campaign.objects.get().state == "draft"

    def test_whoever_answers_for_the_machine_may_override(self, client: Client) -> None:
        rights = ("outreach.view_campaign", "outreach.change_campaign", "outreach.change_dialingcontrol")
        client.force_login(an_operator(*rights))
        campaign = ready_draft()
        question = page(client, "start_campaign", campaign)
        assert "in spite of" in question
        assert "campaign-barred" not in question
        client.post(address("start_campaign", campaign), {**YES, "overrides": "on"})
        assert Campaign.objects.get().state == "running"

    def test_the_law_is_not_offered_to_be_overridden(self, desk: Client) -> None:
        campaign = ready_draft()
        Campaign.objects.update(call_window={"1": [["07:00", "12:00"]]})
        question = page(desk, "start_campaign", campaign)
        assert "outside 08:00–21:00" in question
        assert "It cannot be started yet." in question
        assert "campaign-barred" in question
        assert "in spite of" not in question


class TestThePage:
    def test_tells_how_everybody_stands_and_when_it_is_through(self, desk: Client) -> None:
        campaign = ready_draft()
        a_person(campaign, consent_basis="")
        told = page(desk, "preflight", campaign)
        for words in (
            "can be called now",
            "No consent basis is recorded",
            "Forecast.",
            "Through on",
            "Not ready",
        ):
            assert words in told
        assert "Looking at everybody" in page(desk, "change", campaign)
        assert "In the air" in page(desk, "change", campaign)

    def test_asks_as_much_of_the_database_however_many_people_there_are(self, desk: Client) -> None:
        campaign = ready_draft()
        counts = []
        for n_people in (1, 8):
            for _ in range(n_people):
                a_talk(a_person(campaign))
                promised(campaign)
            for name in ("change", "preflight", "first_people", "pause_campaign"):
                page(desk, name, campaign)
                with CaptureQueriesContext(connection) as queries:
                    page(desk, name, campaign)
                counts.append(len(queries))
        assert counts[:4] == counts[4:]

    def test_shows_nothing_to_who_may_not_see_it(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_call"))
        campaign = ready_draft()
        for name in ("preflight", "first_people"):
            assert client.get(address(name, campaign)).status_code == 403


class TestTheQuestions:
    def test_a_pause_names_the_promises_that_it_endangers(self, desk: Client) -> None:
        campaign = a_campaign()
        promised(campaign)
        question = page(desk, "pause_campaign", campaign)
        assert "1 callback" in question
        assert "Ann Example" in question

    @pytest.mark.parametrize(("keep", "state"), [("on", "promised"), ("", "canceled")])
    def test_finishing_asks_for_the_promises(self, desk: Client, keep: str, state: str) -> None:
        campaign = a_campaign()
        promised(campaign)
        question = page(desk, "finish_campaign", campaign)
        assert "Keep 1 promised callback" in question
        assert "checked" in question
        desk.post(address("finish_campaign", campaign), {**YES, "keep_callbacks": keep})
        assert Campaign.objects.get().state == CampaignState.FINISHED
        assert Callback.objects.get().state == state

    def test_trying_again_offers_the_endings_that_there_are(self, desk: Client) -> None:
        campaign = a_campaign()
        person = a_person(campaign, standing="exhausted", standing_reason="Tried.", next_call_at=None)
        an_earlier_call(person, ago=timedelta(days=3))
        assert "Nobody answered: 1" in page(desk, "redial_campaign", campaign)
        desk.post(address("redial_campaign", campaign), {**YES, "outcomes": ["no_answer"], "n_attempts": "2"})
        person.refresh_from_db()
        assert person.standing == Standing.RETRY_DUE.value

    def test_a_copy_is_a_draft(self, desk: Client) -> None:
        campaign = a_campaign(name="Spring")
        answer = desk.post(address("duplicate_campaign", campaign), YES)
        copy = Campaign.objects.get(name="Spring (copy)")
        assert copy.state == "draft"
        assert answer["Location"] == address("change", copy)


class TestCallMeFirst:
    def test_sends_alex_for_the_operators_phone_with_the_row_that_they_named(
        self, desk: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rooms = FakeRooms()
        monkeypatch.setattr(livekit, "rooms", lambda: rooms)
        campaign = ready_draft()
        ann = a_person(campaign, name="Ann Example")
        wanted = {**YES, "number": "+12025550111", "row": "ann"}
        answer = desk.post(address("call_me", campaign), wanted)
        call = Call.objects.get()
        assert (call.channel, call.number, call.facilitator_id) == ("trial", "+12025550111", ann.pk)
        assert answer["Location"] == reverse("admin:outreach_call_change", args=[call.pk])
        assert "Corrected" not in desk.get(answer["Location"]).content.decode()
        desk.post(address("call_me", campaign), {**wanted, "row": "nobody of that name"})
        assert Call.objects.count() == len(rooms.prepared) == 1


class TestTheFirstCalls:
    def test_are_read_before_the_rest_are_called(self, desk: Client) -> None:
        campaign = a_campaign(canary_size=2, canary_state=CanaryState.WAITING, state="paused")
        calls = [a_talk(a_person(campaign, name=f"Person {letter}")) for letter in "ABC"]
        for minute, call in enumerate(calls):
            Call.objects.filter(pk=call.pk).update(queued_at=clock.now() - timedelta(hours=2 - minute / 60))
        told = page(desk, "first_people", campaign)
        assert "Person A" in told
        assert "Person B" in told
        assert "Person C" not in told
        assert "Tell me &lt;b&gt;more&lt;/b&gt;." in told
        assert Access.objects.get().n_rows == 6
        desk.post(address("go_on", campaign), YES)
        campaign.refresh_from_db()
        assert (campaign.state, campaign.canary_state) == ("running", "passed")

    def test_are_for_those_who_may_read_what_was_said(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_campaign", "outreach.view_call"))
        assert client.get(address("first_people", a_campaign())).status_code == 403


class TestTheForm:
    def values(self, desk: Client, campaign: Campaign) -> dict[str, str]:
        """Return what the form would send, unchanged."""
        form = desk.get(address("change", campaign)).context["adminform"].form
        sent = {}
        for bound in form:
            value = bound.field.prepare_value(bound.initial) if hasattr(bound.field, "prepare_value") else ""
            if value not in (None, False):
                sent[bound.html_name] = str(getattr(value, "pk", value))
        return sent

    def test_other_words_are_the_next_version_which_must_be_heard_anew(self, desk: Client) -> None:
        campaign = ready_draft()
        before = campaign.script
        Campaign.objects.update(heard_script=before)
        values = self.values(desk, campaign)
        answer = desk.post(address("change", campaign), values)
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        campaign.refresh_from_db()
        assert campaign.script_id == before.pk
        words = values["words"].replace("goodbye", "bye bye").replace("\n", "\r\n")
        desk.post(address("change", campaign), {**values, "words": words})
        campaign.refresh_from_db()
        assert (campaign.script.name, campaign.script.version) == (before.name, 2)
        assert campaign.script.created_by == "root"
        assert "bye bye" in campaign.script.body
        assert "\r" not in campaign.script.body
        assert campaign.heard_script_id == before.pk
        assert (
            "Nobody has heard it yet"
            in desk.get(
                reverse("admin:outreach_scriptversion_change", args=[campaign.script_id])
            ).content.decode()
        )

    def test_leads_back_to_the_campaigns_page_and_takes_numbers_and_countries_as_typed(
        self, desk: Client
    ) -> None:
        campaign = ready_draft()
        typed = {"caller_ids": "+1 (415) 555-0100\n+44 20 7946 0117", "default_country": "gb"}
        answer = desk.post(address("change", campaign), {**self.values(desk, campaign), **typed})
        assert answer["Location"] == address("change", campaign)
        campaign.refresh_from_db()
        assert campaign.caller_ids == ["+14155550100", "+442079460117"]
        assert campaign.default_country == "GB"

    @pytest.mark.parametrize(
        ("field", "typed", "says"),
        [
            ("caller_ids", "(303) 555-0100", "has no country code"),
            ("default_country", "UK", "ISO code"),
            ("call_window", "Mon 07:00-12:00", "08:00–21:00"),
            ("words", "## opening: first_call\nHi {nobody}", "nobody"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(
        self, desk: Client, field: str, typed: str, says: str
    ) -> None:
        campaign = ready_draft()
        answer = desk.post(address("change", campaign), {**self.values(desk, campaign), field: typed})
        assert says in str(answer.context["adminform"].form.errors[field])


class TestTheScriptsPage:
    def test_tells_where_people_hang_up_by_version(self, desk: Client) -> None:
        campaign = a_campaign()
        old = campaign.script
        new = ScriptVersion.objects.create(name=old.name, version=2, body=old.body, created_at=clock.now())
        for script, n_talks, n_hang_ups in ((old, 20, 8), (new, 10, 1)):
            shared = {"day": clock.now().date(), "campaign": campaign, "script": script, "caller_id": "+1"}
            Tally.objects.create(**shared, thing="calls", key="human", n=n_talks)
            Tally.objects.create(**shared, thing="stage", key="pitch", n=n_hang_ups)
        told = desk.get(reverse("admin:outreach_scriptversion_change", args=[new.pk])).content.decode()
        assert "Pitch <b>8</b>" in told
        assert "40 %" in told
        assert "10 %" in told
