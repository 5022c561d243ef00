"""The sandbox's settings, read from the environment once; every problem is reported at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sandbox.accounts import accounts_of
from sandbox.faults import Faults, UnknownFault

T = TypeVar("T")


class SettingsError(Exception):
    """The environment cannot start a sandbox; the message names every problem."""


@dataclass(frozen=True, kw_only=True)
class SandboxSettings:
    """Where the outside world listens, which keys it knows, and how it misbehaves."""

    twilio_account_sid: str
    twilio_auth_token: str
    livekit_api_key: str
    livekit_api_secret: str
    sip_username: str
    sip_password: str
    public_base_url: str
    groq_api_key: str
    seed: int = 0
    state_dir: Path = Path(".sandbox")
    host: str = "127.0.0.1"
    twilio_port: int = 9101
    livekit_port: int = 9102
    groq_port: int = 9103
    calls_per_second: float = 1.0
    """Twilio's default for an account; more than that waits in its queue."""
    caller_ids: tuple[str, ...] = ()
    """Numbers that the account owns; empty means that every caller ID is accepted."""
    accounts: str = "usual"
    """The profile of the vendors' accounts: `sandbox.accounts` has them."""
    voices: bool = False
    """Whether people have a voice, in rooms of a real livekit-server at `livekit_port`."""
    pace: float = 1.0
    """Scales how long callees think before they speak."""
    faults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def livekit_webhook_url(self) -> str:
        """Where the room server reports what happens in rooms."""
        return f"{self.public_base_url}/hooks/livekit"


_KEYS = {
    "twilio_account_sid": "TWILIO_ACCOUNT_SID",
    "twilio_auth_token": "TWILIO_AUTH_TOKEN",
    "livekit_api_key": "LIVEKIT_API_KEY",
    "livekit_api_secret": "LIVEKIT_API_SECRET",
    "sip_username": "SIP_USERNAME",
    "sip_password": "SIP_PASSWORD",
    "public_base_url": "PUBLIC_BASE_URL",
    "groq_api_key": "GROQ_API_KEY",
}


def settings_from(environ: Mapping[str, str]) -> SandboxSettings:
    """Read the settings from `environ`.

    :raises SettingsError: naming every missing or malformed variable.
    """
    problems = [f"{name} is missing" for name in _KEYS.values() if not environ.get(name, "").strip()]

    def read(name: str, parse: Callable[[str], T], default: T) -> T:
        text = environ.get(name, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except (ValueError, TypeError) as exc:
            problems.append(f"{name} is malformed: {exc}")
            return default

    settings = SandboxSettings(
        **{field_name: environ.get(name, "").strip().rstrip("/") for field_name, name in _KEYS.items()},
        seed=read("SANDBOX_SEED", int, 0),
        state_dir=read("SANDBOX_STATE_DIR", Path, Path(".sandbox")),
        twilio_port=read("SANDBOX_TWILIO_PORT", int, 9101),
        livekit_port=read("SANDBOX_LIVEKIT_PORT", int, 9102),
        groq_port=read("SANDBOX_GROQ_PORT", int, 9103),
        calls_per_second=read("SANDBOX_CALLS_PER_SECOND", _rate, 1.0),
        caller_ids=read("SANDBOX_CALLER_IDS", _words, ()),
        accounts=read("SANDBOX_ACCOUNTS", _profile, "usual"),
        voices=read("SANDBOX_VOICES", _yes, False),  # noqa: FBT003 - the default
        pace=read("SANDBOX_PACE", _rate, 1.0),
        faults=read("SANDBOX_FAULTS", _faults, {}),
    )
    if problems:
        raise SettingsError("The sandbox cannot start:\n  - " + "\n  - ".join(problems))
    return settings


def _yes(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("expected 0 or 1")
    return text == "1"


def _rate(text: str) -> float:
    rate = float(text)
    if not rate > 0:
        raise ValueError("expected a number above 0")
    return rate


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _profile(text: str) -> str:
    accounts_of(text)
    return text


def _faults(text: str) -> dict[str, Any]:
    knobs = json.loads(text)
    if not isinstance(knobs, dict):
        raise UnknownFault("expected a JSON object")
    Faults(knobs=knobs)
    return knobs
