"""What an operator does: each action is a POST behind a question, for those who may."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from outreach.domain.standing import Standing
from outreach.models import Call, Campaign, DialingControl, Facilitator, Suppression
from outreach.models.campaign import default_call_window
from outreach.services import dialing
from tests.factories import a_campaign, a_person, an_agent_worker
from tests.integration.desk_rows import a_live_call, a_talk, an_operator

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


def messages_of(client: Client) -> str:
    """Return what the next page tells the operator."""
    page = client.get(reverse("admin:outreach_dialingcontrol_changelist"))
    return " ".join(str(message) for message in page.context["messages"])


class TestACampaign:
    def test_is_made_with_the_standard_script_and_hours(self, desk: Client) -> None:
        url = reverse("admin:outreach_campaign_add")
        facts = {
            "name": "Spring", "company": "Acme", "platform": "Acme Circle", "platform_facts": "It is free.",
            "caller_ids": "+12025550199", "default_country": "US",
        }  # fmt: skip
        answer = desk.post(url, {**_values(desk, url), **facts})
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        campaign = Campaign.objects.get()
        assert (campaign.state, campaign.caller_ids) == ("draft", ["+12025550199"])
        assert campaign.call_window == default_call_window()
        assert campaign.script.body

    @pytest.mark.parametrize(
        ("button", "state"), [("start_campaign", "draft"), ("pause_campaign", "running")]
    )
    def test_is_not_changed_by_looking_at_the_question(self, desk: Client, button: str, state: str) -> None:
        campaign = a_campaign(state=state)
        assert desk.get(reverse(f"admin:outreach_campaign_{button}", args=[campaign.pk])).status_code == 200
        campaign.refresh_from_db()
        assert campaign.state == state

    def test_starts_and_pauses(self, desk: Client) -> None:
        an_agent_worker()
        campaign = a_campaign(state="draft")
        a_person(campaign)
        Campaign.objects.update(heard_script=campaign.script)
        desk.post(reverse("admin:outreach_campaign_start_campaign", args=[campaign.pk]), YES)
        campaign.refresh_from_db()
        assert campaign.state == "running"
        url = reverse("admin:outreach_campaign_pause_campaign", args=[campaign.pk])
        desk.post(url, {**YES, "reason": "lunch"})
        campaign.refresh_from_db()
        assert (campaign.state, campaign.state_reason) == ("paused", "lunch (root)")

    def test_says_why_it_does_not_start(self, desk: Client) -> None:
        campaign = a_campaign(state="draft", caller_ids=[])
        desk.post(reverse("admin:outreach_campaign_start_campaign", args=[campaign.pk]), YES)
        assert "no caller ID" in messages_of(desk)

    def test_goes_on_after_the_canary(self, desk: Client) -> None:
        campaign = a_campaign(state="held", state_reason="look", canary_state="waiting")
        desk.post(reverse("admin:outreach_campaign_go_on", args=[campaign.pk]), YES)
        campaign.refresh_from_db()
        assert (campaign.state, campaign.canary_state) == ("running", "passed")

    def test_refuses_who_may_only_look(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_campaign"))
        campaign = a_campaign(state="draft")
        page = client.get(reverse("admin:outreach_campaign_change", args=[campaign.pk])).content.decode()
        url = reverse("admin:outreach_campaign_start_campaign", args=[campaign.pk])
        assert url not in page
        assert client.post(url, YES).status_code == 403
        campaign.refresh_from_db()
        assert campaign.state == "draft"

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("call_window", "Mon 19:00-10:00", "Monday"),
            ("call_window", "Someday 10:00-11:00", "weekday"),
            ("call_window", "Mon ten to eleven", "10:00-13:00"),
            ("retry_policy", "busy: 4 h, ×2, at most 24 h", "no_answer"),
            ("retry_policy", "busy: soon", "at most 24 h"),
            ("caller_ids", "4155550100", "+1 415 555 0100"),
        ],
    )
    def test_shows_what_is_wrong_beside_the_field(
        self, desk: Client, field: str, value: str, sentence: str
    ) -> None:
        campaign = a_campaign()
        url = reverse("admin:outreach_campaign_change", args=[campaign.pk])
        page = desk.post(url, {**_values(desk, url), field: value})
        assert sentence in str(page.context["adminform"].form.errors[field])

    def test_keeps_its_hours_in_the_stored_form(self, desk: Client) -> None:
        campaign = a_campaign(calls_per_second=1)
        url = reverse("admin:outreach_campaign_change", args=[campaign.pk])
        given = {**_values(desk, url), "call_window": "Tue 9:00–12:00, 13:00-17:30\nSat 10:00-11:00"}
        answer = desk.post(url, given)
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        campaign.refresh_from_db()
        assert campaign.call_window == {
            "1": [["09:00", "12:00"], ["13:00", "17:30"]],
            "5": [["10:00", "11:00"]],
        }
        assert campaign.state == "running"


class TestCallNow:
    def test_puts_the_call_into_the_queue(self, desk: Client) -> None:
        an_agent_worker()
        person = a_person(a_campaign())
        answer = desk.post(reverse("admin:outreach_facilitator_call_person", args=[person.pk]), YES)
        call = Call.objects.get(facilitator=person)
        assert answer["Location"] == reverse("admin:outreach_call_change", args=[call.pk])
        assert call.kind == "manual"

    def test_says_why_not(self, desk: Client) -> None:
        person = a_person(a_campaign(), consent_basis="")
        desk.post(reverse("admin:outreach_facilitator_call_person", args=[person.pk]), YES)
        assert "Not called:" in messages_of(desk)
        assert not Call.objects.exists()

    def test_is_neither_shown_to_nor_done_for_who_may_not(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_facilitator", "outreach.change_facilitator"))
        person = a_person(a_campaign())
        page = client.get(reverse("admin:outreach_facilitator_change", args=[person.pk])).content.decode()
        url = reverse("admin:outreach_facilitator_call_person", args=[person.pk])
        assert url not in page
        assert client.post(url, YES).status_code == 403
        assert not Call.objects.exists()

    def test_calls_nobody_on_get(self, desk: Client) -> None:
        person = a_person(a_campaign())
        desk.get(reverse("admin:outreach_facilitator_call_person", args=[person.pk]))
        assert not Call.objects.exists()


class TestPeople:
    def test_are_held_and_released_one_by_one(self, desk: Client) -> None:
        person = a_person(a_campaign())
        url = reverse("admin:outreach_facilitator_hold_person", args=[person.pk])
        desk.post(url, {**YES, "reason": "asked to wait"})
        person.refresh_from_db()
        assert (person.standing, person.standing_reason, person.next_call_at) == (
            "held",
            "asked to wait (root)",
            None,
        )
        desk.post(reverse("admin:outreach_facilitator_release_person", args=[person.pk]), YES)
        person.refresh_from_db()
        assert person.standing == "waiting"
        assert person.next_call_at is not None

    @pytest.mark.parametrize(
        ("action", "given", "check"),
        [
            ("hold_people", {"reason": "later"}, lambda person: person.standing == "held"),
            ("set_priority", {"priority": 1}, lambda person: person.priority == 1),
            ("suppress_people", {"reason": "asked"}, lambda person: person.standing == "suppressed"),
        ],
    )
    def test_are_acted_on_together_once_it_is_confirmed(
        self, desk: Client, action: str, given: dict[str, object], check: Callable[[Facilitator], bool]
    ) -> None:
        campaign = a_campaign()
        people = [a_person(campaign) for _ in range(3)]
        url = reverse("admin:outreach_facilitator_changelist")
        chosen = {"action": action, "_selected_action": [person.pk for person in people[:2]]}
        page = desk.post(url, chosen)
        assert "2 people." in page.content.decode()
        assert not any(check(person) for person in Facilitator.objects.all())
        desk.post(url, {**chosen, **given, "confirmed": "yes"})
        assert [check(person) for person in Facilitator.objects.order_by("pk")] == [True, True, False]

    def test_in_a_call_get_a_wish_instead(self, desk: Client) -> None:
        person = a_person(a_campaign(), standing=Standing.IN_CALL.value, next_call_at=None)
        url = reverse("admin:outreach_facilitator_hold_person", args=[person.pk])
        desk.post(url, {**YES, "reason": "later"})
        person.refresh_from_db()
        assert (person.standing, person.wish) == ("in_call", "held")

    def test_are_suppressed_by_number_everywhere(self, desk: Client) -> None:
        person = a_person(a_campaign())
        twin = a_person(a_campaign(), number=person.number)
        url = reverse("admin:outreach_facilitator_suppress_person", args=[person.pk])
        desk.post(url, {**YES, "reason": "wrote to us"})
        twin.refresh_from_db()
        assert twin.standing == "suppressed"
        assert Suppression.objects.get().created_by == "root"

    def test_are_added_by_hand_in_any_spelling(self, desk: Client) -> None:
        campaign = a_campaign(default_country="GB")
        desk.post(
            reverse("admin:outreach_facilitator_add"),
            {"campaign": campaign.pk, "name": "Ann", "number": "(020) 7946 0123", "language": "en",
             "priority": 5, "extra": "{}"},
        )  # fmt: skip
        person = Facilitator.objects.get()
        assert (person.number, person.country, person.standing) == ("+442079460123", "GB", "new")


class TestTheBigSwitch:
    def test_stops_and_allows_all_dialing(self, desk: Client) -> None:
        a_campaign()
        stop = reverse("admin:outreach_dialingcontrol_stop_all", args=[1])
        desk.get(stop)
        assert not DialingControl.objects.get().stopped
        desk.post(stop, {**YES, "reason": "complaint"})
        control = DialingControl.objects.get()
        assert (control.stopped, control.stopped_by, control.stop_reason) == (True, "root", "complaint")
        page = desk.get(reverse("admin:index")).content.decode()
        assert "complaint" in page
        assert "dialing stopped" in page
        desk.post(reverse("admin:outreach_dialingcontrol_resume", args=[1]), YES)
        assert not DialingControl.objects.get().stopped

    def test_asks_for_a_reason(self, desk: Client) -> None:
        desk.post(reverse("admin:outreach_dialingcontrol_stop_all", args=[1]), YES)
        assert not DialingControl.objects.get(pk=1).stopped

    def test_refuses_who_may_not_use_it(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_dialingcontrol", "outreach.view_call"))
        url = reverse("admin:outreach_dialingcontrol_stop_all", args=[1])
        assert client.post(url, {**YES, "reason": "x"}).status_code == 403
        assert url not in client.get(reverse("admin:index")).content.decode()


class TestHangUp:
    @pytest.fixture
    def ended(self, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
        """The calls that were hung up."""
        calls: list[UUID] = []
        monkeypatch.setattr(dialing, "hang_up", lambda *, call_id, **_: calls.append(call_id))
        return calls

    def test_ends_a_call_once_it_is_confirmed(self, desk: Client, ended: list[UUID]) -> None:
        call = a_live_call(a_person(a_campaign()))
        url = reverse("admin:outreach_call_hang_up", args=[call.pk])
        desk.get(url)
        assert ended == []
        desk.post(url, YES)
        assert ended == [call.pk]

    def test_is_noted_as_the_operators(self, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        whose: list[dict[str, bool]] = []
        monkeypatch.setattr(
            dialing, "hang_up", lambda *, call_id, telephony, rooms, **said: whose.append(said)
        )
        call = a_live_call(a_person(a_campaign()))
        desk.post(reverse("admin:outreach_call_hang_up", args=[call.pk]), YES)
        assert whose == [{"by_operator": True}]

    def test_is_neither_shown_to_nor_done_for_who_may_not(self, client: Client, ended: list[UUID]) -> None:
        client.force_login(an_operator("outreach.view_call"))
        call = a_live_call(a_person(a_campaign()))
        url = reverse("admin:outreach_call_hang_up", args=[call.pk])
        assert url not in client.get(reverse("admin:outreach_call_change", args=[call.pk])).content.decode()
        assert client.post(url, YES).status_code == 403
        assert ended == []

    def test_is_not_offered_when_the_call_is_over(self, desk: Client) -> None:
        call = a_talk(a_person(a_campaign()))
        page = desk.get(reverse("admin:outreach_call_change", args=[call.pk])).content.decode()
        assert reverse("admin:outreach_call_hang_up", args=[call.pk]) not in page


class TestEveryPage:
    def test_shows_the_mode_and_the_rehearsals_time(self, desk: Client) -> None:
        page = desk.get(reverse("admin:outreach_callback_changelist")).content.decode()
        assert "REHEARSAL · Tue 3 Mar 15:05 UTC" in page


def _values(client: Client, url: str) -> dict[str, object]:
    form = client.get(url).context["adminform"].form
    return {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
