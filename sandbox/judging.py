"""Requests that ask the model to judge words instead of conversing: who answered, or a JSON verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agentworker.answering import judge_words
from outreach.domain.disposition import AnsweredBy
from sandbox.dialogue import Dialogue
from sandbox.understanding import Wish, understand

PREDICTION = "save_prediction"
"""The tool by which LiveKit's answering-machine detector takes its verdict."""
_LABELS: Mapping[AnsweredBy, str] = {
    AnsweredBy.HUMAN: "human",
    AnsweredBy.VOICEMAIL: "machine-vm",
    AnsweredBy.IVR: "machine-ivr",
    AnsweredBy.SCREENING: "machine-ivr",
    AnsweredBy.UNAVAILABLE: "machine-unavailable",
    AnsweredBy.UNCERTAIN: "uncertain",
}


def prediction(dialogue: Dialogue) -> dict[str, Any]:
    """Return the arguments of the detector's tool for a greeting."""
    return {"label": _LABELS[judge_words(dialogue.last_heard)]}


def verdict(request: Mapping[str, Any], dialogue: Dialogue) -> str | None:
    """Return a JSON object for the schema that the request asks for, None when it asks for none."""
    wanted = request.get("response_format") or {}
    if wanted.get("type") not in {"json_schema", "json_object"}:
        return None
    schema = (wanted.get("json_schema") or {}).get("schema") or {}
    wish = understand(dialogue.last_heard)
    return json.dumps({name: _field(field, wish) for name, field in (schema.get("properties") or {}).items()})


def _field(schema: Mapping[str, Any], wish: Wish) -> Any:
    if options := schema.get("enum"):
        return next((option for option in options if wish.value in str(option)), options[-1])
    blanks: dict[str, Any] = {
        "boolean": wish is Wish.STOP, "integer": 0, "number": 0, "array": [], "object": {},
    }  # fmt: skip
    return blanks.get(schema.get("type", "string"), wish.value)
