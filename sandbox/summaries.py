"""The scripted model as a record keeper: a conversation's summary and fields, in the form that was asked for.

Now and then it quotes words that nobody spoke, as models do.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.groq_account import GroqRefused

#: Models that are held to a schema strictly. https://console.groq.com/docs/structured-outputs
STRICT_MODELS = frozenset({"openai/gpt-oss-20b", "openai/gpt-oss-120b"})
#: One quote in so many is made up.
MADE_UP_EVERY = 7
MADE_UP = "as I always say to everybody"
VALUE_WORDS = 10

_COMMON = frozenset(
    {"what", "which", "does", "kind", "with", "most", "many", "much", "have", "their", "your", "they", "work"}
)


def check_format(body: Mapping[str, Any]) -> None:
    """Refuse what Groq refuses of structured outputs.

    :raises GroqRefused: for streaming, tools, a model that cannot, or a schema that strict mode refuses.
    """
    wanted = body.get("response_format") or {}
    if wanted.get("type") != "json_schema":
        return
    asked = wanted.get("json_schema") or {}
    if body.get("stream") or body.get("tools"):
        raise GroqRefused(400, "response_format `json_schema` does not support streaming or tool use")
    if asked.get("strict") and body.get("model") not in STRICT_MODELS:
        raise GroqRefused(400, "This model does not support response format `json_schema`.")
    if asked.get("strict"):
        for schema in _objects(asked.get("schema") or {}):
            if schema.get("additionalProperties") is not False:
                raise GroqRefused(400, "invalid JSON schema: 'additionalProperties' must be false")
            if set(schema.get("required", ())) != set(schema.get("properties", {})):
                raise GroqRefused(400, "invalid JSON schema: every property must be in 'required'")


def record_of(body: Mapping[str, Any], *, seed: int) -> str | None:
    """Return the record of the conversation in a request for one, or None for any other request."""
    schema = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema") or {}
    if "summary" not in (schema.get("properties") or {}):
        return None
    document = json.loads(body["messages"][-1]["content"])
    turns: Sequence[Mapping[str, Any]] = document["turns"]
    record: dict[str, Any] = {"summary": _summary(turns)}
    if "fields" in schema["properties"]:
        record["fields"] = [
            found for field in document["fields"] if (found := _field(field, turns, seed=seed)) is not None
        ]
    return json.dumps(record)


def _objects(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if schema.get("type") == "object":
        yield schema
    for inner in (*(schema.get("properties") or {}).values(), schema.get("items")):
        if isinstance(inner, Mapping):
            yield from _objects(inner)


def _summary(turns: Sequence[Mapping[str, Any]]) -> str:
    said = [turn["text"] for turn in turns if turn["speaker"] == "person"]
    if not said:
        return "The person said nothing."
    last = f' Their last words were: "{said[-1]}"' if len(said) > 1 else ""
    return f'The person answered with "{said[0]}".{last}'


def _field(
    field: Mapping[str, Any], turns: Sequence[Mapping[str, Any]], *, seed: int
) -> dict[str, Any] | None:
    """Return the person's answer after Alex's question about the same thing; None when he did not ask."""
    wanted = _topics(field["question"])
    asked = False
    for turn in turns:
        if turn["speaker"] == "alex":
            asked = "?" in turn["text"] and len(wanted & _topics(turn["text"])) * 2 >= len(wanted)
        elif asked:
            quote = " ".join(turn["text"].split()[:VALUE_WORDS])
            value = quote.strip(".,!? ")
            if _die(seed, field["name"], turns) == 0:
                quote = MADE_UP
            return {"name": field["name"], "value": value, "turn": turn["turn"], "quote": quote}
    return None


def _topics(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]{4,}", text.lower()) if word not in _COMMON}


def _die(seed: int, name: str, turns: Sequence[Mapping[str, Any]]) -> int:
    """Return the throw for one field of this very conversation."""
    said = "/".join(turn["text"] for turn in turns)
    digest = hashlib.sha256(f"{seed}/{name}/{said}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % MADE_UP_EVERY
