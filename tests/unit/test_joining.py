"""Other commands beside `manage.py up`: they use its database and keys, and nobody else's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from outreach.management.joining import PUBLISHED, data_directory, join_running, publish

pytestmark = pytest.mark.unit

#: More than the highest process id.
NOBODY = 2**22 + 1


@pytest.fixture(autouse=True)
def _environment() -> Iterator[None]:
    """Begin in a shell that knows nothing, and leave the tests' environment as it was."""
    before = dict(os.environ)
    for name in ("OUTREACH_IGNORE_DOTENV", "DIALING", "DATABASE_URL", "AGENT_SECRET"):
        os.environ.pop(name, None)
    yield
    os.environ.clear()
    os.environ.update(before)


def running(base: Path, *, pid: int | None = None, **published: str) -> Path:
    """Let a `manage.py up` run on the data of this checkout."""
    directory = data_directory(base)
    directory.mkdir(parents=True)
    (directory / "lock").write_text(str(pid or os.getpid()))
    os.environ.update(published)
    publish(directory, published)
    for name in published:
        del os.environ[name]
    return directory


class TestJoinRunning:
    def test_takes_over_database_and_keys(self, tmp_path: Path) -> None:
        running(tmp_path, DATABASE_URL="postgres://here/one", AGENT_SECRET="made")
        assert join_running(tmp_path)
        assert (os.environ["DATABASE_URL"], os.environ["AGENT_SECRET"]) == ("postgres://here/one", "made")

    def test_takes_over_nothing_when_nobody_runs(self, tmp_path: Path) -> None:
        assert not join_running(tmp_path)
        running(tmp_path, pid=NOBODY, DATABASE_URL="postgres://here/one")
        assert not join_running(tmp_path)
        assert "DATABASE_URL" not in os.environ

    def test_takes_over_nothing_from_a_run_that_is_still_starting(self, tmp_path: Path) -> None:
        (running(tmp_path, DATABASE_URL="postgres://here/one") / PUBLISHED).unlink()
        assert not join_running(tmp_path)

    def test_leaves_whoever_names_another_database_alone(self, tmp_path: Path) -> None:
        running(tmp_path, DATABASE_URL="postgres://here/one", AGENT_SECRET="made")
        os.environ["DATABASE_URL"] = "postgres://there/other"
        assert not join_running(tmp_path)
        assert "AGENT_SECRET" not in os.environ

    def test_joins_only_a_run_of_its_own_mode(self, tmp_path: Path) -> None:
        running(tmp_path, DATABASE_URL="postgres://here/one", DIALING="rehearsal")
        (tmp_path / ".env").write_text("DIALING=live\n")
        assert not join_running(tmp_path)
        assert os.environ["DIALING"] == "live"

    def test_prefers_what_runs_to_what_the_file_says(self, tmp_path: Path) -> None:
        running(tmp_path, DATABASE_URL="postgres://here/one", AGENT_SECRET="made")
        (tmp_path / ".env").write_text("AGENT_SECRET=of-the-real-account\n")
        assert join_running(tmp_path)
        assert os.environ["AGENT_SECRET"] == "made"

    def test_joins_nobody_when_the_file_is_to_be_ignored(self, tmp_path: Path) -> None:
        running(tmp_path, DATABASE_URL="postgres://here/one")
        os.environ["OUTREACH_IGNORE_DOTENV"] = "1"
        assert not join_running(tmp_path)


class TestPublish:
    def test_keeps_the_keys_from_other_users(self, tmp_path: Path) -> None:
        directory = running(tmp_path, AGENT_SECRET="made")
        assert (directory / PUBLISHED).stat().st_mode & 0o777 == 0o600
        assert [path.name for path in directory.iterdir() if path.name.startswith(f"{PUBLISHED}.")] == []
