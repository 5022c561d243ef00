"""What we serve to browsers but have not written is what its makers published, to the byte."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

STATIC = Path(__file__).parents[2] / "outreach" / "static" / "outreach"
VENDORED = STATIC / "vendor" / "livekit-client"
ORIGIN = json.loads((VENDORED / "origin.json").read_text(encoding="utf-8"))


class TestTheClientOfLiveKit:
    @pytest.mark.parametrize("name", sorted(ORIGIN["files"]))
    def test_is_the_published_file(self, name: str) -> None:
        assert hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == ORIGIN["files"][name]["sha256"]

    def test_says_where_it_comes_from_and_under_which_licence(self) -> None:
        assert (ORIGIN["package"], ORIGIN["licence"]) == ("livekit-client", "Apache-2.0")
        assert ORIGIN["obtained"] == f"npm pack livekit-client@{ORIGIN['version']}"
        assert ORIGIN["integrity"].startswith("sha512-")

    def test_has_no_companion_that_is_not_recorded(self) -> None:
        assert {file.name for file in VENDORED.iterdir()} == {"origin.json", *ORIGIN["files"]}


class TestOurOwnScripts:
    @pytest.mark.parametrize("script", sorted(STATIC.glob("*.js")), ids=lambda script: script.name)
    def test_load_nothing_from_elsewhere(self, script: Path) -> None:
        words = script.read_text(encoding="utf-8")
        assert "import(" not in words
        assert "https://cdn" not in words
        assert "unpkg" not in words
