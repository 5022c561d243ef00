"""The file that a backup is: a tar with a manifest, the dump, and the spools."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from outreach.management.backup.database import BackupProblem

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"
SPOOL = "spool"


class Manifest(BaseModel):
    """What a backup says about itself."""

    model_config = ConfigDict(frozen=True)

    format: int
    mode: str
    """The DIALING mode that the database belongs to; "" when it never dialled."""
    made_at: datetime
    postgresql: int
    """The server's major version."""
    migrations: Mapping[str, str]
    """The last migration of each app."""
    rows: Mapping[str, int]
    """Rows per table, at the very moment of the dump."""
    files: Mapping[str, str]
    """SHA-256 per file."""


def pack(directory: Path, *, into: Path) -> None:
    """Write everything in `directory` into the file `into`, whole or not at all, for its owner only."""
    draft = into.with_name(f".{into.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                # The manifest first: whoever asks what this is need not read all of it.
                for path in sorted(directory.rglob("*"), key=lambda path: (path.name != MANIFEST, path)):
                    if path.is_file():
                        tar.add(path, arcname=str(path.relative_to(directory)))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(into)
    finally:
        draft.unlink(missing_ok=True)


def unpack(file: Path, *, into: Path) -> Manifest:
    """Unpack a backup into the empty directory `into` and return what it says about itself.

    :raises BackupProblem: when it is no backup, of a newer format, or not what was written.
    """
    try:
        with tarfile.open(file, mode="r:") as tar:
            tar.extractall(into, filter="data")
        manifest = Manifest.model_validate_json((into / MANIFEST).read_bytes())
    except (tarfile.TarError, OSError, ValidationError) as problem:
        raise BackupProblem(f"{file} is no whole backup of ours ({type(problem).__name__}).") from problem
    if manifest.format > FORMAT:
        raise BackupProblem(f"{file} was made by newer code: restore it with that.")
    found = digests(into)
    if found != dict(manifest.files):
        wrong = sorted(
            name for name in found.keys() | manifest.files.keys() if differs(name, found, manifest)
        )
        raise BackupProblem(f"{file} is damaged: {', '.join(wrong)}. Take another backup.")
    return manifest


def differs(name: str, found: Mapping[str, str], manifest: Manifest) -> bool:
    """Tell whether a file is not the one that was packed."""
    return found.get(name) != manifest.files.get(name)


def digests(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of every file but the manifest."""
    found = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_file() and name != MANIFEST:
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
