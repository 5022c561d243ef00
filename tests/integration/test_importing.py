"""A file into a campaign: people, refusals and counts, all at once or not at all."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, BinaryIO, cast

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection

from outreach.desk.timeline import Reader, timeline_of
from outreach.domain.csv_cells import CONSENT_BASES
from outreach.models import (
    Campaign,
    ConsentBasis,
    Facilitator,
    ImportBatch,
    ImportState,
    Suppression,
    SuppressionSource,
    ZoneSource,
)
from outreach.services import clock, import_chunks
from outreach.services.import_chunks import Chunk
from outreach.services.import_rejects import write_rejected
from outreach.services.import_staging import Stage
from outreach.services.import_undoing import undo_import
from outreach.services.importing import ImportOptions, KnownPeople, import_file, refuse_interrupted
from outreach.services.reconciling import sweep
from tests.factories import a_campaign, a_person
from tests.fakes import FakeRooms, FakeTelephony

pytestmark = pytest.mark.integration

CONSENTED = ImportOptions(consent_basis="express", consent_source="web form")
LIST = "Name,Phone,Email,Years\nAna,212 555 0100,ana@example.org,3\nBo,+442079460123,,4\n"


@pytest.fixture
def campaign(tuesday: None) -> Campaign:
    return a_campaign(name="Spring onboarding")


def bring_in(campaign: Campaign, content: str | bytes, options: ImportOptions = CONSENTED) -> ImportBatch:
    source = io.BytesIO(content.encode() if isinstance(content, str) else content)
    return import_file(
        campaign_id=campaign.pk, source=source, file_name="people.csv", imported_by_id=None, options=options
    )


def happened_to(person: Facilitator) -> list[str]:
    """Return what the person's page says of what happened."""
    return [one.what for one in timeline_of(person, None, Reader(words=False, callers=False)).entries]


def counts(batch: ImportBatch) -> dict[str, int]:
    batch.refresh_from_db()
    names = ("read", "created", "updated", "unchanged", "rejected")
    return {name: count for name in names if (count := getattr(batch, f"rows_{name}"))}


def codes(batch: ImportBatch, *, rejected: bool) -> list[tuple[int, str]]:
    return list(batch.rows.filter(rejected=rejected).order_by("line", "pk").values_list("line", "code"))


