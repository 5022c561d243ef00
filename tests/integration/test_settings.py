"""Settings at start: all that is wrong is named at once; half real, half emulated never starts."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]

#: As a real installation has it.
REAL = {
    "DIALING": "test",
    "TEST_NUMBERS": "+14155550100",
    "DJANGO_SECRET_KEY": "signs-nothing",
    "DATABASE_URL": "postgres://outreach:secret@db.example.org:5432/outreach",
    "REDIS_URL": "redis://redis.example.org:6379/0",
    "PUBLIC_BASE_URL": "https://hooks.example.org",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "0" * 32,
    "LIVEKIT_URL": "wss://example.livekit.cloud",
    "LIVEKIT_API_KEY": "API123",
    "LIVEKIT_API_SECRET": "signs-nothing-either",
    "LIVEKIT_SIP_URI": "sip:example.sip.livekit.cloud",
    "SIP_USERNAME": "outreach",
    "SIP_PASSWORD": "signs-nothing-at-all",
    "AGENT_SECRET": "shared-with-nobody",
    "GROQ_API_KEY": "gsk_none",
}
EMULATED = {
    "DIALING": "rehearsal",
    "PUBLIC_BASE_URL": "http://127.0.0.1:8001",
    "TWILIO_API_URL": "http://127.0.0.1:9101",
    "LIVEKIT_URL": "ws://127.0.0.1:9102",
    "LIVEKIT_SIP_URI": "sip:127.0.0.1:5060",
    "GROQ_BASE_URL": "http://127.0.0.1:9103/openai/v1",
}
OPTIONAL = {"DIALING", "TEST_NUMBERS", "GROQ_API_KEY"}


def started(environment: dict[str, str]) -> tuple[int, str]:
    """Read the settings in a process of its own; return its status and what it complained about."""
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "OUTREACH_IGNORE_DOTENV": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


class TestComplete:
    @pytest.mark.parametrize("mode", ["test", "live"])
    def test_starts_with_real_services(self, mode: str) -> None:
        assert started(REAL | {"DIALING": mode}) == (0, "")

    def test_needs_no_carrier_to_test_with_when_no_number_is_named(self) -> None:
        dialing = {"TEST_NUMBERS", "PUBLIC_BASE_URL", "LIVEKIT_SIP_URI", "SIP_USERNAME", "SIP_PASSWORD"}
        without = {
            name: value
            for name, value in REAL.items()
            if name not in dialing and not name.startswith("TWILIO_")
        }
        assert started(without | {"DIALING": "test"}) == (0, "")

    def test_starts_with_the_sandbox(self) -> None:
        assert started(REAL | EMULATED) == (0, "")

    def test_takes_every_default_that_the_example_shows(self) -> None:
        text = (ROOT / ".env.example").read_text(encoding="utf-8")
        shown = re.findall(r"^#([A-Z][A-Z0-9_]+)=(.+)$", text, re.MULTILINE)
        assert started(dict(shown) | REAL) == (0, "")

    def test_passes_djangos_checks_of_a_deployment_behind_https(self) -> None:
        behind_https = {
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "ADMIN_BASE_URL": "https://admin.example.org",
            "DIALING": "live",
        }
        done = subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "OUTREACH_IGNORE_DOTENV": "1"} | REAL | behind_https,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


class TestIncomplete:
    def test_names_everything_that_is_missing_at_once(self) -> None:
        status, complaint = started({"DIALING": "live"})
        assert status == 1
        for name in REAL.keys() - OPTIONAL:
            assert f"{name} is missing: " in complaint
        assert ".env.example" in complaint

    def test_takes_blanks_for_missing(self) -> None:
        status, complaint = started(REAL | {"AGENT_SECRET": "  "})
        assert status == 1
        assert "AGENT_SECRET is missing" in complaint

    def test_names_what_is_malformed_together_with_what_is_missing(self) -> None:
        broken = {
            "DIALING": "loud",
            "MODEL_BUDGET": "many",
            "ACCESS_DAYS": "0",
            "REDIS_URL": "",
        }
        status, complaint = started(REAL | broken)
        assert status == 1
        for sentence in (
            "DIALING is malformed: expected rehearsal, test or live.",
            "MODEL_BUDGET is malformed: expected a whole number.",
            "ACCESS_DAYS is malformed: expected a whole number of days, at least 1.",
            "REDIS_URL is missing",
        ):
            assert sentence in complaint

    def test_shows_no_secret(self) -> None:
        _, complaint = started(REAL | {"MODEL_BUDGET": "many"})
        values = [value for name, value in REAL.items() if re.search("SECRET|TOKEN|PASSWORD|_KEY", name)]
        assert [value for value in values if value in complaint] == []


class TestHalfReal:
    @pytest.mark.parametrize("name", sorted(EMULATED.keys() - {"DIALING"}))
    def test_refuses_one_emulator_among_real_services(self, name: str) -> None:
        status, complaint = started(REAL | {name: EMULATED[name]})
        assert status == 1
        assert f"{name} points at this machine, but DIALING=test uses real services" in complaint

    @pytest.mark.parametrize("name", sorted(EMULATED.keys() - {"DIALING"}))
    def test_refuses_one_real_service_in_a_rehearsal(self, name: str) -> None:
        emulated = REAL | EMULATED
        del emulated[name]
        if name in REAL:
            emulated[name] = REAL[name]
        status, complaint = started(emulated)
        assert status == 1
        assert f"{name} points at a real service, but DIALING=rehearsal calls nobody" in complaint
