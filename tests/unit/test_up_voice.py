"""`up --voice` is a rehearsal's, and lets Alex take the line that he has in production."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from outreach.management.commands import _voices
from outreach.management.commands._entering import enter_environment
from outreach.management.supervisor.ports import Ports
from sandbox.settings import SettingsError, settings_from
from tests.unit.test_livekit_server import PLACE

pytestmark = pytest.mark.unit


class TestVoice:
    def test_is_refused_where_calls_are_real(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("OUTREACH_IGNORE_DOTENV", "1")
        monkeypatch.setenv("DIALING", "test")
        with pytest.raises(SystemExit, match="--voice is a rehearsal's"):
            enter_environment("up", ["--voice", f"--data={tmp_path}"])

    def test_takes_the_text_line_away_and_gives_people_a_voice(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        asked = []
        monkeypatch.setattr(_voices, "livekit_server", lambda place, *, data: asked.append((place, data)))
        for name, value in {
            "ALEX_LINE": "sandbox.text_line.TextLine",
            "LIVEKIT_API_KEY": PLACE.api_key,
            "LIVEKIT_API_SECRET": PLACE.api_secret,
            "REDIS_URL": PLACE.redis_url,
            "PUBLIC_BASE_URL": "http://127.0.0.1:8001",
            "SANDBOX_VOICES": "0",
            "SANDBOX_PACE": "1",
        }.items():
            monkeypatch.setenv(name, value)
        _voices.enter_voices(directory=tmp_path, ports=Ports(livekit=PLACE.port, media=PLACE.media_port))
        assert asked == [(PLACE, tmp_path / "livekit")]
        assert "ALEX_LINE" not in os.environ
        assert os.environ["SANDBOX_VOICES"] == "1"

    def test_is_a_yes_or_a_no_to_the_sandbox(self) -> None:
        with pytest.raises(SettingsError, match="SANDBOX_VOICES is malformed"):
            settings_from({"SANDBOX_VOICES": "perhaps"})