class TestImportFile:
    def test_makes_people_due_at_once(self, campaign: Campaign) -> None:
        batch = bring_in(campaign, LIST)
        assert batch.state == ImportState.IMPORTED
        assert counts(batch) == {"read": 2, "created": 2}
        ana = Facilitator.objects.get(number="+12125550100")
        assert (ana.name, ana.email, ana.extra) == ("Ana", "ana@example.org", {"years": "3"})
        assert (ana.standing, ana.import_batch_id, ana.priority, ana.language) == ("new", batch.pk, 5, "en")
        assert (ana.time_zone, ana.zone_source) == ("America/New_York", ZoneSource.NUMBER)
        assert (ana.consent_basis, ana.consent_source) == ("express", "web form")
        assert ana.next_call_at is not None
        assert ana.next_call_at <= clock.now()

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
    @pytest.mark.parametrize("separator", [";", "\t"])
    def test_reads_what_spreadsheets_export(self, campaign: Campaign, encoding: str, separator: str) -> None:
        content = "Vorname;Name;Handy\r\nJörg;Müßig;+4915112345678\r\n".replace(";", separator).encode(
            encoding
        )
        batch = bring_in(campaign, content)
        assert (counts(batch), batch.delimiter) == ({"read": 1, "created": 1}, separator)
        assert Facilitator.objects.get().name == "Jörg Müßig"
        assert codes(batch, rejected=False) == ([(1, "encoding")] if encoding == "latin-1" else [])

    def test_keeps_the_good_rows_and_names_the_bad_ones(self, campaign: Campaign) -> None:
        content = (
            "Name,Phone,tz,Notes\n"
            "Ana,212 555 0100,,\n"
            "Bo,12,,\n"
            "Cy,+1 212 555 0101,Moon/Base,\n"
            "Di,2125550102 / 2125550103,,\n"
            "Ed,2125550104 x9,,\n"
            "Flo,1.2125E+10,,\n"
            "Gus,(212) 555-0100,,\n"
            ",2125550105,,\n"
            "Hal,2125550106,,a,b\n"
            "Ida,2125550107,,nul \0\n" + "x" * 300_000 + "\nJo,2125550108,,ok\n"
        )
        batch = bring_in(campaign, content)
        assert counts(batch) == {"read": 12, "created": 3, "rejected": 9}
        assert codes(batch, rejected=True) == [
            (3, "impossible"), (5, "two_numbers"), (6, "extension"), (7, "scientific"), (8, "duplicate"),
            (9, "name_missing"), (10, "too_many_cells"), (11, "nul"), (12, "line_too_long"),
        ]  # fmt: skip
        assert codes(batch, rejected=False) == [(4, "time_zone_unknown")]
        duplicate = batch.rows.get(code="duplicate")
        assert "line 2" in duplicate.problem
        assert duplicate.cells == {"Name": "Gus", "Phone": "(212) 555-0100", "tz": "", "Notes": ""}

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("", "empty"),
            ("Name,Phone\n", "no rows"),
            ("Name,Fon\nAna,1\n", "No column for phone"),
            ("Name,Phone,Phone\nAna,1,2\n", "twice"),
            (b"PK\x03\x04", "workbook"),
        ],
    )
    def test_refuses_a_file_that_cannot_be_read_as_a_whole(
        self, campaign: Campaign, content: str | bytes, said: str
    ) -> None:
        batch = bring_in(campaign, content)
        batch.refresh_from_db()
        assert batch.state == ImportState.REFUSED
        assert said in batch.problem
        assert batch.finished_at is not None
        assert not Facilitator.objects.exists()

    def test_holds_people_without_consent_or_country_and_says_why(self, campaign: Campaign) -> None:
        batch = bring_in(campaign, "Name,Phone\nAna,212 555 0100\nBo,+80012345678\n", ImportOptions())
        people = Facilitator.objects.order_by("pk").values_list("standing", "next_call_at")
        assert list(people) == [("held", None), ("held", None)]
        ana, bo = Facilitator.objects.order_by("pk")
        assert "consent" in ana.standing_reason
        assert "country" in bo.standing_reason
        assert codes(batch, rejected=False) == [(1, "held")]

    def test_never_makes_a_suppressed_number_callable(self, campaign: Campaign) -> None:
        Suppression.objects.create(
            number="+12125550100", source=SuppressionSource.OPERATOR, created_at=clock.now()
        )
        batch = bring_in(campaign, LIST)
        ana = Facilitator.objects.get(number="+12125550100")
        assert (ana.standing, ana.next_call_at) == ("suppressed", None)
        assert ana.standing_reason
        assert codes(batch, rejected=False) == [(1, "suppressed")]

    def test_changes_nothing_the_second_time_and_says_so(self, campaign: Campaign) -> None:
        bring_in(campaign, LIST)
        before = list(Facilitator.objects.order_by("pk").values())
        for known in KnownPeople:
            again = bring_in(campaign, LIST, ImportOptions(known=known, consent_basis="express"))
            assert counts(again) == {"read": 2, "unchanged": 2}
            assert "nothing was changed" in again.rows.get(code="same_file").problem
        assert list(Facilitator.objects.order_by("pk").values()) == before

    def test_takes_the_admins_upload(self, campaign: Campaign) -> None:
        upload = SimpleUploadedFile("people.csv", LIST.encode())
        batch = import_file(
            campaign_id=campaign.pk,
            source=cast("BinaryIO", upload),
            file_name="x.csv",
            imported_by_id=None,
            options=CONSENTED,
        )
        assert counts(batch) == {"read": 2, "created": 2}

    def test_logs_no_number_and_no_name(self, campaign: Campaign, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level("DEBUG"):
            bring_in(campaign, LIST + "Zed,12\n")
        logged = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
        assert "import finished" in logged
        assert not any(word in logged for word in ("Ana", "2125550100", "555 0100", "Zed", "people.csv"))


class TestKnownPeople:
    FILE = (
        "Name,Phone,Email,Priority,tz,Consent,Consent source,Years\n"
        "Ana Maria,2125550100,new@example.org,1,America/Chicago,express_written,paper,9\n"
    )

    def known(self, campaign: Campaign, **fields: object) -> Facilitator:
        return a_person(campaign, number="+12125550100", name="Ana", extra={"years": "3"}, **fields)

    def test_are_left_alone_unless_asked_for(self, campaign: Campaign) -> None:
        person = self.known(campaign, email="")
        assert counts(bring_in(campaign, self.FILE)) == {"read": 1, "unchanged": 1}
        assert Facilitator.objects.get(pk=person.pk).email == ""

    def test_get_only_their_empty_fields_filled(self, campaign: Campaign) -> None:
        person = self.known(campaign, email="", consent_basis="express", priority=7)
        batch = bring_in(campaign, self.FILE, ImportOptions(known=KnownPeople.FILL))
        assert counts(batch) == {"read": 1, "updated": 1}
        person.refresh_from_db()
        assert (person.name, person.email, person.priority) == ("Ana", "new@example.org", 7)
        assert (person.consent_basis, person.time_zone, person.extra) == (
            "express",
            "America/New_York",
            {"years": "3"},
        )

    def test_get_what_the_list_says_on_update(self, campaign: Campaign) -> None:
        person = self.known(
            campaign, email="old@example.org", organisation="Acme", zone_source=ZoneSource.GIVEN
        )
        bring_in(campaign, self.FILE, ImportOptions(known=KnownPeople.UPDATE))
        person.refresh_from_db()
        assert (person.name, person.email, person.priority) == ("Ana Maria", "new@example.org", 1)
        assert (person.organisation, person.time_zone, person.extra) == (
            "Acme",
            "America/Chicago",
            {"years": "9"},
        )
        assert (person.consent_basis, person.consent_source) == ("express_written", "paper")

    def test_have_it_on_their_page_that_an_upload_changed_them(self, campaign: Campaign) -> None:
        person, other = self.known(campaign), a_person(campaign)
        batch = bring_in(campaign, self.FILE, ImportOptions(known=KnownPeople.UPDATE))
        (said,) = (one for one in happened_to(person) if one.startswith("Updated by an upload"))
        assert "name" in said
        assert "email" in said
        undo_import(batch_id=batch.pk, by="olga")
        assert "That upload was taken back" in happened_to(person)
        assert happened_to(other) == ["Added"]

    @pytest.mark.parametrize("known", list(KnownPeople))
    @pytest.mark.parametrize(
        "standing", ["in_call", "interested", "not_interested", "exhausted", "retry_due"]
    )
    def test_keep_their_standing(self, campaign: Campaign, known: KnownPeople, standing: str) -> None:
        due = clock.now() if standing == "retry_due" else None
        person = self.known(campaign, standing=standing, next_call_at=due, attempts_made=2)
        bring_in(campaign, self.FILE, ImportOptions(known=known))
        person.refresh_from_db()
        assert (person.standing, person.next_call_at, person.attempts_made) == (standing, due, 2)

    def test_keep_a_given_zone_when_the_list_only_repeats_the_country(self, campaign: Campaign) -> None:
        person = self.known(campaign, time_zone="America/Denver", zone_source=ZoneSource.GIVEN)
        bring_in(campaign, "Name,Phone,Country\nAna,2125550100,US\n", ImportOptions(known=KnownPeople.UPDATE))
        person.refresh_from_db()
        assert person.time_zone == "America/Denver"

    def test_keep_their_own_consent_against_the_operators_default(self, campaign: Campaign) -> None:
        person = self.known(campaign, consent_basis="express_written", consent_source="paper")
        bring_in(campaign, LIST, ImportOptions(known=KnownPeople.UPDATE, consent_basis="relationship"))
        person.refresh_from_db()
        assert (person.consent_basis, person.consent_source) == ("express_written", "paper")

    def test_lose_their_consent_when_an_update_withdraws_it(self, campaign: Campaign) -> None:
        person = self.known(campaign, consent_basis="express_written")
        content = "Name,Phone,Consent\nAna,2125550100,no\n"
        bring_in(campaign, content, ImportOptions(known=KnownPeople.UPDATE, consent_basis="express"))
        person.refresh_from_db()
        assert person.consent_basis == ""

    def test_of_another_campaign_are_other_people(self, campaign: Campaign) -> None:
        a_person(a_campaign(), number="+12125550100")
        assert counts(bring_in(campaign, LIST)) == {"read": 2, "created": 2}


class TestPeopleWhoAreHeldForWantOfSomething:
    """A list that brings what was missing releases them; whom somebody else holds it does not."""

    ANA = "+12125550100"

    def hold(self, campaign: Campaign, reason: str, code: str = "", **fields: Any) -> Facilitator:
        missing: dict[str, Any] = {"number": self.ANA, "standing": "held", "next_call_at": None}
        said = {
            "standing_reason": reason,
            "not_called_code": code,
            "not_called_reason": reason if code else "",
        }
        return a_person(campaign, **(missing | said | fields))

    def bring(self, campaign: Campaign, rest: str, known: KnownPeople, **options: Any) -> Facilitator:
        columns = "Name,Phone,Country,tz,Consent,Consent source\n"
        row = f"Ana,{self.ANA},{rest}\n"
        assert bring_in(campaign, columns + row, ImportOptions(known=known, **options)).problem == ""
        return Facilitator.objects.get(number=self.ANA)

    def is_released(self, person: Facilitator, standing: str = "waiting") -> bool:
        if person.standing == "held":
            assert person.standing_reason
            return False
        assert (person.standing, person.standing_reason) == (standing, "")
        assert (person.not_called_code, person.not_called_reason) == ("", "")
        assert person.next_call_at is not None
        assert person.next_call_at <= clock.now()
        return True

    @pytest.mark.parametrize("known", [KnownPeople.FILL, KnownPeople.UPDATE])
    @pytest.mark.parametrize(
        ("code", "fields", "rest"),
        [
            ("no_consent", {"consent_basis": ""}, ",,express,paper"),
            ("unknown_country", {"country": "", "time_zone": ""}, "US,,,"),
            ("unknown_zone", {"country": "US", "time_zone": ""}, ",America/Chicago,,"),
        ],
    )
    def test_of_the_gate_are_released(
        self, campaign: Campaign, known: KnownPeople, code: str, fields: dict[str, str], rest: str
    ) -> None:
        self.hold(campaign, "Something is missing.", code, **fields)
        assert self.is_released(self.bring(campaign, rest, known))

    @pytest.mark.parametrize("known", [KnownPeople.FILL, KnownPeople.UPDATE])
    def test_of_an_earlier_list_are_released_once_nothing_is_missing(
        self, campaign: Campaign, known: KnownPeople
    ) -> None:
        number = "+80012345678"
        bring_in(campaign, f"Name,Phone\nBo,{number}\n", ImportOptions())
        assert Facilitator.objects.get().standing == "held"
        bring_in(campaign, f"Name,Phone,Consent\nBo,{number},express\n", ImportOptions(known=known))
        assert not self.is_released(Facilitator.objects.get())
        bring_in(campaign, f"Name,Phone,Country\nBo,{number},DE\n", ImportOptions(known=known))
        assert self.is_released(Facilitator.objects.get())

    def test_are_released_by_the_consent_that_is_chosen_at_the_upload(self, campaign: Campaign) -> None:
        bring_in(campaign, LIST, ImportOptions())
        batch = bring_in(campaign, LIST, ImportOptions(known=KnownPeople.FILL, consent_basis="express"))
        assert counts(batch) == {"read": 2, "updated": 2}
        assert all(self.is_released(person) for person in Facilitator.objects.all())

    def test_wait_for_a_retry_if_they_were_called_before(self, campaign: Campaign) -> None:
        self.hold(campaign, "No consent.", "no_consent", consent_basis="", attempts_made=2)
        person = self.bring(campaign, ",,express,paper", KnownPeople.FILL)
        assert self.is_released(person, "retry_due")

    def test_stay_held_where_the_list_brings_something_else(self, campaign: Campaign) -> None:
        self.hold(campaign, "No consent.", "no_consent", consent_basis="")
        assert not self.is_released(self.bring(campaign, ",America/Chicago,,", KnownPeople.UPDATE))

    @pytest.mark.parametrize("known", list(KnownPeople))
    @pytest.mark.parametrize("code", ["", "never_open", "postponed", "no_consent"])
    def test_stay_held_by_an_operator(self, campaign: Campaign, known: KnownPeople, code: str) -> None:
        person = self.hold(campaign, "No consent.", code, consent_basis="")
        Facilitator.objects.filter(pk=person.pk).update(standing_reason="Their lawyer wrote to us. (anna)")
        assert not self.is_released(self.bring(campaign, "US,America/Chicago,express,paper", known))

    def test_stay_held_when_known_people_are_left_alone(self, campaign: Campaign) -> None:
        self.hold(campaign, "No consent.", "no_consent", consent_basis="")
        assert not self.is_released(self.bring(campaign, ",,express,paper", KnownPeople.SKIP))

    @pytest.mark.parametrize("known", [KnownPeople.FILL, KnownPeople.UPDATE])
    def test_who_said_no_are_not_released_by_the_operators_choice(
        self, campaign: Campaign, known: KnownPeople
    ) -> None:
        self.bring(campaign, ",,no,", known)
        person = self.bring(campaign, ",,,", known, consent_basis="express")
        assert (self.is_released(person), person.consent_basis) == (False, "")
        assert self.is_released(self.bring(campaign, ",,express,paper", known))

    @pytest.mark.parametrize("known", [KnownPeople.FILL, KnownPeople.UPDATE])
    def test_whose_no_came_later_are_not_released_by_the_operators_choice(
        self, campaign: Campaign, known: KnownPeople
    ) -> None:
        self.hold(campaign, "No consent.", "no_consent", consent_basis="")
        self.bring(campaign, ",,no,", known)
        person = self.bring(campaign, ",,,", known, consent_basis="express")
        assert (self.is_released(person), person.consent_basis) == (False, "")


class _DyingFile(io.BytesIO):
    """A file whose disk fails in the second reading, when most rows have been staged."""

    rewinds = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self.rewinds += offset == whence == 0
        return super().seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        return self._alive(super().read(size))

    def read1(self, size: int | None = -1) -> bytes:
        return self._alive(super().read1(size))

    def _alive(self, chunk: bytes) -> bytes:
        if self.rewinds > 2 and self.tell() > 0.8 * len(self.getvalue()):
            raise OSError("the disk failed")
        return chunk


class TestAnInterruptedImport:
    MANY = "Name,Phone\nBad,1\n" + "".join(f"P{n},212555{n:04d}\n" for n in range(5000))

    def die(self, campaign: Campaign) -> None:
        with pytest.raises(OSError, match="the disk failed"):
            import_file(
                campaign_id=campaign.pk, source=_DyingFile(self.MANY.encode()), file_name="people.csv",
                imported_by_id=None, options=CONSENTED,
            )  # fmt: skip

    def test_leaves_nobody_behind(self, real_commits: None, monkeypatch: pytest.MonkeyPatch) -> None:
        campaign = a_campaign()
        staged: list[int] = []
        store = Stage.store

        def counting(stage: Stage, chunk: Chunk) -> None:
            staged.append(len(chunk.people))
            store(stage, chunk)

        monkeypatch.setattr(Stage, "store", counting)
        monkeypatch.setattr(import_chunks, "ROWS_AT_ONCE", 1000)
        self.die(campaign)
        assert sum(staged) >= 2000
        batch = ImportBatch.objects.get()
        assert (batch.state, batch.rows.count()) == (ImportState.IMPORTING, 0)
        assert not Facilitator.objects.exists()
        assert refuse_interrupted() == 1
        batch.refresh_from_db()
        assert batch.state == ImportState.REFUSED
        assert "upload the file again" in batch.problem
        assert refuse_interrupted() == 0

    def test_is_named_by_the_next_one(self, campaign: Campaign) -> None:
        self.die(campaign)
        again = bring_in(campaign, self.MANY)
        assert counts(again) == {"read": 5001, "created": 5000, "rejected": 1}
        assert ImportBatch.objects.exclude(pk=again.pk).get().state == ImportState.REFUSED

    def test_is_named_by_the_next_sweep(self, campaign: Campaign) -> None:
        self.die(campaign)
        sweep(telephony=FakeTelephony(), rooms=FakeRooms())
        batch = ImportBatch.objects.get()
        assert (batch.state, batch.finished_at is None) == (ImportState.REFUSED, False)
        assert "interrupted" in batch.problem

    def test_is_not_one_that_still_runs(self, campaign: Campaign) -> None:
        running = ImportBatch.objects.create(
            campaign=campaign, file_name="x", sha256="x", created_at=clock.now()
        )
        with _another_session() as other:
            other.execute(
                "SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"import into campaign {campaign.pk}"]
            )
            assert refuse_interrupted() == 0
            refused = bring_in(campaign, LIST)
        assert (refused.state, "right now" in refused.problem) == (ImportState.REFUSED, True)
        running.refresh_from_db()
        assert running.state == ImportState.IMPORTING


def _another_session() -> psycopg.Connection:
    settings = connection.settings_dict
    return psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], password=settings["PASSWORD"],
        dbname=settings["NAME"], autocommit=True,
    )  # fmt: skip


