"""The environment that the processes of one machine share, made before Django reads its settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from outreach.management.supervisor.ports import Ports

LOOPBACK = "127.0.0.1"
FLOWER_USER = "admin"
#: What a rehearsal sets itself, so that neither a real key nor a real address is ever used in one.
OUTSIDE_WORLD = (
    *("TWILIO_API_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_BASE_URL"),
    *("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_SIP_URI"),
    *("SIP_USERNAME", "SIP_PASSWORD", "GROQ_API_KEY", "GROQ_BASE_URL", "ALEX_LINE"),
)
#: What only our own processes share: made where it is not given.
OWN_SECRETS = ("DJANGO_SECRET_KEY", "AGENT_SECRET")


def own_secrets(*, secrets: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets that our own processes share and that the operator has not set."""
    return {name: secrets[name] for name in OWN_SECRETS if not given.get(name, "").strip()}


def on_this_machine(*, ports: Ports, secrets: Mapping[str, str], directory: Path) -> dict[str, str]:
    """Return what every mode shares: where our own processes find each other."""
    return {
        "HOOKS_URL": f"http://{LOOPBACK}:{ports.hooks}",
        "FLOWER_URL": f"http://{LOOPBACK}:{ports.flower}",
        "FLOWER_BASIC_AUTH": f"{FLOWER_USER}:{secrets['FLOWER_PASSWORD']}",
        "ALEX_SPOOL_DIR": str(directory / "spool"),
        "IMPORTS_DIR": str(directory / "imports"),
        "ALEX_HEALTH_PORT": str(ports.agent),
        "PYTHONUNBUFFERED": "1",
    }


def of_a_rehearsal(
    *, ports: Ports, secrets: Mapping[str, str], directory: Path, seed: int = 0
) -> dict[str, str]:
    """Return what puts the sandbox where the outside world would be."""
    return {
        "DIALING": "rehearsal",
        "DJANGO_SECRET_KEY": secrets["DJANGO_SECRET_KEY"],
        "AGENT_SECRET": secrets["AGENT_SECRET"],
        "PUBLIC_BASE_URL": f"http://{LOOPBACK}:{ports.hooks}",
        "TWILIO_API_URL": f"http://{LOOPBACK}:{ports.twilio}",
        "TWILIO_ACCOUNT_SID": secrets["TWILIO_ACCOUNT_SID"],
        "TWILIO_AUTH_TOKEN": secrets["TWILIO_AUTH_TOKEN"],
        "LIVEKIT_URL": f"ws://{LOOPBACK}:{ports.livekit}",
        "LIVEKIT_API_KEY": secrets["LIVEKIT_API_KEY"],
        "LIVEKIT_API_SECRET": secrets["LIVEKIT_API_SECRET"],
        "LIVEKIT_SIP_URI": f"sip:{LOOPBACK}:5060",
        "SIP_USERNAME": "outreach",
        "SIP_PASSWORD": secrets["SIP_PASSWORD"],
        "GROQ_API_KEY": secrets["GROQ_API_KEY"],
        "GROQ_BASE_URL": f"http://{LOOPBACK}:{ports.groq}/openai/v1",
        "ALEX_LINE": "sandbox.text_line.TextLine",
        "SANDBOX_SEED": str(seed),
        "SANDBOX_STATE_DIR": str(directory / "sandbox"),
        "SANDBOX_TWILIO_PORT": str(ports.twilio),
        "SANDBOX_LIVEKIT_PORT": str(ports.livekit),
        "SANDBOX_GROQ_PORT": str(ports.groq),
    }


def left_alone(given: Mapping[str, str]) -> list[str]:
    """Return the names of the outside world's settings that are given, but not used in a rehearsal."""
    return [name for name in OUTSIDE_WORLD if given.get(name, "").strip()]
