"""The groups have the rights that docs/permissions.md says, and a supervisor cannot become a superuser."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from celery import Task
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from outreach.models import Access, AccessKind, Call, Callback, Note, Summary, Turn
from outreach.services.accesses import note_access, note_following, note_look, note_watching
from tests.factories import TUESDAY_MORNING, a_campaign, a_person, pass_time, set_clock
from tests.integration.desk_rows import a_full_desk, a_talk, an_operator
from tests.integration.every_page import actions_of_lists, addresses, everything_stored

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:No directory at"),
]

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| .+ \| `([a-z_.]+)` \| (yes)? ?\| (yes)? ?\| (yes)? ?\|$", re.MULTILINE)
GROUPS = ("Viewer", "Operator", "Supervisor")
SUPERVISION = ("auth.view_user", "auth.add_user", "auth.change_user")


def written_rights() -> dict[str, set[str]]:
    """Return the rights of each group as the page says them."""
    rows = ROW.findall((ROOT / "docs/permissions.md").read_text(encoding="utf-8"))
    return {name: {row[0] for row in rows if row[nth]} for nth, name in enumerate(GROUPS, start=1)}


def rights_of(group: Group) -> set[str]:
    return {
        f"{app}.{codename}"
        for app, codename in group.permissions.values_list("content_type__app_label", "codename")
    }


class TestTheGroups:
    def test_have_the_rights_of_the_page(self) -> None:
        importlib.import_module("outreach.migrations.0013_groups").create_groups(apps, None)
        assert {group.name: rights_of(group) for group in Group.objects.all()} == written_rights()

    def test_keep_what_a_superuser_edited_when_made_again(self) -> None:
        migration = importlib.import_module("outreach.migrations.0013_groups")
        migration.create_groups(apps, None)
        Group.objects.get(name="Viewer").permissions.clear()
        migration.create_groups(apps, None)
        assert Group.objects.filter(name__in=GROUPS).count() == 3
        assert rights_of(Group.objects.get(name="Viewer")) == set()


class TestASupervisor:
    def test_gives_a_group_but_not_superuser_rights(self, client: Client) -> None:
        client.force_login(an_operator(*SUPERVISION))
        group, _ = Group.objects.get_or_create(name="Operator")
        other = User.objects.create_user("otto", is_staff=True)
        form = {"username": "otto", "is_active": "on", "is_staff": "on", "groups": [group.pk]}
        page = reverse("admin:auth_user_change", args=[other.pk])
        assert client.post(page, form | {"is_superuser": "on"}).status_code == 302
        other.refresh_from_db()
        assert not other.is_superuser
        assert list(other.groups.all()) == [group]

    def test_cannot_touch_a_superuser(self, client: Client) -> None:
        root = User.objects.create_superuser("root", password="a-password-of-tests")
        client.force_login(an_operator(*SUPERVISION))
        assert (
            client.post(reverse("admin:auth_user_change", args=[root.pk]), {"username": "mine"}).status_code
            == 403
        )
        assert client.get(reverse("admin:auth_user_password_change", args=[root.pk])).status_code == 403


class TestAViewer:
    """Every address of the desk is asked for, also those that will be added."""

    #: What forms and dialogs ask for, so that nothing is refused for the want of it.
    FILLED_IN: ClassVar[dict[str, object]] = {
        "_form_submitted": "on", "confirmed": "yes", "post": "yes", "reason": "because", "person": "1",
        "number": "+12125550000", "name": "Eve", "source": "operator", "disposition": "interested",
        "outcome": "interested", "outcomes": ["no_answer"], "n_attempts": 2, "priority": 1, "days": 3,
        "at": "2026-03-05T12:00", "clock": "theirs", "by": "alex", "overrides": "on", "is_superuser": "on",
        "username": "eve", "password1": "a-password-of-tests", "password2": "a-password-of-tests",
    }  # fmt: skip

    #: All but lists without an action, and histories: what is posted there is only shown again.
    DOES_SOMETHING = re.compile(r"^(?!/admin/\w+/\w+/$).*(?<!/history/)$")

    @pytest.fixture
    def viewer(self, client: Client) -> Client:
        set_clock(TUESDAY_MORNING)
        a_full_desk(1)
        call = Call.objects.filter(turns__isnull=False)[0]
        Turn.objects.update(text="Zebrafinch said")
        Note.objects.update(text="Zebrafinch noted")
        Callback.objects.update(reason="Zebrafinch heard", agreed_in=call, facilitator=call.facilitator)
        field = {"name": "x", "value": "Zebrafinch found", "turn_seq": 2}
        Summary.objects.create(call=call, state="made", text="Zebrafinch summed up", fields=[field])
        user = User.objects.create_user("vera", is_staff=True)
        user.groups.add(Group.objects.get(name="Viewer"))
        client.force_login(user)
        return client

    def test_is_shown_no_word_that_was_said(self, viewer: Client) -> None:
        shown: dict[str, list[str]] = {"words": [], "pages": []}
        for address in addresses():
            answer = viewer.get(address)
            page = answer.getvalue()
            assert answer.status_code < 500, address
            if answer.status_code == 200:
                shown["words" if b"Zebrafinch" in page else "pages"].append(address)
        assert shown["words"] == []
        assert len(shown["pages"]) > 60

    def test_changes_and_takes_nothing(self, viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        hinted: list[str] = []
        monkeypatch.setattr(Task, "apply_async", lambda task, **_: hinted.append(task.name))
        before = everything_stored()
        for address in filter(self.DOES_SOMETHING.search, addresses()):
            viewer.post(address, self.FILLED_IN)
        for address, action, ids in actions_of_lists():
            viewer.post(address, {**self.FILLED_IN, "action": action, "_selected_action": ids})
        after = everything_stored()
        assert [table for table in after if after[table] != before[table]] == []
        assert hinted == []
        taken = Access.objects.filter(user__username="vera").exclude(what__startswith="statistics ")
        assert list(taken.values_list("kind", "what")) == []


class TestReading:
    def test_is_written_down_once_per_page_and_not_again_for_its_stream(self, client: Client) -> None:
        set_clock(TUESDAY_MORNING)
        reader = an_operator("outreach.view_call", "outreach.read_transcript", "outreach.view_turn")
        call = a_talk(a_person(a_campaign()))
        client.force_login(reader)
        note_look(user=reader, call_id=call.pk, n_turns=3)
        note_following(user=reader, call_id=call.pk, n_turns=3)
        client.get(reverse("admin:outreach_turn_changelist"), {"q": str(call.pk), "speaker": "alex"})
        assert list(Access.objects.order_by("pk").values_list("kind", "what", "n_rows")) == [
            ("transcript", f"call {call.pk}", 3),
            ("transcript", "turns speaker=alex", 1),
        ]

    def test_includes_the_last_words_on_the_dashboard_once_in_a_while(self, client: Client) -> None:
        set_clock(TUESDAY_MORNING)
        client.force_login(an_operator("outreach.view_call"))
        client.get(reverse("admin:index"))
        assert not Access.objects.exists()
        reader = an_operator("outreach.view_call", "outreach.read_transcript", username="rita")
        client.force_login(reader)
        for _ in range(2):
            client.get(reverse("admin:index"))
            note_watching(user=reader)  # as its stream does
        pass_time(timedelta(minutes=31))
        note_watching(user=reader)
        assert list(Access.objects.values_list("what", flat=True)) == ["last words of calls in the air"] * 2

    def test_includes_the_reasons_of_callbacks(self, client: Client) -> None:
        set_clock(TUESDAY_MORNING)
        client.force_login(an_operator("outreach.view_callback", "outreach.read_transcript"))
        for page in ("agenda", "changelist"):
            client.get(reverse(f"admin:outreach_callback_{page}"))
        assert list(Access.objects.values_list("what", flat=True)) == ["reasons of callbacks"] * 2

    def test_is_written_down_for_a_turn_or_note_by_itself(self, client: Client) -> None:
        set_clock(TUESDAY_MORNING)
        call = a_talk(a_person(a_campaign()))
        client.force_login(
            an_operator("outreach.view_turn", "outreach.view_note", "outreach.read_transcript")
        )
        turn, note = call.turns.all()[0], call.notes.get()
        client.get(reverse("admin:outreach_turn_change", args=[turn.pk]))
        client.get(reverse("admin:outreach_note_change", args=[note.pk]))
        looks = Access.objects.order_by("pk").values_list("what", flat=True)
        assert list(looks) == [f"turn {turn.pk}", f"note {note.pk}"]

    def test_includes_what_is_quoted_on_a_persons_page(self, client: Client) -> None:
        set_clock(TUESDAY_MORNING)
        person = a_person(a_campaign())
        page = reverse("admin:outreach_facilitator_change", args=[person.pk])
        client.force_login(an_operator("outreach.view_facilitator"))
        client.get(page)
        assert not Access.objects.exists()
        client.force_login(
            an_operator("outreach.view_facilitator", "outreach.read_transcript", username="otto")
        )
        client.get(page)
        assert Access.objects.get().what == f"words of facilitator {person.pk}"

    def test_is_written_down_anew_for_a_stream_that_is_opened_by_itself(self) -> None:
        set_clock(TUESDAY_MORNING)
        reader, call = an_operator(), a_talk(a_person(a_campaign()))
        note_look(user=reader, call_id=call.pk, n_turns=3)
        pass_time(timedelta(hours=1))
        note_following(user=reader, call_id=call.pk, n_turns=3)
        note_following(user=an_operator(username="otto"), call_id=call.pk, n_turns=3)
        assert Access.objects.count() == 3


class TestAnAccess:
    def test_is_written_down_with_ids_only_and_shown_to_supervisors(self, client: Client) -> None:
        reader = an_operator("outreach.view_access")
        note_access(user=reader, kind=AccessKind.EXPORT, what="people campaign=7", n_rows=212)
        row = Access.objects.get()
        assert (row.user, row.kind, row.what, row.n_rows) == (reader, "export", "people campaign=7", 212)
        client.force_login(reader)
        page = client.get(reverse("admin:outreach_access_changelist")).content.decode()
        assert "people campaign=7" in page
        assert client.post(reverse("admin:outreach_access_change", args=[row.pk]), {}).status_code == 403
