"""Uploading a list on the desk: what it asks, what it brings, and what it says about the rest."""

from __future__ import annotations

import csv
import html
import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from outreach import tasks
from outreach.admin.upload import UploadForm
from outreach.models import Access, Campaign, Facilitator, ImportBatch, Summary
from tests.factories import a_campaign
from tests.integration.desk_rows import a_talk, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("tuesday"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]


LIST = b"naam;tel;notes\nAnn Lee;+1 212 555 0101;=1+1\nBob Ray;12;\n"


@pytest.fixture
def desk(client: Client, tuesday: None) -> Client:
    """A client logged in as somebody who may do everything."""
    client.force_login(User.objects.create_superuser("root", password="a-password-of-tests"))
    return client


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, settings: Settings) -> None:
    settings.IMPORTS_DIR = tmp_path / "imports"


def upload(client: Client, content: bytes = LIST, **fields: object) -> ImportBatch:
    campaign = Campaign.objects.first() or a_campaign()
    file = io.BytesIO(content)
    file.name = "people.csv"
    given = {"campaign": campaign.pk, "file": file, "known": "skip", **fields}
    given = {name: value for name, value in given.items() if value is not None}
    answer = client.post(reverse("admin:outreach_facilitator_upload"), given)
    assert answer.status_code == 302, answer.context["form"].errors
    return ImportBatch.objects.get()


def page(client: Client, batch: ImportBatch) -> str:
    url = reverse("admin:outreach_importbatch_change", args=[batch.pk])
    return html.unescape(client.get(url).content.decode())


def step(client: Client, batch: ImportBatch, name: str, **given: object) -> Any:
    return client.post(reverse(f"admin:outreach_importbatch_{name}", args=[batch.pk]), given)


def chosen(batch: ImportBatch, **otherwise: object) -> dict[str, object]:
    """Return what the second page's form sends, but for what is chosen otherwise."""
    decided = {
        name: batch.options[name] for name in ("known", "default_country", "consent_basis", "consent_source")
    }
    columns = {f"column-{number}": field for number, field in enumerate(batch.options["fields"])}
    return {"campaign": batch.campaign_id, **decided, **columns, **otherwise}


