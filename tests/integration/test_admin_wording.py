"""The desk says what is meant: names for keys, sentences for codes, the person's clock, the next version."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from outreach.desk.call_events import meaning_of
from outreach.desk.reasons import REASONS, as_sentence
from outreach.domain.gate import RefusalCode
from outreach.models import Callback, CallEvent, ScriptVersion
from outreach.services import clock
from tests.factories import a_campaign, a_person
from tests.integration.desk_rows import a_talk

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def page(desk: Client, name: str, *args: object) -> str:
    """Return a page of the admin."""
    return desk.get(reverse(f"admin:outreach_{name}", args=args), follow=True).content.decode()


class TestTheHeadOfAPage:
    def test_of_a_call_names_the_person_and_not_the_key(self, desk: Client) -> None:
        call = a_talk(a_person(a_campaign(), name="Ada Berg"))
        shown = page(desk, "call_change", call.pk)
        assert "Ada Berg, " in shown
        assert f">{str(call.pk).capitalize()}" not in shown

    def test_of_a_person_is_their_name(self, desk: Client) -> None:
        person = a_person(a_campaign(), name="Ada Berg")
        assert f"Ada Berg ({person.pk})" not in page(desk, "facilitator_change", person.pk)


class TestAPerson:
    def test_shows_the_notes_of_their_calls(self, desk: Client) -> None:
        person = a_person(a_campaign())
        a_talk(person)
        assert "Prefers mornings" in page(desk, "facilitator_change", person.pk)

    def test_says_when_the_next_try_is_beside_why(self, desk: Client) -> None:
        later = clock.now() + timedelta(hours=20)
        a_person(
            a_campaign(), standing="retry_due", not_called_reason="Busy (attempt 1 of 4).", next_call_at=later
        )
        shown = page(desk, "facilitator_changelist")
        assert "Busy (attempt 1 of 4).<br>" in shown


class TestACallback:
    def test_that_a_person_should_have_made_is_late(self, desk: Client) -> None:
        Callback.objects.create(
            facilitator=a_person(a_campaign()),
            promised_at=clock.now() - timedelta(hours=1),
            time_zone="Europe/Madrid",
            by="human",
            created_at=clock.now(),
        )
        assert "Late, not called yet" in page(desk, "callback_changelist")


class TestReasons:
    def test_exist_for_every_refusal_of_the_gate(self) -> None:
        assert {code.value for code in RefusalCode} <= REASONS.keys()

    def test_begin_a_line_as_a_sentence_does(self) -> None:
        assert as_sentence("outside_window") == "It is outside their calling hours"
        assert as_sentence("some_new_code") == "Some new code"


class TestEvents:
    @pytest.mark.parametrize(
        ("source", "kind", "payload", "meaning"),
        [
            ("livekit", "participant_joined SIP", {}, "The person's line joined the room"),
            ("agent", "tool", {"name": "take_note"}, "Used “take note”"),
            ("twilio", "something_new", {}, "Something new"),
        ],
    )
    def test_are_told_in_plain_words(
        self, source: str, kind: str, payload: dict[str, str], meaning: str
    ) -> None:
        assert meaning_of(CallEvent(source=source, kind=kind, payload=payload)) == meaning


class TestAnUpload:
    def test_goes_to_the_only_campaign_unless_another_is_chosen(self, desk: Client) -> None:
        campaign = a_campaign()
        assert f'value="{campaign.pk}" selected' in page(desk, "facilitator_upload")
        a_campaign(name="Another")
        assert f'value="{campaign.pk}" selected' not in page(desk, "facilitator_upload")


class TestAScript:
    def test_that_a_call_has_used_is_read_and_never_changed(self, desk: Client) -> None:
        script = a_talk(a_person(a_campaign())).script
        shown = page(desk, "scriptversion_change", script.pk)
        assert "desk-script" in shown
        assert 'name="_save"' not in shown

    def test_is_succeeded_by_a_version_that_begins_with_its_words(self, desk: Client) -> None:
        script = a_talk(a_person(a_campaign())).script
        begun = desk.get(reverse("admin:outreach_scriptversion_write_next", args=[script.pk]), follow=True)
        assert script.body.splitlines()[0] in begun.context["adminform"].form.initial["body"]
        body = f"{script.body}\n"
        desk.post(reverse("admin:outreach_scriptversion_add"), {"name": script.name, "body": body})
        newest = ScriptVersion.objects.order_by("-version").first()
        assert newest is not None
        assert (newest.version, newest.created_by) == (script.version + 1, "root")
