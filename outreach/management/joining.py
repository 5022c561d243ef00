"""Letting other commands work beside `manage.py up`, which makes keys and addresses that only it knows.

No Django here: this runs before the settings are read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import environ

from outreach.domain.dialing_mode import DialingMode

PUBLISHED = "environment.json"


def data_directory(base: Path) -> Path:
    """Return where `manage.py up` keeps its data in the mode that the environment names, by default."""
    mode = os.environ.get("DIALING") or DialingMode.REHEARSAL.value
    return base / ".state" / ("up" if mode == DialingMode.REHEARSAL.value else f"up-{mode}")


def publish(directory: Path, names: Iterable[str]) -> None:
    """Write what these variables hold to `directory`, readable by its owner only."""
    draft = directory / f"{PUBLISHED}.{os.getpid()}"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({name: os.environ[name] for name in sorted(names)}), encoding="utf-8")
    draft.replace(directory / PUBLISHED)


def join_running(base: Path) -> bool:
    """Take over the environment of the `manage.py up` that runs in this mode; return whether one does.

    Whoever names another database, or ignores `.env` as tests do, joins nobody.
    """
    if os.environ.get("OUTREACH_IGNORE_DOTENV"):
        return False
    environ.Env.read_env(base / ".env")
    directory = data_directory(base)
    if not _runs(directory):
        return False
    published: dict[str, str] = json.loads((directory / PUBLISHED).read_text(encoding="utf-8"))
    named = os.environ.get("DATABASE_URL", "").strip()
    if named and named != published.get("DATABASE_URL", named):
        return False
    os.environ.update(published)
    return True


def _runs(directory: Path) -> bool:
    """Tell whether the process that wrote its id into the lock of `directory` is still there."""
    try:
        holder = int((directory / "lock").read_text(encoding="utf-8"))
        os.kill(holder, 0)
    except PermissionError:
        return (directory / PUBLISHED).exists()
    except (OSError, ValueError):
        return False
    return (directory / PUBLISHED).exists()
