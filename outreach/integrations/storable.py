"""What PostgreSQL can store of text that came from outside."""

from __future__ import annotations

from typing import Any


def storable(value: Any) -> Any:
    """Return a JSON value without what no text column takes: NUL characters and lone surrogates.

    A model or a transcriber can produce either; refusing the whole report would lose an opt-out for
    the sake of one invisible character.
    """
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value
