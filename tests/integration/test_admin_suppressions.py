"""The list of numbers that are never called: taking numbers in, writing them out, taking one off."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from outreach.domain.number_list import ListedNumber
from outreach.domain.standing import Standing
from outreach.models import Access, Callback, Facilitator, Suppression
from outreach.services import attending, clock, suppression_lists
from tests.factories import a_campaign, a_person
from tests.integration.desk_rows import a_live_call, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.usefixtures("tuesday", "valkey"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

ADD = "/admin/outreach/suppression/add/"
EXPORT = "/admin/outreach/suppression/export/"
YES = {"_form_submitted": "on"}
PROOF = {"proof": "List of May", "default_country": ""}


@pytest.fixture
def desk(client: Client) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


def standing_of(person: Facilitator) -> str:
    """Return where a person stands now."""
    return Facilitator.objects.get(pk=person.pk).standing


class TestTakingNumbersIn:
    def test_closes_everybody_at_once_and_names_what_it_cannot_read(self, desk: Client) -> None:
        waiting, talking = a_person(a_campaign()), a_person(a_campaign())
        a_live_call(talking)
        promise = Callback.objects.create(
            facilitator=waiting, promised_at=clock.now(), time_zone="UTC", created_at=clock.now()
        )
        text = f"phone;reason\n{waiting.number};wrote to us\n{talking.number};\nsomething;\n{waiting.number};"
        file = SimpleUploadedFile("list.csv", text.encode("utf-16"))
        page = desk.post(ADD, {**PROOF, "file": file}).content.decode()
        assert "2 numbers added" in page
        assert "1 line repeated a number" in page
        assert "2 people are not called any more" in page
        assert "<td>4</td><td>something</td>" in page
        assert standing_of(waiting) == Standing.SUPPRESSED
        assert Facilitator.objects.get(pk=talking.pk).wish == Standing.SUPPRESSED
        promise.refresh_from_db()
        assert promise.state == "canceled"
        kept = dict(Suppression.objects.values_list("number", "reason"))
        assert kept == {waiting.number: "wrote to us (List of May)", talking.number: "List of May"}
        assert set(Suppression.objects.values_list("source", "created_by")) == {("import", "root")}

    def test_takes_a_single_number_as_an_operators_word(self, desk: Client) -> None:
        desk.post(ADD, {**PROOF, "pasted": "+1 (202) 555-0123"})
        assert Suppression.objects.get().source == "operator"
        page = desk.post(ADD, {**PROOF, "pasted": "+12025550123"}).content.decode()
        assert "1 was on the list already" in page

    def test_asks_for_the_proof(self, desk: Client) -> None:
        page = desk.post(ADD, {"pasted": "+12025550123", "proof": ""}).content.decode()
        assert "This field is required" in page
        assert not Suppression.objects.exists()

    def test_asks_as_many_questions_however_many_numbers_a_batch_has(self) -> None:
        campaign = a_campaign()

        def questions(n: int) -> int:
            people = [a_person(campaign) for _ in range(n)]
            listed = [ListedNumber(line=at, number=person.number) for at, person in enumerate(people)]
            with CaptureQueriesContext(connection) as captured:
                taken = suppression_lists.take_list(numbers=listed, proof="List", by="root")
            assert (taken.new, taken.people) == (n, n)
            return len(captured)

        assert questions(2) == questions(60)


class TestWritingThemOut:
    def test_runs_no_formula_and_is_written_down(self, desk: Client) -> None:
        desk.post(ADD, {"pasted": "+12025550123", "proof": "=HYPERLINK(1)", "default_country": ""})
        assert "Export 1 number?" in desk.get(EXPORT).content.decode()
        assert not Access.objects.exists()
        answer = desk.post(EXPORT)
        lines = answer.getvalue().decode("utf-8-sig").splitlines()
        assert lines[0] == "number,source,reason,added by,since,call"
        assert lines[1].startswith("'+12025550123,An operator,'=HYPERLINK(1),root,2026-03-03T15:05")
        access = Access.objects.get()
        assert (access.kind, access.what, access.n_rows) == ("export", "suppressions", 1)

    def test_is_for_those_who_may(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_suppression"))
        for url in (ADD, EXPORT):
            assert client.get(url).status_code == 403
            assert client.post(url, {**PROOF, "pasted": "+12025550123"}).status_code == 403


class TestTakingOneOff:
    def test_needs_a_reason_keeps_it_and_leaves_people_closed_until_released(self, desk: Client) -> None:
        person = a_person(a_campaign())
        desk.post(ADD, {**PROOF, "pasted": person.number})
        url = reverse("admin:outreach_suppression_take_off", args=[Suppression.objects.get().pk])
        desk.post(url, YES)
        assert Suppression.objects.exists()
        desk.post(url, {**YES, "reason": "Was another person's number"})
        assert not Suppression.objects.exists()
        assert standing_of(person) == Standing.NEEDS_REVIEW
        removed = Suppression.history.get(history_type="-")
        assert removed.history_change_reason == "Was another person's number"
        assert removed.history_user.username == "root"
        page = desk.get(reverse("admin:outreach_suppression_changelist")).content.decode()
        assert "Was another person&#x27;s number" in page
        attending.release(facilitator_ids=[person.pk], by="root")
        assert standing_of(person) == Standing.WAITING

    def test_is_for_those_who_may(self, client: Client) -> None:
        one = Suppression.objects.create(number="+12025550123", source="operator", created_at=clock.now())
        client.force_login(an_operator("outreach.view_suppression", "outreach.add_suppression"))
        url = reverse("admin:outreach_suppression_take_off", args=[one.pk])
        assert client.post(url, {**YES, "reason": "x"}).status_code == 403
        assert Suppression.objects.exists()
