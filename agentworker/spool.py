"""The local log of one call: everything that Alex knows is on disk before it travels.

One append-only JSONL file per job, `<call id>.<job id>.jsonl`. Its writer holds an exclusive lock for as
long as it lives, so whoever finds a file without one knows that its job is over or dead. A write reaches
the page cache at once, which a killed process cannot take back; a machine that loses power may.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from outreach.domain.contracts import (
    FACT,
    WORD,
    AnyFact,
    AnyWord,
    End,
    NoteWord,
    Stage,
    TurnWord,
)

SUFFIX = ".jsonl"


class SpoolTaken(Exception):
    """Another process holds the lock on this spool: its call is alive."""


class Spool:
    """One call's log, open and locked."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Open and lock the spool.

        :raises SpoolTaken: when somebody else holds it.
        :raises FileNotFoundError: when it is gone and `create` is false.
        """
        self.path = path
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        if create:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise SpoolTaken(str(path)) from None

    def word(self, word: AnyWord) -> None:
        """Log a word."""
        self._append("word", word.model_dump(mode="json"))

    def piece(self, *, seq: int, text: str, stage: Stage, at: datetime) -> None:
        """Log a piece of a turn of Alex's that is not over yet."""
        self._append("piece", {"seq": seq, "text": text, "stage": stage, "at": at.isoformat()})

    def fact(self, fact: AnyFact) -> None:
        """Log a fact that must reach the product."""
        self._append("fact", fact.model_dump(mode="json"))

    def settled(self, fact_id: UUID) -> None:
        """Log that a fact was taken, or definitely refused."""
        self._append("settled", str(fact_id))

    def accepted(self, *, at: datetime) -> None:
        """Log that the product let this job hold the call."""
        self._append("accepted", at.isoformat())

    def delete(self) -> None:
        """Remove the file and let go of the lock."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the lock; the file stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def read(self) -> Leftover:
        """Return what the log holds; a torn last line is dropped."""
        call_id = UUID(self.path.name.split(".", 1)[0])
        return _read(call_id, self.path.read_bytes())

    def _append(self, kind: str, value: Any) -> None:
        os.write(self._file, json.dumps([kind, value], separators=(",", ":")).encode() + b"\n")


@dataclass
class Leftover:
    """What a spool says about its call."""

    call_id: UUID
    accepted: bool = False
    turns: dict[int, TurnWord] = field(default_factory=dict)
    notes: dict[int, NoteWord] = field(default_factory=dict)
    facts: dict[UUID, AnyFact] = field(default_factory=dict)
    settled: set[UUID] = field(default_factory=set)
    last_at: datetime | None = None

    @property
    def unsettled(self) -> list[AnyFact]:
        """Facts that still have to travel, in order."""
        return [fact for fact_id, fact in self.facts.items() if fact_id not in self.settled]

    @property
    def ended(self) -> bool:
        """Tell whether the job itself said how its call ended."""
        return any(isinstance(fact, End) for fact in self.facts.values())

    @property
    def n_turns(self) -> int:
        """How many turns were numbered."""
        return max(self.turns, default=0)

    @property
    def n_notes(self) -> int:
        """How many notes were numbered."""
        return max(self.notes, default=0)


def spools(directory: Path) -> list[Path]:
    """Return the spools in `directory`, oldest first."""
    return sorted(directory.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)


def spool_path(directory: Path, *, call_id: UUID, job_id: str) -> Path:
    """Return where the job's spool lies."""
    return directory / f"{call_id}.{job_id}{SUFFIX}"


def _read(call_id: UUID, raw: bytes) -> Leftover:
    found = Leftover(call_id)
    pieces: dict[int, dict[str, Any]] = {}
    for line in raw.splitlines():
        try:
            kind, value = json.loads(line)
        except ValueError:
            continue
        _note(found, pieces, kind, value)
    for seq, piece in pieces.items():
        if seq not in found.turns:
            found.turns[seq] = TurnWord(call_id=call_id, speaker="alex", interrupted=True, seq=seq, **piece)
    return found


def _note(found: Leftover, pieces: dict[int, dict[str, Any]], kind: str, value: Any) -> None:
    if kind == "word":
        word = WORD.validate_python(value)
        found.last_at = word.at
        if isinstance(word, TurnWord):
            found.turns[word.seq] = word
        elif isinstance(word, NoteWord):
            found.notes[word.seq] = word
    elif kind == "piece":
        seq = value.pop("seq")
        so_far = pieces.get(seq)
        pieces[seq] = {**value, "text": (so_far["text"] if so_far else "") + value["text"]}
        found.last_at = datetime.fromisoformat(value["at"])
    elif kind == "fact":
        fact = FACT.validate_python(value)
        found.facts[fact.fact_id] = fact
        found.last_at = fact.at
    elif kind == "settled":
        found.settled.add(UUID(value))
    elif kind == "accepted":
        found.accepted = True
        found.last_at = datetime.fromisoformat(value)