class TestImportOptions:
    def test_know_the_models_consent_bases(self) -> None:
        assert set(CONSENT_BASES) == set(ConsentBasis.values)

    @pytest.mark.parametrize("wrong", [{"consent_basis": "yes"}, {"default_country": "USA"}])
    def test_refuse_what_does_not_exist(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="use"):
            ImportOptions(**wrong)


class TestWriteRejected:
    def test_gives_the_original_columns_with_the_problem_and_no_formula(self, campaign: Campaign) -> None:
        batch = bring_in(campaign, 'City;Phone;Name\n@x;+12;"=cmd()"\nRome;2125550100;Ana\n')
        out = io.StringIO()
        assert write_rejected(batch, out) == 1
        header, row = csv.reader(io.StringIO(out.getvalue()), delimiter=";")
        assert header == ["City", "Phone", "Name", "import problem"]
        assert row[:3] == ["'@x", "'+12", "'=cmd()"]
        assert "formula" in row[3]
        assert "digits" in row[3]

    def test_keeps_the_cells_that_have_no_column(self, campaign: Campaign) -> None:
        batch = bring_in(campaign, "Name,Phone\nAna,+12125550100,Acme,=1\n")
        out = io.StringIO()
        write_rejected(batch, out)
        assert out.getvalue().splitlines()[1].endswith(",Acme,'=1")

    def test_can_be_mended_and_imported(self, campaign: Campaign) -> None:
        batch = bring_in(campaign, "Name,Phone,Code\nAna,+121255501,-7\n")
        out = io.StringIO()
        write_rejected(batch, out)
        bring_in(campaign, out.getvalue().replace("+121255501", "+12125550100"))
        ana = Facilitator.objects.get()
        assert (ana.number, ana.extra) == ("+12125550100", {"code": "-7"})


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command("import_facilitators", *arguments, stdout=out, no_color=True)
        return out.getvalue()

    def test_imports_and_says_what_came_of_it(self, campaign: Campaign, tmp_path: Path) -> None:
        path, refused = tmp_path / "people.csv", tmp_path / "refused.csv"
        path.write_text(LIST + "Zed [bold],12,,\n", encoding="utf-8")
        out = self.run(
            str(path),
            "--campaign",
            "spring ONBOARDING",
            "--consent-basis",
            "express",
            "--rejected",
            str(refused),
        )
        assert "2 │ new people" in out
        assert "1 │ rows refused" in out
        assert "Zed [bold]" in refused.read_text(encoding="utf-8-sig")
        assert Facilitator.objects.filter(standing="new").count() == 2

    def test_fails_when_the_file_is_refused_as_a_whole(self, campaign: Campaign, tmp_path: Path) -> None:
        path = tmp_path / "people.csv"
        path.write_text("Name\nAna\n", encoding="utf-8")
        with pytest.raises(CommandError, match="No column for phone"):
            self.run(str(path), "--campaign", "Spring onboarding")

    def test_reads_standard_input(self, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LIST.encode())))
        assert "2 │ new people" in self.run("-", "--campaign", "Spring onboarding")

    @pytest.mark.parametrize(
        ("typed", "said"),
        [("Sprng onbording", 'Did you mean "Spring onboarding"'), ("zzz", 'There is "Spring onboarding"')],
    )
    def test_names_the_nearest_campaigns(self, campaign: Campaign, typed: str, said: str) -> None:
        with pytest.raises(CommandError, match=said):
            self.run("people.csv", "--campaign", typed)

    def test_says_that_the_file_is_not_there(self, campaign: Campaign) -> None:
        with pytest.raises(CommandError, match=r"Cannot read nowhere\.csv: No such file"):
            self.run("nowhere.csv", "--campaign", "Spring onboarding")
