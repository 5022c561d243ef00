"""Backup and restore, on the real PostgreSQL with its own programs."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from outreach.management.backup import making
from outreach.management.backup.archive import unpack
from outreach.management.backup.database import BackupProblem, Database, of_settings, program
from outreach.management.backup.making import back_up
from outreach.management.backup.restoring import STOPPED_BY, Restored, Restoring
from outreach.management.commands.restore import _known_migrations
from outreach.models import DialingControl, Suppression, SuppressionSource

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
TARGET = "outreach_restored"


@pytest.fixture(scope="module")
def spool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spool = tmp_path_factory.mktemp("spool")
    (spool / "a.jsonl").write_text('{"kind": "word"}\n', encoding="utf-8")
    return spool


@pytest.fixture(scope="module")
def backup(
    django_db_setup: None, django_db_blocker: Any, spool: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A backup of a rehearsal in which one number must never be called."""
    with django_db_blocker.unblock():
        DialingControl.objects.get_or_create(pk=1)
        DialingControl.objects.update(mode="rehearsal")
        Suppression.objects.create(number="+12125550103", source=SuppressionSource.OPERATOR, created_at=NOW)
        try:
            ours = of_settings(connection.settings_dict)
            return back_up(database=ours, spool=spool, into=tmp_path_factory.mktemp("backups"), now=NOW)
        finally:
            Suppression.objects.all().delete()
            DialingControl.objects.update(mode="")
            connection.close()


@pytest.fixture
def source() -> Database:
    return of_settings(connection.settings_dict)


@pytest.fixture
def target(source: Database) -> Iterator[Database]:
    """A database of another name on the same server, which is not there yet."""
    yield source.named(TARGET)
    drop(source, TARGET)


def drop(database: Database, name: str) -> None:
    with database.named("postgres").connect() as server:
        found = server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{name}%"])
        for (left,) in found.fetchall():
            server.execute(f'DROP DATABASE "{left}" WITH (FORCE)')


def restore(backup: Path, target: Database, place: Path, **changed: Any) -> Restored:
    place.mkdir()
    given: dict[str, Any] = {"mode": "rehearsal", "replace": False, "disconnect": False, "now": NOW}
    manifest = unpack(backup, into=place)
    restoring = Restoring(backup=place, manifest=manifest, database=target, **given | changed)
    return restoring.run(spool=place.with_name("restored-spool"), known=_known_migrations())


def ask(database: Database, query: str) -> Any:
    with database.connect() as there:
        found = there.execute(query).fetchone()
        return found[0] if found else None


