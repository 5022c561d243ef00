"""A worker that cannot work says everything that is wrong, at once."""

from __future__ import annotations

import pytest

from agentworker.line import Line, RoomLine, line_class
from agentworker.settings import SettingsError, load
from outreach.domain import defaults

pytestmark = pytest.mark.unit

ENVIRON = {
    "LIVEKIT_URL": "ws://127.0.0.1:9102",
    "LIVEKIT_API_KEY": "devkey",
    "LIVEKIT_API_SECRET": "secret",
    "GROQ_API_KEY": "gsk_x",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "HOOKS_URL": "http://127.0.0.1:8001/",
    "AGENT_SECRET": "agent-secret",
    "ALEX_SPOOL_DIR": "/tmp/spool",
}


class TestLoad:
    def test_takes_the_products_defaults(self) -> None:
        settings = load(ENVIRON)
        assert settings.models.llm == defaults.LLM_MODEL
        assert settings.places == 8
        assert settings.hooks_url == "http://127.0.0.1:8001"
        assert line_class(settings.line) is RoomLine

    def test_names_every_problem_at_once(self) -> None:
        with pytest.raises(SettingsError) as caught:
            load({"ALEX_MAX_JOBS": "many", "ALEX_EXECUTOR": "fork", "LOG_LEVEL": "loud"})
        message = str(caught.value)
        for name in (*ENVIRON, "ALEX_MAX_JOBS", "ALEX_EXECUTOR", "LOG_LEVEL"):
            assert name in message

    def test_gives_each_start_a_name_of_its_own(self) -> None:
        assert load(ENVIRON).worker_id != load(ENVIRON).worker_id
        assert load(ENVIRON | {"ALEX_WORKER_ID": "one"}).worker_id == "one"

    def test_shows_no_secret_when_printed(self) -> None:
        printed = repr(load(ENVIRON))
        assert "agent-secret" not in printed
        assert "gsk_x" not in printed


class TestLineClass:
    def test_finds_a_line_by_its_path(self) -> None:
        line = line_class("sandbox.text_line.TextLine")
        assert issubclass(line, Line)
        assert not line.has_audio

    @pytest.mark.parametrize("path", ["RoomLine", "agentworker.line.LineJob", "agentworker.line.Nothing"])
    def test_refuses_what_is_no_line(self, path: str) -> None:
        with pytest.raises(ImportError):
            line_class(path)
