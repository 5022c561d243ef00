"""What `up` keeps between runs: the lock on its data, and the secrets that it made."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class DataInUse(Exception):
    """Another process runs on the same data."""


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold `directory` alone; the kernel lets go of it however this process ends.

    :raises DataInUse: when somebody else holds it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise DataInUse(
                f"Outreach already runs on {directory} (PID {file.read().strip() or 'unknown'}): "
                "stop it with Ctrl-C first, or pass another --data DIR and other ports."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def kept_secrets(directory: Path, *, rehearsal: bool) -> dict[str, str]:
    """Return the secrets of this data directory, made at random when it is new (mode 0600).

    Outside a rehearsal the keys of services are the operator's own: ours is what our own processes share.
    """
    path = directory / "secrets.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = {
        "FLOWER_PASSWORD": secrets.token_urlsafe(12),
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "AGENT_SECRET": secrets.token_urlsafe(32),
    }
    if rehearsal:
        made |= {
            "TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
            "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
            "LIVEKIT_API_KEY": "API" + secrets.token_hex(6),
            "LIVEKIT_API_SECRET": secrets.token_urlsafe(32),
            "SIP_PASSWORD": secrets.token_urlsafe(16),
            "GROQ_API_KEY": "gsk_" + secrets.token_urlsafe(24),
        }
    if not made.keys() <= kept.keys():
        kept = made | kept
        path.touch(mode=0o600)
        path.write_text(json.dumps(kept, indent=2))
    return kept
