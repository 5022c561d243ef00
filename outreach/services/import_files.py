"""Where uploaded lists lie until they are imported: a directory of our own, read by nobody else."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

_CHUNK = 1 << 18


class FileGone(Exception):
    """The uploaded file is not kept any more, so it has to be uploaded again."""


def keep(source: BinaryIO) -> str:
    """Copy an uploaded list into the directory and return its name there.

    Both are for the user of our processes alone (0700, 0600). The name says nothing of the people in it.
    """
    directory = _directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = uuid.uuid4().hex
    source.seek(0)
    descriptor = os.open(directory / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as kept:
        shutil.copyfileobj(source, kept, _CHUNK)
    return name


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Open a kept list.

    :raises FileGone: if it is not there.
    """
    try:
        source = (_directory() / name).open("rb") if name else None
    except OSError:
        source = None
    if source is None:
        raise FileGone("The uploaded file is not kept any more: upload it again.")
    with source:
        yield source


def forget(name: str) -> None:
    """Remove a kept list; one that is gone already is no matter."""
    if name:
        (_directory() / name).unlink(missing_ok=True)


def _directory() -> Path:
    return Path(settings.IMPORTS_DIR)