class TestABackup:
    def test_is_one_file_for_its_owner_only(self, backup: Path) -> None:
        assert backup.name == "outreach-rehearsal-20261125T030000Z.tar"
        assert backup.stat().st_mode & 0o777 == 0o600
        assert [path.name for path in backup.parent.iterdir()] == [backup.name]
        with tarfile.open(backup) as tar:
            assert tar.getnames() == ["manifest.json", "database.dump", "spool/a.jsonl"]

    def test_leaves_nothing_when_it_cannot_be_made(
        self, source: Database, spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> dict[str, int]:
            raise BackupProblem("it broke")

        monkeypatch.setattr(making, "rows", broken)
        with pytest.raises(BackupProblem):
            back_up(database=source, spool=spool, into=tmp_path / "backups", now=NOW)
        assert list((tmp_path / "backups").iterdir()) == []


class TestRestoring:
    def test_brings_everything_back_and_stops_all_dialing(
        self, backup: Path, target: Database, tmp_path: Path
    ) -> None:
        done = restore(backup, target, tmp_path / "unpacked")
        assert (done.spools, done.set_aside) == (1, "")
        assert ask(target, "SELECT count(*) FROM outreach_suppression") == 1
        assert ask(target, "SELECT stopped_by FROM outreach_dialingcontrol WHERE stopped") == STOPPED_BY
        assert (tmp_path / "restored-spool/a.jsonl").exists()

        # Again, in the place of what is there now.
        with pytest.raises(BackupProblem, match="holds people or calls already"):
            restore(backup, target, tmp_path / "second")
        with target.connect(), pytest.raises(BackupProblem, match="1 sessions use the database"):
            restore(backup, target, tmp_path / "third", replace=True)
        with target.connect() as running:
            done = restore(backup, target, tmp_path / "fourth", replace=True, disconnect=True)
            with pytest.raises(psycopg.OperationalError):
                running.execute("SELECT 1")
        assert done.set_aside == f"{TARGET}_before_20261125_030000"
        assert ask(target.named(done.set_aside), "SELECT count(*) FROM outreach_suppression") == 1
        assert ask(target, "SELECT count(*) FROM outreach_suppression") == 1

        # Another mode's database is refused, whatever is asked for.
        with target.connect() as there:
            there.execute("UPDATE outreach_dialingcontrol SET mode = 'live'")
        with pytest.raises(BackupProblem, match=r"The database .* belongs to DIALING=live"):
            restore(backup, target, tmp_path / "fifth", replace=True, disconnect=True)

    def test_refuses_a_backup_of_another_mode(self, backup: Path, target: Database, tmp_path: Path) -> None:
        with pytest.raises(BackupProblem, match="DIALING=rehearsal, but DIALING=live"):
            restore(backup, target, tmp_path / "unpacked", mode="live")

    def test_refuses_a_backup_of_newer_code(self, backup: Path, target: Database, tmp_path: Path) -> None:
        place = tmp_path / "unpacked"
        place.mkdir()
        manifest = unpack(backup, into=place)
        newer = manifest.model_copy(update={"migrations": {"outreach": "9999_from_the_future"}})
        given = {"mode": "rehearsal", "replace": False, "disconnect": False, "now": NOW}
        restoring = Restoring(backup=place, manifest=newer, database=target, **given)  # type: ignore[arg-type]
        with pytest.raises(BackupProblem, match=r"outreach\.9999_from_the_future"):
            restoring.run(spool=tmp_path, known=_known_migrations())

    def test_refuses_a_file_that_is_not_what_was_written(
        self, backup: Path, target: Database, tmp_path: Path
    ) -> None:
        content = backup.read_bytes()
        damaged = tmp_path / "damaged.tar"
        damaged.write_bytes(content.replace(b'{"kind": "word"}', b'{"kind": "ward"}'))
        with pytest.raises(BackupProblem, match=r"is damaged: spool/a\.jsonl"):
            restore(damaged, target, tmp_path / "unpacked")
        damaged.write_bytes(content[:5000])
        with pytest.raises(BackupProblem, match="no whole backup"):
            restore(damaged, target, tmp_path / "again")

    def test_leaves_the_old_when_the_copy_is_not_whole(
        self, backup: Path, target: Database, tmp_path: Path
    ) -> None:
        place = tmp_path / "unpacked"
        place.mkdir()
        manifest = unpack(backup, into=place)
        more = manifest.model_copy(update={"rows": {**manifest.rows, "outreach_suppression": 2}})
        given = {"mode": "rehearsal", "replace": False, "disconnect": False, "now": NOW}
        restoring = Restoring(backup=place, manifest=more, database=target, **given)  # type: ignore[arg-type]
        with pytest.raises(BackupProblem, match="Not everything arrived: outreach_suppression"):
            restoring.run(spool=tmp_path, known=_known_migrations())
        with target.named("postgres").connect() as server:
            left = server.execute("SELECT 1 FROM pg_database WHERE datname LIKE %s", [f"{TARGET}%"])
            assert left.fetchone() is None


class TestTheCommands:
    def test_restore_a_backup_and_make_the_next(
        self, backup: Path, target: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(settings.DATABASES["default"], "NAME", target.name)
        spool, kept = tmp_path / "spool", tmp_path / "kept"
        said = StringIO()
        call_command("restore", str(backup), spool=spool, stdout=said)
        call_command("backup", to=kept, spool=spool, stdout=said)
        (file,) = kept.iterdir()
        with pytest.raises(CommandError, match=r"Nothing was restored\. .* holds people or calls already"):
            call_command("restore", str(file), spool=spool)
        assert "Look at Twilio's call log since the backup" in said.getvalue()
        assert f"{file} (" in said.getvalue()


class TestTheirPrograms:
    def test_are_taken_when_they_are_new_enough(self) -> None:
        assert program("pg_dump", major=18)

    def test_are_missed_in_a_sentence(self) -> None:
        with pytest.raises(BackupProblem, match="pg_dump of PostgreSQL 99 or newer is needed"):
            program("pg_dump", major=99)

    def test_are_told_the_password_in_their_environment(self, source: Database) -> None:
        told = replace(source, password="hidden", options={"sslmode": "require"})
        assert told.environment()["PGPASSWORD"] == "hidden"
        assert told.environment()["PGSSLMODE"] == "require"
        assert "hidden" not in repr(told)
