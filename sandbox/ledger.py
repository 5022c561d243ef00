"""What really happened, counted by the outside world itself: accepted calls, and what was said on them.

Both ledgers are append-only JSON lines and are kept in memory beside. They share nothing with the product.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.clock import RehearsalClock
from sandbox.phone_call import PhoneCall


class CallLedger:
    """The carrier's accepted calls, each with everything that it went through."""

    def __init__(self, *, path: Path, clock: RehearsalClock) -> None:
        self._path = path
        self._clock = clock
        self._entries: dict[str, dict[str, Any]] = {}
        for line in read_lines(path):
            self._apply(line)

    def accepted(self, call: PhoneCall, *, persona: str) -> None:
        """Note that a call was accepted, whether or not the customer was told."""
        self._write(
            {
                "sid": call.sid,
                "event": "accepted",
                "to": call.request.to,
                "from": call.request.from_,
                "attempt": call.attempt,
                "persona": persona,
            }
        )

    def reached(self, call: PhoneCall) -> None:
        """Note a call's new status."""
        self._write(
            {
                "sid": call.sid,
                "event": "status",
                "status": call.status,
                "sip_code": call.sip_code,
                "duration": call.duration,
                "error_codes": call.error_codes,
            }
        )

    def entries(self) -> list[dict[str, Any]]:
        """Return every accepted call, oldest first, with its `statuses`."""
        return list(self._entries.values())

    def count(self, number: str) -> int:
        """Return how many calls to `number` were ever accepted."""
        return sum(entry["to"] == number for entry in self._entries.values())

    def _write(self, line: dict[str, Any]) -> None:
        line |= {"at": self._clock.now().isoformat(), "at_real": datetime.now(UTC).isoformat()}
        append_line(self._path, line)
        self._apply(line)

    def _apply(self, line: dict[str, Any]) -> None:
        if line["event"] == "accepted":
            entry = {name: line[name] for name in ("sid", "to", "from", "attempt", "persona")}
            self._entries[line["sid"]] = entry | {
                "accepted_at": line["at"],
                "accepted_at_real": line["at_real"],
                "status": "queued",
                "statuses": [],
                "answered": False,
                "ended_at": None,
                "duration": None,
                "sip_code": None,
                "error_codes": [],
            }
            return
        entry = self._entries[line["sid"]]
        entry["statuses"].append({name: line[name] for name in ("status", "at", "at_real")})
        entry |= {name: line[name] for name in ("status", "sip_code", "duration", "error_codes")}
        entry["answered"] = entry["answered"] or line["status"] == "in-progress"
        if line["status"] not in ("initiated", "ringing", "in-progress"):
            entry["ended_at"] = line["at"]


class CalleeLedger:
    """What the people's ears recorded, one line per answered call."""

    def __init__(self, *, path: Path) -> None:
        self._path = path
        self._records = read_lines(path)

    def record(self, record: dict[str, Any]) -> None:
        """Keep one call's record."""
        append_line(self._path, record)
        self._records.append(record)

    def records(self) -> list[dict[str, Any]]:
        """Return every record, oldest first."""
        return list(self._records)


def append_line(path: Path, line: dict[str, Any]) -> None:
    """Append one JSON line to `path`."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the JSON lines of `path`; a last one that was cut off by a crash is left out."""
    if not path.exists():
        return []
    lines: list[dict[str, Any]] = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines
