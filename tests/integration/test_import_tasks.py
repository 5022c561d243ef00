"""An uploaded list on its way: kept, looked at, imported by a task, begun anew, undone."""

from __future__ import annotations

import io
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from outreach import tasks
from outreach.models import Campaign, Facilitator, ImportBatch, ImportRow, ImportState, SourceRow, Suppression
from outreach.services import clock, import_chunks
from outreach.services.import_checking import check_import, choose, first_rows, receive_upload
from outreach.services.import_options import ImportOptions, KnownPeople
from outreach.services.import_staging import Stage
from outreach.services.import_tending import tend
from outreach.services.import_undoing import CannotUndo, undo_import
from outreach.services.importing import (
    MAX_STARTS,
    NotReady,
    begin_import,
    refuse_interrupted,
    run_import,
)
from tests.factories import a_campaign, a_person, claim, pass_time

pytestmark = pytest.mark.integration

CONSENTED = ImportOptions(consent_basis="express", consent_source="web form")
LIST = (
    "kto,zvonit,Email,tier\nAna Ruiz,212 555 0100,ana@example.org,gold\nBo Li,+442079460123,,gold\n"
    "Cy Dam,12,,\nAna Ruiz,+1 212 555 0100,,\n"
)


@pytest.fixture
def directory(tmp_path: Path, settings: Settings) -> Path:
    settings.IMPORTS_DIR = tmp_path / "imports"
    return tmp_path / "imports"


@pytest.fixture
def campaign(tuesday: None, directory: Path) -> Campaign:
    return a_campaign()


def upload(campaign: Campaign, content: str = LIST, options: ImportOptions = CONSENTED) -> ImportBatch:
    batch = receive_upload(
        campaign_id=campaign.pk, source=io.BytesIO(content.encode()), file_name="people.csv",
        uploaded_by_id=None, options=options,
    )  # fmt: skip
    check_import(batch_id=batch.pk)
    batch.refresh_from_db()
    return batch


def imported(campaign: Campaign, content: str = LIST, options: ImportOptions = CONSENTED) -> ImportBatch:
    batch = upload(campaign, content, options)
    begin_import(batch_id=batch.pk)
    run_import(batch_id=batch.pk)
    batch.refresh_from_db()
    assert batch.state == ImportState.IMPORTED, batch.problem
    return batch


def choose_columns(batch: ImportBatch, *fields: str) -> None:
    choose(batch_id=batch.pk, fields=fields, options=CONSENTED, campaign_id=batch.campaign_id)


class TestAnUpload:
    def test_is_kept_for_nobody_elses_eyes(self, campaign: Campaign, directory: Path) -> None:
        batch = upload(campaign)
        (kept,) = directory.iterdir()
        assert kept.name == batch.path
        assert [stat.S_IMODE(path.stat().st_mode) for path in (directory, kept)] == [0o700, 0o600]
        assert kept.read_text() == LIST

    def test_that_is_no_list_is_refused_and_not_kept(self, campaign: Campaign, directory: Path) -> None:
        batch = receive_upload(
            campaign_id=campaign.pk, source=io.BytesIO(b"%PDF-1.7"), file_name="x", uploaded_by_id=None,
            options=CONSENTED,
        )  # fmt: skip
        assert (batch.state, "PDF" in batch.problem, directory.exists()) == (ImportState.REFUSED, True, False)


