"""A bare machine gets sentences, pinned tools, and nothing installed twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import bootstrap

pytestmark = pytest.mark.unit


class TestWrongPython:
    def test_says_which_python_it_needs_when_there_is_none(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "version_info", (3, 12, 1, "final", 0))
        monkeypatch.setattr(bootstrap.shutil, "which", lambda _: None)
        monkeypatch.delenv("OUTREACH_STARTED_AT", raising=False)
        assert bootstrap.main(["up"]) == 1
        assert "Outreach needs Python 3.11" in capsys.readouterr().out

    def test_goes_on_with_the_right_one_when_it_is_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        became: list[tuple[str, ...]] = []
        monkeypatch.setattr(sys, "version_info", (3, 12, 1, "final", 0))
        monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/usr/bin/{name}")
        monkeypatch.setattr(bootstrap, "become", lambda *command: became.append(command))
        monkeypatch.delenv("OUTREACH_STARTED_AT", raising=False)
        bootstrap.main(["up", "--people", "3"])
        assert became == [("/usr/bin/python3.11", bootstrap.__file__, "up", "--people", "3")]


class TestUv:
    def test_is_installed_by_hash_and_kept_only_when_that_went_well(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        asked: list[str] = []

        def pip(command: list[str], *, check: bool) -> subprocess.CompletedProcess[bytes]:
            asked.append(Path(command[-1]).read_text())
            uv = Path(command[command.index("--target") + 1]) / "bin" / "uv"
            uv.parent.mkdir(parents=True)
            uv.touch()
            return subprocess.CompletedProcess(command, returncode=len(asked) == 1)

        monkeypatch.setattr(bootstrap, "machine", lambda: "Linux x86_64")
        monkeypatch.setattr(bootstrap, "pip", lambda: ["pip"])
        monkeypatch.setattr(bootstrap.subprocess, "run", pip)
        with pytest.raises(bootstrap.CannotSetUp, match="could not be installed"):
            bootstrap.install_uv(tmp_path / "uv-1")
        assert list(tmp_path.iterdir()) == []
        bootstrap.install_uv(tmp_path / "uv-1")
        assert (tmp_path / "uv-1" / "bin" / "uv").exists()
        pinned = bootstrap.UV_WHEELS["Linux x86_64"]
        assert asked[1] == f"uv=={bootstrap.UV_VERSION} --hash=sha256:{pinned}\n"

    def test_is_not_looked_for_on_a_machine_it_was_not_built_for(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(bootstrap, "machine", lambda: "Plan9 vax")
        with pytest.raises(bootstrap.CannotSetUp, match="no wheel of uv for Plan9 vax"):
            bootstrap.install_uv(tmp_path / "uv-1")

    def test_uses_the_index_that_pip_is_told_to_use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
        monkeypatch.setenv("PIP_INDEX_URL", "https://index.test/simple")
        assert bootstrap.index_of_pip() == ["--default-index", "https://index.test/simple"]
        monkeypatch.setenv("UV_DEFAULT_INDEX", "https://other.test/simple")
        assert bootstrap.index_of_pip() == []


class TestInstall:
    @pytest.fixture(autouse=True)
    def _clone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
        monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
        monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "python")
        for name in bootstrap.DEVELOPMENT:
            (tmp_path / name).write_text(name)
        bootstrap.VENV.mkdir()
        bootstrap.PYTHON.touch()

    def test_does_nothing_when_the_locked_set_is_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        (bootstrap.VENV / f".installed-{bootstrap.digest(bootstrap.DEVELOPMENT)}").touch()
        monkeypatch.setattr(bootstrap, "uv", lambda: pytest.fail("something was installed"))
        bootstrap.install(bootstrap.DEVELOPMENT)
        bootstrap.install(bootstrap.RUN_TIME)

    def test_installs_again_when_a_requirement_changed(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(bootstrap, "uv", lambda: "true")
        bootstrap.install(bootstrap.RUN_TIME)
        before = bootstrap.digest(bootstrap.RUN_TIME)
        (tmp_path / "requirements.txt").write_text("changed")
        bootstrap.install(bootstrap.RUN_TIME)
        stamps = [path.name for path in bootstrap.VENV.glob(".installed-*")]
        assert stamps == [f".installed-{bootstrap.digest(bootstrap.RUN_TIME)}"]
        assert before not in stamps[0]

    def test_says_what_failed_and_leaves_no_stamp(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bootstrap, "uv", lambda: "false")
        with pytest.raises(bootstrap.CannotSetUp, match="could not be installed"):
            bootstrap.install(bootstrap.RUN_TIME)
        assert not list(bootstrap.VENV.glob(".installed-*"))


class TestVoices:
    """Real audio wants a voice and livekit-server; nothing else installs either."""

    @pytest.fixture
    def done(self, monkeypatch: pytest.MonkeyPatch) -> list[object]:
        """Return what was done, in order."""
        found: list[object] = []
        monkeypatch.setattr(bootstrap, "install", found.append)
        monkeypatch.setattr(bootstrap, "get_livekit", lambda: found.append("livekit"))
        monkeypatch.setattr(bootstrap, "become", lambda _, *command: found.append(command))
        return found

    def test_are_got_for_up_with_voices_only(self, done: list[object]) -> None:
        bootstrap.up(["--people", "3"])
        assert done == [bootstrap.RUN_TIME, ("manage.py", "up", "--people", "3")]
        done.clear()
        bootstrap.up(["--voice"])
        assert done == [bootstrap.DEVELOPMENT, "livekit", ("manage.py", "up", "--voice")]

    def test_are_got_for_their_tests(self, done: list[object]) -> None:
        bootstrap.test_voice(["-x"])
        assert done == [bootstrap.DEVELOPMENT, "livekit", ("-m", "pytest", "tests/voice", "-x")]

    def test_are_refused_with_a_sentence_without_the_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bootstrap.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1))
        with pytest.raises(bootstrap.CannotSetUp, match="livekit-server"):
            bootstrap.get_livekit()


class TestTheBrowserOfTheTests:
    """Debian's Chromium is asked for where it is missing; without it the suite runs all the same."""

    @pytest.fixture
    def ran(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
        """Return what was run, by a root user on Debian without Chromium."""
        found: list[tuple[str, ...]] = []

        def run(*command: str) -> bool:
            found.append(command)
            return True

        monkeypatch.setattr(bootstrap, "install", lambda _: None)
        monkeypatch.setattr(bootstrap, "become", run)
        monkeypatch.setattr(bootstrap, "runs", run)
        monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 0)
        monkeypatch.setattr(bootstrap.shutil, "which", {"apt-get": "apt-get"}.get)
        return found

    def test_is_installed_by_root_where_it_is_missing(self, ran: list[tuple[str, ...]]) -> None:
        bootstrap.test(["-x"])
        asked = ("apt-get", "install", "--yes", "--no-install-recommends", "chromium")
        assert ran == [("apt-get", "update"), asked, (str(bootstrap.PYTHON), "-m", "pytest", "-x")]

    def test_is_left_out_for_everybody_else(
        self, ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
        bootstrap.test(["-x"])
        assert ran == [(str(bootstrap.PYTHON), "-m", "pytest", "-x")]
