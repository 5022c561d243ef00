"""`.env.example` explains every setting that is read, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agentworker import settings as worker_settings
from outreach.domain import defaults

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
READ = re.compile(
    r'(?:_required|_needed_to_dial|_parsed|env\.\w+|read\.\w+|os\.environ\.get)\(\s*"([A-Z][A-Z0-9_]+)"'
)
SHOWN = re.compile(r"^(#?)([A-Z][A-Z0-9_]+)=(.*)$", re.MULTILINE)

#: Set by our own programs for their children, never by an operator.
INTERNAL = {"OUTREACH_SERVES", "OUTREACH_IGNORE_DOTENV"}
#: Read by programs that we start or by docker-compose.yml, not by our settings.
OF_OTHERS = {
    *("FLOWER_BASIC_AUTH", "POSTGRES_PASSWORD", "VALKEY_PASSWORD"),
    *("COMPOSE_PROFILES", "LIVEKIT_SITE"),
    *("HOOKS_PROCESSES", "WEB_PROCESSES", "DIAL_WORKERS", "RECORDERS", "AGENT_WORKERS"),
}


def read_by(*modules: str) -> set[str]:
    return {name for module in modules for name in READ.findall((ROOT / module).read_text(encoding="utf-8"))}


def shown() -> dict[str, tuple[bool, str]]:
    """Return each name in the example: whether it is optional, and its value there."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return {name: (mark == "#", value) for mark, name, value in SHOWN.findall(text)}


def test_shows_every_setting_and_no_other() -> None:
    read = read_by("config/settings.py", "agentworker/settings.py")
    assert len(read) > 30
    assert set(shown()) == (read - INTERNAL) | OF_OTHERS


def test_shows_each_once() -> None:
    names = [name for _, name, _ in SHOWN.findall((ROOT / ".env.example").read_text(encoding="utf-8"))]
    assert sorted(names) == sorted(set(names))


def test_explains_each() -> None:
    """Every setting stands below a comment, or in a block that one comment introduces."""
    for block in (ROOT / ".env.example").read_text(encoding="utf-8").split("\n\n"):
        lines = block.splitlines()
        settings = [line for line in lines if SHOWN.match(line)]
        assert not settings or lines[0].startswith("# "), block


def test_leaves_open_only_what_is_required() -> None:
    settings = (ROOT / "config/settings.py").read_text(encoding="utf-8")
    worker = (ROOT / "agentworker/settings.py").read_text(encoding="utf-8")
    required = set(
        re.findall(r'(?:_required|_needed_to_dial|read\.required)\(\s*"([A-Z_]+)"', settings + worker)
    )
    assert {name for name, (optional, _) in shown().items() if not optional} == required | {"DIALING"}


def test_shows_the_defaults_that_are_used() -> None:
    expected = {
        "ALEX_LLM": defaults.LLM_MODEL,
        "ALEX_STT": defaults.STT_MODEL,
        "ALEX_TTS": defaults.TTS_MODEL,
        "ALEX_VOICE": defaults.TTS_VOICE,
        "ALEX_LINE": worker_settings.ROOM_LINE,
        "GROQ_BASE_URL": worker_settings.GROQ_BASE_URL,
        "ALEX_MAX_JOBS": str(worker_settings.WorkerSettings.places),
        "ALEX_EXECUTOR": worker_settings.WorkerSettings.executor,
        "ALEX_HEALTH_PORT": str(worker_settings.WorkerSettings.health_port),
        "ALEX_DRAIN_SECONDS": str(worker_settings.WorkerSettings.drain_seconds),
        "AGENT_NAME": worker_settings.WorkerSettings.agent_name,
    }
    assert {name: shown()[name][1] for name in expected} == expected


def test_holds_no_secret() -> None:
    secret = re.compile("SECRET|TOKEN|PASSWORD|_KEY|_AUTH")
    assert [name for name, (_, value) in shown().items() if secret.search(name) and value] == []
