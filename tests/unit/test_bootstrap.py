"""A bare machine gets sentences, pinned tools, and nothing installed twice."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import pytest

from sandbox import bootstrap

pytestmark = pytest.mark.unit

WHEEL = b"not the wheel that was pinned"


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
    def page(self, sha256: str) -> bytes:
        return f'<a href="../../files/uv.whl#sha256={sha256}">uv.whl</a>'.encode()

    def test_is_taken_only_when_it_is_the_pinned_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bootstrap, "machine", lambda: "Linux x86_64")
        pinned = bootstrap.UV_WHEELS["Linux x86_64"]
        index, file = "https://index.test/simple/uv/", "https://index.test/files/uv.whl"
        answers = {index: self.page(pinned), file: WHEEL}
        monkeypatch.setenv("UV_DEFAULT_INDEX", "https://index.test/simple")
        monkeypatch.setattr(bootstrap, "fetch", answers.__getitem__)
        with pytest.raises(bootstrap.CannotSetUp, match="not the pinned one"):
            bootstrap.fetch_uv()
        monkeypatch.setitem(bootstrap.UV_WHEELS, "Linux x86_64", hashlib.sha256(WHEEL).hexdigest())
        answers[index] = self.page(hashlib.sha256(WHEEL).hexdigest())
        assert bootstrap.fetch_uv() == WHEEL

    def test_is_not_looked_for_on_a_machine_it_was_not_built_for(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bootstrap, "machine", lambda: "Plan9 vax")
        with pytest.raises(bootstrap.CannotSetUp, match="no wheel of uv for Plan9 vax"):
            bootstrap.fetch_uv()

    def test_is_unpacked_whole_and_may_be_run(self, tmp_path: Path) -> None:
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"uv-{bootstrap.UV_VERSION}.data/scripts/uv", "#!/bin/sh\n")
        target = tmp_path / "uv-1" / "uv"
        bootstrap.unpack_uv(wheel.getvalue(), target)
        assert target.stat().st_mode & 0o111
        assert [path.name for path in target.parent.iterdir()] == ["uv"]


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