class TestALook:
    def test_counts_what_an_import_would_do_and_stores_nobody(self, campaign: Campaign) -> None:
        a_person(campaign, number="+442079460123")
        Suppression.objects.create(number="+12125550100", source="operator", created_at=clock.now())
        said_no = claim(a_person(a_campaign(), number="+13125550100"))
        type(said_no).objects.filter(pk=said_no.pk).update(
            disposition="not_interested", status="completed", ended_at=clock.now(), settled_at=clock.now()
        )
        n_people = Facilitator.objects.count()
        batch = upload(campaign, LIST + "Di Li,+13125550100,,\n")
        assert batch.options["look"] == {
            "new": 2, "known": 1, "duplicate": 1, "invalid": 1, "suppressed": 1, "said_no": 1, "held": 0,
            "no_consent": 0, "warned": 0,
        }  # fmt: skip
        assert (batch.rows_in_file, batch.state) == (5, ImportState.UPLOADED)
        assert Facilitator.objects.count() == n_people
        codes = set(batch.rows.values_list("line", "code"))
        assert codes == {(4, "impossible"), (5, "duplicate"), (2, "never_call"), (6, "said_no")}

    def test_counts_as_held_only_people_who_are_not_there_yet(self, campaign: Campaign) -> None:
        a_person(campaign, number="+12125550100")
        look = upload(campaign, LIST, ImportOptions()).options["look"]
        assert (look["known"], look["new"], look["held"], look["no_consent"]) == (1, 1, 1, 1)

    def test_shows_the_first_rows_as_they_will_be_stored(self, campaign: Campaign) -> None:
        ana, bo, cy, twin = first_rows(upload(campaign))
        assert ana.person is not None
        assert (ana.person.name, ana.person.number, ana.person.extra) == (
            "Ana Ruiz", "+12125550100", {"tier": "gold"},
        )  # fmt: skip
        assert bo.problems == []
        assert [row.problems[0].code for row in (cy, twin)] == ["impossible", "duplicate"]

    def test_follows_the_columns_that_the_operator_chooses(self, campaign: Campaign) -> None:
        batch = upload(campaign)
        assert batch.options["fields"] == ["name", "phone", "email", "extra"]
        choose_columns(batch, "name", "ignored", "email", "phone")
        check_import(batch_id=batch.pk)
        batch.refresh_from_db()
        assert batch.options["look"]["invalid"] == 4
        choose_columns(batch, "name", "extra", "email", "ignored")
        check_import(batch_id=batch.pk)
        with pytest.raises(NotReady, match="No column for phone"):
            begin_import(batch_id=batch.pk)


class TestAnImport:
    def test_stores_what_the_look_promised_with_every_row_of_the_file(self, campaign: Campaign) -> None:
        batch = imported(campaign)
        assert (batch.rows_read, batch.rows_created, batch.rows_rejected) == (4, 2, 2)
        assert (batch.rows_in_file, batch.rows_done) == (4, 4)
        assert list(batch.rows.values_list("line", "code")) == [(4, "impossible"), (5, "duplicate")]
        rows = list(SourceRow.objects.order_by("line").values_list("line", "number", "cells"))
        assert rows[0] == (2, "+12125550100", ["Ana Ruiz", "212 555 0100", "ana@example.org", "gold"])
        assert [number for _, number, _ in rows] == ["+12125550100", "+442079460123", "", ""]

    def test_is_made_once_however_often_it_is_asked_for(self, campaign: Campaign) -> None:
        batch = imported(campaign)
        run_import(batch_id=batch.pk)
        check_import(batch_id=batch.pk)
        with pytest.raises(NotReady):
            begin_import(batch_id=batch.pk)
        assert (Facilitator.objects.count(), SourceRow.objects.count()) == (2, 4)

    def test_reads_a_list_without_a_header(self, campaign: Campaign) -> None:
        batch = imported(campaign, "Ana Ruiz;212 555 0100\nBo Li;+442079460123\n")
        assert (batch.columns, batch.rows_created) == (["column 1", "column 2"], 2)

    def test_that_died_is_begun_anew_by_the_tick(
        self, real_commits: None, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batch = upload(a_campaign())
        begin_import(batch_id=batch.pk)
        store = Stage.store
        monkeypatch.setattr(import_chunks, "ROWS_AT_ONCE", 2)

        def dying(stage: Stage, chunk: import_chunks.Chunk) -> None:
            store(stage, chunk)
            if chunk.sources[0][0] > 2:
                raise OSError("killed")

        monkeypatch.setattr(Stage, "store", dying)
        with pytest.raises(OSError, match="killed"):
            run_import(batch_id=batch.pk)
        batch.refresh_from_db()
        assert (batch.state, batch.rows_done, Facilitator.objects.count()) == (ImportState.IMPORTING, 2, 0)
        monkeypatch.setattr(Stage, "store", store)
        assert (tend().imports, refuse_interrupted()) == ([], 0)
        pass_time(timedelta(minutes=1))
        asked: list[int] = []
        monkeypatch.setattr(tasks.run_import, "delay", lambda *, batch_id: asked.append(batch_id))
        tasks.tend_imports()
        assert asked == [batch.pk]
        tasks.run_import(batch_id=batch.pk)
        batch.refresh_from_db()
        assert (batch.state, batch.rows_created, SourceRow.objects.count()) == (ImportState.IMPORTED, 2, 4)

    def test_that_dies_again_and_again_is_given_up(self, campaign: Campaign) -> None:
        batch = upload(campaign)
        begin_import(batch_id=batch.pk)
        batch.refresh_from_db()
        ImportBatch.objects.update(options=batch.options | {"starts": MAX_STARTS})
        run_import(batch_id=batch.pk)
        batch.refresh_from_db()
        assert (batch.state, "smaller" in batch.problem) == (ImportState.REFUSED, True)

    def test_whose_file_is_gone_is_refused(self, campaign: Campaign, directory: Path) -> None:
        batch = upload(campaign)
        begin_import(batch_id=batch.pk)
        (directory / batch.path).unlink()
        run_import(batch_id=batch.pk)
        batch.refresh_from_db()
        assert (batch.state, "upload it again" in batch.problem) == (ImportState.REFUSED, True)


class TestKeeping:
    def test_ends_after_a_week(self, campaign: Campaign, directory: Path) -> None:
        waiting, done = upload(campaign), imported(campaign)
        pass_time(timedelta(days=8))
        tend()
        waiting.refresh_from_db()
        done.refresh_from_db()
        assert (waiting.state, done.path) == (ImportState.REFUSED, "")
        pass_time(timedelta(days=8))
        tend()
        assert list(directory.iterdir()) == []
        assert SourceRow.objects.exists()
        pass_time(timedelta(days=180))
        tend()  # one list of each kind a tick
        tend()
        assert not SourceRow.objects.exists()
        assert not ImportRow.objects.exists()


class TestUndoing:
    def test_removes_whom_the_list_brought(self, campaign: Campaign) -> None:
        kept = a_person(campaign)
        batch = imported(campaign)
        assert undo_import(batch_id=batch.pk, by="ops") == 2
        batch.refresh_from_db()
        assert (batch.state, batch.undone_by, batch.undone_at is None) == ("undone", "ops", False)
        assert list(Facilitator.objects.all()) == [kept]
        with pytest.raises(CannotUndo):
            undo_import(batch_id=batch.pk, by="ops")

    def test_gives_known_people_back_what_it_changed(self, campaign: Campaign) -> None:
        known = a_person(
            campaign, number="+12125550100", name="Ana", consent_basis="", standing="held",
            standing_reason="No consent.", not_called_code="no_consent", not_called_reason="No consent.",
            next_call_at=None, extra={"tier": "silver"},
        )  # fmt: skip
        before = Facilitator.objects.filter(pk=known.pk).values().get()
        options = ImportOptions(known=KnownPeople.UPDATE, consent_basis="express", consent_source="form")
        batch = imported(campaign, options=options)
        known.refresh_from_db()
        assert (known.name, known.standing, batch.rows_updated) == ("Ana Ruiz", "waiting", 1)
        Facilitator.objects.filter(pk=known.pk).update(email="edited@example.org")
        undo_import(batch_id=batch.pk, by="ops")
        after = Facilitator.objects.filter(pk=known.pk).values().get()
        changed = {
            name for (name, was), now in zip(before.items(), after.values(), strict=True) if was != now
        }
        assert changed == {"updated_at", "email", "searched"}
        assert Facilitator.objects.count() == 1

    def test_is_too_late_once_somebody_was_called(self, campaign: Campaign) -> None:
        batch = imported(campaign)
        claim(Facilitator.objects.get(number="+12125550100"))
        with pytest.raises(CannotUndo, match="was called"):
            undo_import(batch_id=batch.pk, by="ops")
        assert Facilitator.objects.count() == 2

    def test_goes_from_the_last_list_backwards(self, campaign: Campaign) -> None:
        first, second = imported(campaign), imported(campaign)
        with pytest.raises(CannotUndo, match=f"import {second.pk}"):
            undo_import(batch_id=first.pk, by="ops")
        undo_import(batch_id=second.pk, by="ops")
        assert undo_import(batch_id=first.pk, by="ops") == 2
