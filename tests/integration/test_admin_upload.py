"""Uploading a list on the desk: what it asks, what it brings, and what it says about the rest."""

from __future__ import annotations

import html
import io

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from outreach.models import Campaign, Facilitator, ImportBatch
from tests.factories import a_campaign
from tests.integration.desk_rows import an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("real_commits"),  # an import is one durable transaction
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]


@pytest.fixture
def desk(client: Client, real_commits: None) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


class TestUpload:
    def upload(self, client: Client, content: bytes, **fields: object) -> ImportBatch:
        campaign = Campaign.objects.first() or a_campaign()
        file = io.BytesIO(content)
        file.name = "people.csv"
        given = {"campaign": campaign.pk, "file": file, "known": "skip", **fields}
        answer = client.post(reverse("admin:outreach_facilitator_upload"), given)
        assert answer.status_code == 302, answer.context["form"].errors
        return ImportBatch.objects.get()

    def test_brings_people_and_names_what_is_wrong(self, desk: Client) -> None:
        batch = self.upload(
            desk, b"name;phone\nAnn;+1 212 555 0101\nBob;12\n", consent_basis="express", consent_source="form"
        )
        assert (batch.rows_created, batch.rows_rejected) == (1, 1)
        person = Facilitator.objects.get()
        assert (person.name, person.consent_basis, person.consent_source) == ("Ann", "express", "form")
        page = desk.get(reverse("admin:outreach_importbatch_change", args=[batch.pk])).content.decode()
        assert "<td>3</td>" in page
        rejected = desk.get(reverse("admin:outreach_importbatch_rejected", args=[batch.pk])).content.decode(
            "utf-8-sig"
        )
        assert "Bob;12;" in rejected
        assert "Ann" not in rejected

    def test_refuses_a_file_that_is_no_list(self, desk: Client) -> None:
        batch = self.upload(desk, b"colour;size\nred;5\n")
        assert batch.state == "refused"
        page = desk.get(reverse("admin:outreach_importbatch_change", args=[batch.pk])).content.decode()
        assert batch.problem in html.unescape(page)

    def test_wants_proof_of_consent(self, desk: Client) -> None:
        file = io.BytesIO(b"name,phone\nAnn,+12125550101\n")
        file.name = "people.csv"
        given = {"campaign": a_campaign().pk, "file": file, "known": "skip", "consent_basis": "express"}
        answer = desk.post(reverse("admin:outreach_facilitator_upload"), given)
        assert "consent_source" in answer.context["form"].errors

    def test_has_no_ticked_consent(self, desk: Client) -> None:
        form = desk.get(reverse("admin:outreach_facilitator_upload")).context["form"]
        assert not form["consent_basis"].value()

    def test_refuses_who_may_not_import(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_facilitator", "outreach.add_facilitator"))
        assert client.post(reverse("admin:outreach_facilitator_upload"), {}).status_code == 403