def file_of(client: Client, batch: ImportBatch, name: str) -> list[list[str]]:
    answer = client.get(reverse(f"admin:outreach_importbatch_{name}", args=[batch.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def imported(client: Client, monkeypatch: pytest.MonkeyPatch, **decided: str) -> ImportBatch:
    """Upload a list, and run at once what the broker is given."""
    run = tasks.run_import
    monkeypatch.setattr(run, "apply_async", lambda *, kwargs, **_: run(**kwargs))
    batch = upload(client, LIST, **{"consent_basis": "express", "consent_source": "form", **decided})
    assert step(client, batch, "begin").status_code == 302
    batch.refresh_from_db()
    return batch


class TestPageOne:
    def test_wants_proof_of_consent(self, desk: Client) -> None:
        form = self.refused(desk, consent_basis="express")
        assert "consent_source" in form.errors

    @pytest.mark.parametrize(
        ("given", "wrong"), [({"file": ""}, "file"), ({"pasted": "Name,Phone\nAnn,1\n"}, "pasted")]
    )
    def test_wants_a_file_or_pasted_rows(self, desk: Client, given: dict[str, str], wrong: str) -> None:
        assert wrong in self.refused(desk, **given).errors

    def refused(self, desk: Client, **fields: object) -> UploadForm:
        file = io.BytesIO(LIST)
        file.name = "people.csv"
        given = {"campaign": a_campaign().pk, "file": file, "known": "skip", **fields}
        answer = desk.post(reverse("admin:outreach_facilitator_upload"), given)
        form: UploadForm = answer.context["form"]
        return form

    def test_has_no_ticked_consent(self, desk: Client) -> None:
        form = desk.get(reverse("admin:outreach_facilitator_upload")).context["form"]
        assert not form["consent_basis"].value()

    def test_takes_pasted_rows(self, desk: Client) -> None:
        batch = upload(desk, file=None, pasted="Name\tPhone\nAnn Lee\t+1 212 555 0101\n")
        assert (batch.file_name, batch.delimiter, batch.rows_in_file) == ("pasted rows", "\t", 1)

    def test_refuses_who_may_not_import(self, client: Client) -> None:
        client.force_login(an_operator("outreach.view_facilitator", "outreach.add_facilitator"))
        assert client.post(reverse("admin:outreach_facilitator_upload"), {}).status_code == 403

    @pytest.mark.parametrize("name", ["sample", "guide"])
    def test_offers_a_sample_and_a_guide(self, desk: Client, name: str) -> None:
        answer = desk.get(reverse(f"admin:outreach_importbatch_{name}"))
        assert answer["Content-Disposition"].startswith("attachment")
        assert len(answer.content.splitlines()) > 3


class TestPageTwo:
    def test_shows_what_the_list_holds_before_anybody_is_stored(self, desk: Client) -> None:
        shown = page(desk, batch := upload(desk))
        assert not Facilitator.objects.exists()
        assert "<td>Ann Lee</td>" in shown
        assert "check for missing or extra digits" in shown
        assert file_of(desk, batch, "rejected")[1][:2] == ["Bob Ray", "12"]

    def test_looks_again_with_other_columns(self, desk: Client) -> None:
        batch = upload(desk)
        step(desk, batch, "choices", **chosen(batch, **{"column-0": "name", "column-2": "ignored"}))
        batch.refresh_from_db()
        assert (batch.options["fields"], batch.rows_in_file) == (["name", "phone", "ignored"], 2)
        step(desk, batch, "choices", **chosen(batch, **{"column-0": "extra"}))
        assert "No column for name" in page(desk, batch)

    def test_takes_other_decisions_and_looks_again_before_it_imports(
        self, desk: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tasks.run_import, "apply_async", lambda **_: None)
        batch, other = upload(desk), a_campaign()
        assert "1 of the new people would be held" in page(desk, batch)
        decided = chosen(
            batch, campaign=other.pk, known="fill", consent_basis="express", consent_source="form, May"
        )
        step(desk, batch, "begin", **decided)
        batch.refresh_from_db()
        assert (batch.state, batch.campaign_id, batch.options["look"]["held"]) == ("uploaded", other.pk, 0)
        assert "looked at again with your choices" in page(desk, batch)
        step(desk, batch, "begin", **decided)
        batch.refresh_from_db()
        assert batch.state == "importing"

    def test_keeps_what_was_typed_where_a_decision_is_refused(self, desk: Client) -> None:
        batch = upload(desk)
        wrong = chosen(batch, consent_basis="express", default_country="UK")
        shown = desk.post(reverse("admin:outreach_importbatch_begin", args=[batch.pk]), wrong, follow=True)
        told = html.unescape(shown.content.decode())
        assert 'value="UK"' in told
        assert "a basis without proof is none" in told
        assert "Give a country's ISO code" in told
        batch.refresh_from_db()
        assert (batch.state, batch.options["consent_basis"]) == ("uploaded", "")

    def test_leaves_a_long_list_to_a_task_and_shows_how_far_it_is(
        self, desk: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[int] = []
        later = lambda *, kwargs, **_: asked.append(kwargs["batch_id"])  # noqa: E731
        monkeypatch.setattr(tasks.check_import, "apply_async", later)
        monkeypatch.setattr("outreach.admin.upload.LOOKED_AT_ONCE", 10)
        batch = upload(desk)
        assert asked == [batch.pk]
        assert "Looking at every row" in page(desk, batch)
        tasks.check_import(batch_id=batch.pk)
        answer = desk.get(reverse("admin:outreach_importbatch_progress", args=[batch.pk]))
        assert answer["HX-Refresh"] == "true"

    def test_lets_a_list_go(self, desk: Client, tmp_path: Path) -> None:
        batch = upload(desk)
        step(desk, batch, "discard")
        assert "Discarded by root" in page(desk, batch)
        assert list((tmp_path / "imports").iterdir()) == []

    def test_refuses_a_file_that_is_no_list(self, desk: Client) -> None:
        batch = upload(desk, b"%PDF-1.7")
        assert batch.state == "refused"
        assert batch.problem in page(desk, batch)

    def test_is_not_for_those_who_may_only_look(self, client: Client, desk: Client) -> None:
        batch = upload(desk)
        client.force_login(an_operator("outreach.view_importbatch"))
        assert "Import them" not in page(client, batch)
        steps = [step(client, batch, name).status_code for name in ("begin", "discard", "choices")]
        assert steps == [403, 403, 403]
        assert client.get(reverse("admin:outreach_importbatch_rejected", args=[batch.pk])).status_code == 403


class TestPageThree:
    def test_imports_by_a_task_and_keeps_the_report(
        self, desk: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = imported(desk, monkeypatch)
        assert (batch.state, batch.rows_created, batch.rows_rejected) == ("imported", 1, 1)
        person = Facilitator.objects.get()
        assert (person.name, person.consent_basis, person.consent_source) == ("Ann Lee", "express", "form")
        assert "can still be undone" in page(desk, batch)

    def test_says_first_whom_nobody_calls(self, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        shown = page(desk, imported(desk, monkeypatch, consent_basis="", consent_source=""))
        assert "1 of the new people are held" in shown
        assert "&standing__exact=held" in shown

    def test_shows_how_far_it_is_after_a_reload(self, desk: Client) -> None:
        batch = upload(desk)
        ImportBatch.objects.update(state="importing", rows_done=1)
        assert 'value="50"' in page(desk, batch)

    def test_undoes_what_nobody_was_called_for(self, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        batch = imported(desk, monkeypatch)
        desk.post(
            reverse("admin:outreach_importbatch_undo_import", args=[batch.pk]), {"_form_submitted": "on"}
        )
        assert "root undid this import" in page(desk, batch)
        assert not Facilitator.objects.exists()

    def test_gives_the_list_back_with_results_and_writes_that_down(
        self, desk: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = imported(desk, monkeypatch)
        Campaign.objects.update(asks_for=[{"name": "slots", "question": "When?"}])
        call = a_talk(Facilitator.objects.get())
        Summary.objects.create(
            call=call, state="made", text="=Agreed.", fields=[{"name": "slots", "value": "Monday"}]
        )
        header, ann, bob = file_of(desk, batch, "results")
        assert header[:3] == ["naam", "tel", "notes"]
        row = dict(zip(header[3:], ann[3:], strict=True))
        assert ann[:3] == ["Ann Lee", "'+1 212 555 0101", "'=1+1"]
        assert (row["disposition"], row["attempts"], row["last status"]) == ("interested", "0", "completed")
        assert (row["summary"], row["notes"], row["slots"]) == ("'=Agreed.", "Prefers mornings", "Monday")
        assert bob[3] == "not imported"
        access = Access.objects.get(kind="export")
        assert (access.what, access.n_rows) == (f"import {batch.pk} with results and notes", 2)

    def test_gives_no_results_to_those_who_may_not_export(
        self, desk: Client, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = imported(desk, monkeypatch)
        may = ("outreach.view_importbatch", "outreach.export_people")
        client.force_login(an_operator(*may, username="without-transcripts"))
        assert "summary" not in file_of(client, batch, "results")[0]
        client.force_login(an_operator("outreach.view_importbatch", "outreach.import_facilitators"))
        assert client.get(reverse("admin:outreach_importbatch_results", args=[batch.pk])).status_code == 403

    def test_makes_no_more_queries_with_more_rows(self, desk: Client) -> None:
        counts = []
        for n_rows in (2, 2, 300):
            ImportBatch.objects.all().delete()
            rows = b"".join(b"P%d;12\n" % n for n in range(n_rows))
            batch = upload(desk, b"name;phone\n" + rows)
            with CaptureQueriesContext(connection) as queries:
                page(desk, batch)
            counts.append(len(queries))
        assert counts[1] == counts[2]
