"""What the services print: everything to files, what matters to the terminal."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from outreach.management.supervisor.stack import Restart

LOG_BYTES = 5_000_000
_LOUD = {"warning", "error", "critical", "fatal"}
_TROUBLE = re.compile(r"^(\w+\.)*\w*(Error|Exception)\b|\b(FATAL|PANIC|CRITICAL|ERROR)\b")
#: PostgreSQL's answer to whoever asks whether it is ready.
_EXPECTED = "the database system is"
#: Flower complains about workers that are not there yet; what we do ourselves is told anyway.
_QUIET = {"flower", "up"}
#: Its warnings are about milliseconds of its event loop, not about calls.
_QUIET_LOGGER = "livekit"
#: Fields of a log line that help whoever reads it; the rest is in the file.
_TELLING = ("call_id", "campaign_id", "reason", "error", "code")

Say = Callable[[str, str], None]


class Journal:
    """Hears every service: keeps a log file for each, and says what deserves a look."""

    def __init__(self, *, directory: Path, say: Say, hear_clock: Callable[[dict[str, Any]], None]) -> None:
        """Keep the logs in `directory`; `say` takes a service's name and a sentence."""
        self._directory = directory
        self._say = say
        self._hear_clock = hear_clock
        self._files: dict[str, logging.Handler] = {}
        #: While services start, they warn of others that are not there yet; those lines stay in the files.
        self.starting = True
        self.stopping = False
        directory.mkdir(parents=True, exist_ok=True)

    def hear(self, name: str, line: str) -> None:
        """Keep one line of the service `name`, and say it aloud when it tells of trouble."""
        self._file(name).emit(logging.LogRecord(name, logging.INFO, "", 0, line, None, None))
        fields = _fields(line)
        if name == "clock" and "jumped_to" in fields:
            self._hear_clock(fields)
        elif fields:
            if _is_loud(name, fields, only_errors=self.starting):
                self._say(name, _sentence(fields))
        elif _TROUBLE.search(line) and _EXPECTED not in line and not self.stopping:
            self._say(name, line[:200])

    def restarting(self, restart: Restart) -> None:
        """Say that a service died and is started again."""
        self._say(
            restart.name,
            f"ended unexpectedly (exit code {restart.exit_code}); starts again in {restart.delay:g} s. "
            f"What it said last: {self._directory / restart.name}.log",
        )

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def _file(self, name: str) -> logging.Handler:
        if name not in self._files:
            path = self._directory / f"{name}.log"
            self._files[name] = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
        return self._files[name]


def _is_loud(name: str, fields: dict[str, Any], *, only_errors: bool) -> bool:
    level = str(fields.get("level", fields.get("levelname", ""))).lower()
    if only_errors or name in _QUIET or str(fields.get("logger", "")).startswith(_QUIET_LOGGER):
        return level in _LOUD - {"warning"}
    # A tick that waited longer than its interval is dropped unread: that is what it should be.
    return level in _LOUD and not fields.get("expired")


class OwnLog(logging.Handler):
    """Puts what this very process logs beside what its children print."""

    def __init__(self, journal: Journal) -> None:
        """Take over from the handlers that the settings have set up, in their format."""
        super().__init__()
        self._journal = journal
        root = logging.getLogger()
        for handler in list(root.handlers):
            self.setFormatter(handler.formatter)
            root.removeHandler(handler)
        root.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand one record on."""
        self._journal.hear("up", self.format(record))


def _fields(line: str) -> dict[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _sentence(fields: dict[str, Any]) -> str:
    said = str(fields.get("event", fields.get("message", ""))).splitlines() or [""]
    telling = " ".join(f"{name}={fields[name]}" for name in _TELLING if fields.get(name))
    return f"{said[0][:200]} {telling}".strip()
