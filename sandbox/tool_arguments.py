"""Fill a tool's arguments from its JSON schema and from what is meant, whatever its author called them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_KINDS: tuple[tuple[str, str], ...] = (
    ("stage", r"stage"),
    ("when", r"when|time|date|iso"),
    ("reason", r"reason|why|because"),
    ("note", r"note|text|summary|words|said|what"),
)
"""Kind of meaning, and how a parameter for it is called."""


def arguments_for(tool: Mapping[str, Any], meaning: Mapping[str, str]) -> dict[str, Any]:
    """Return a value for every property of the tool's parameters."""
    properties: Mapping[str, Any] = (tool.get("parameters") or {}).get("properties") or {}
    return {name: _value(name, schema, meaning) for name, schema in properties.items()}


def _value(name: str, schema: Mapping[str, Any], meaning: Mapping[str, str]) -> Any:
    kind = next((kind for kind, pattern in _KINDS if re.search(pattern, name, re.IGNORECASE)), None)
    meant = meaning.get(kind or "")
    options = schema.get("enum")
    if options:
        return meant if meant in options else options[0]
    types = schema.get("type", "string")
    types = types if isinstance(types, list) else [types]
    if meant is not None and "string" in types:
        return meant
    if "null" in types:
        return None
    blanks: dict[str, Any] = {"boolean": True, "integer": 0, "number": 0, "array": [], "object": {}}
    return blanks.get(types[0], "")
