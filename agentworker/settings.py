"""What the worker is told by its environment; every problem is reported by name, all at once."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from uuid import uuid4

from outreach.domain import defaults

GROQ_BASE_URL = "https://api.groq.com/openai/v1"
WORKER_ID = "ALEX_WORKER_ID"
"""How the main process tells its job processes who they belong to; not an operator's setting."""
ROOM_LINE = "agentworker.line.RoomLine"


class SettingsError(Exception):
    """The environment cannot be worked with; the message names every variable that is wrong."""


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Which models speak, listen and think, and where."""

    api_key: str = field(repr=False)
    base_url: str
    llm: str
    stt: str
    tts: str
    voice: str


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """Everything that the voice process needs to know."""

    livekit_url: str
    livekit_api_key: str
    livekit_api_secret: str = field(repr=False)
    redis_url: str = field(repr=False)
    hooks_url: str
    agent_secret: str = field(repr=False)
    models: ModelSettings
    spool_dir: Path
    worker_id: str
    """Names this start of the worker: calls of an earlier one are known to be lost."""
    agent_name: str = "alex"
    line: str = ROOM_LINE
    places: int = 8
    health_port: int = 8081
    executor: Literal["process", "thread"] = "process"
    drain_seconds: int = 660
    log_level: str = "INFO"


class _Reader:
    """Reads variables and remembers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self._environ.get(name, "").strip() or default

    def required(self, name: str, why: str) -> str:
        value = self.text(name, "")
        if not value:
            self.problems.append(f"{name} is missing: {why}")
        return value

    def number(self, name: str, default: int, *, least: int) -> int:
        raw = self.text(name, str(default))
        if not raw.isdecimal() or int(raw) < least:
            self.problems.append(f"{name} is malformed: expected a whole number of at least {least}.")
            return default
        return int(raw)

    def choice(self, name: str, default: str, options: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in options:
            self.problems.append(f"{name} is malformed: expected one of {', '.join(options)}.")
            return default
        return value


def load(environ: Mapping[str, str] | None = None) -> WorkerSettings:
    """Return the worker's settings.

    :raises SettingsError: when a variable is missing or malformed; names all of them.
    """
    read = _Reader(os.environ if environ is None else environ)
    settings = WorkerSettings(
        livekit_url=read.required("LIVEKIT_URL", "ws:// or wss:// address of the LiveKit server."),
        livekit_api_key=read.required("LIVEKIT_API_KEY", "key of the LiveKit project."),
        livekit_api_secret=read.required("LIVEKIT_API_SECRET", "secret of the LiveKit project."),
        redis_url=read.required("REDIS_URL", "redis://host:6379/0, where the words of a call stream."),
        hooks_url=read.required(
            "HOOKS_URL", "address of the hooks process, for example http://127.0.0.1:8001."
        ).rstrip("/"),
        agent_secret=read.required("AGENT_SECRET", "the secret that signs Alex's facts."),
        models=models(read),
        spool_dir=Path(read.required("ALEX_SPOOL_DIR", "a directory that survives a restart of the worker.")),
        worker_id=read.text(WORKER_ID, f"{socket.gethostname()}-{uuid4().hex[:12]}"),
        agent_name=read.text("AGENT_NAME", "alex"),
        line=read.text("ALEX_LINE", ROOM_LINE),
        places=read.number("ALEX_MAX_JOBS", 8, least=1),
        health_port=read.number("ALEX_HEALTH_PORT", 8081, least=0),
        executor="thread"
        if read.choice("ALEX_EXECUTOR", "process", ("process", "thread")) == "thread"
        else "process",
        drain_seconds=read.number("ALEX_DRAIN_SECONDS", 660, least=0),
        log_level=read.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
    )
    if read.problems:
        raise SettingsError("\n".join(read.problems))
    return settings


def load_models(environ: Mapping[str, str] | None = None) -> ModelSettings:
    """Return the models alone, for a conversation without a telephone.

    :raises SettingsError: when the key is missing.
    """
    read = _Reader(os.environ if environ is None else environ)
    settings = models(read)
    if read.problems:
        raise SettingsError("\n".join(read.problems))
    return settings


def models(read: _Reader) -> ModelSettings:
    """Return the models as `read` finds them."""
    return ModelSettings(
        api_key=read.required("GROQ_API_KEY", "key of the Groq account that hears, thinks and speaks."),
        base_url=read.text("GROQ_BASE_URL", GROQ_BASE_URL).rstrip("/"),
        llm=read.text("ALEX_LLM", defaults.LLM_MODEL),
        stt=read.text("ALEX_STT", defaults.STT_MODEL),
        tts=read.text("ALEX_TTS", defaults.TTS_MODEL),
        voice=read.text("ALEX_VOICE", defaults.TTS_VOICE),
    )
