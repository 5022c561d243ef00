"""A chat-completions request read as a dialogue: what Alex knows, what was said, which tools he has used."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_NOW = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})")
_NOW_IN_WORDS = re.compile(r"(\d{1,2}) ([A-Z][a-z]+) (\d{4}),?(?: at)? (\d{1,2}:\d{2})")


@dataclass(frozen=True)
class Said:
    """An utterance: by alex, or by the person."""

    speaker: str
    text: str


@dataclass(frozen=True)
class Used:
    """A tool that Alex used, and what came back ("" while nothing has)."""

    name: str
    arguments: Mapping[str, Any]
    result: str = ""


@dataclass(frozen=True)
class Dialogue:
    """One request's dialogue; `tools` are the offered functions by name."""

    instructions: str
    turns: Sequence[Said | Used]
    tools: Mapping[str, Mapping[str, Any]]
    may_use_tools: bool = True

    @property
    def last_heard(self) -> str:
        """What the person said since Alex last spoke, as one text."""
        heard: list[str] = []
        for turn in reversed(self.turns):
            if isinstance(turn, Said):
                if turn.speaker == "alex":
                    if heard:
                        break
                    # Words of his own after the person's belong to the answer that is under way.
                    continue
                heard.append(turn.text)
        return " ".join(reversed(heard))

    @property
    def answered_already(self) -> bool:
        """Tell whether Alex was the last to speak."""
        spoken = [turn for turn in self.turns if isinstance(turn, Said)]
        return bool(spoken) and spoken[-1].speaker == "alex"

    @property
    def alex_lines(self) -> list[str]:
        """Everything that Alex has said."""
        return [turn.text for turn in self.turns if isinstance(turn, Said) and turn.speaker == "alex"]

    @property
    def person_lines(self) -> list[str]:
        """Everything that the person has said."""
        return [turn.text for turn in self.turns if isinstance(turn, Said) and turn.speaker == "person"]

    @property
    def used(self) -> list[Used]:
        """Every tool that Alex has used."""
        return [turn for turn in self.turns if isinstance(turn, Used)]

    @property
    def used_now(self) -> list[Used]:
        """The tools that he has used since somebody last spoke."""
        uses: list[Used] = []
        for turn in reversed(self.turns):
            if isinstance(turn, Said):
                break
            uses.append(turn)
        return uses[::-1]

    @property
    def now(self) -> datetime:
        """The person's local time, as the instructions give it; UTC when they give none."""
        if (iso := _NOW.search(self.instructions)) is not None:
            return datetime.fromisoformat(f"{iso[1]}T{iso[2]}")
        if (words := _NOW_IN_WORDS.search(self.instructions)) is not None:
            return datetime.strptime(" ".join(words.groups()), "%d %B %Y %H:%M")  # noqa: DTZ007 - local by meaning
        return datetime.now(UTC).replace(tzinfo=None)


def read(request: Mapping[str, Any]) -> Dialogue:
    """Return the dialogue of a chat-completions request."""
    instructions: list[str] = []
    turns: list[Said | Used] = []
    at_id: dict[str, int] = {}
    for message in request["messages"]:
        role, text = message["role"], _text(message.get("content"))
        if role in {"system", "developer"}:
            instructions.append(text)
        elif role == "tool":
            at = at_id[message["tool_call_id"]]
            call = turns[at]
            if isinstance(call, Used):
                turns[at] = Used(call.name, call.arguments, text)
        elif text:
            turns.append(Said("person" if role == "user" else "alex", text))
        for call in message.get("tool_calls") or []:
            at_id[call["id"]] = len(turns)
            turns.append(Used(call["function"]["name"], _arguments(call["function"]["arguments"])))
    choice = request.get("tool_choice")
    return Dialogue(
        instructions="\n".join(instructions),
        turns=turns,
        tools={tool["function"]["name"]: tool["function"] for tool in request.get("tools") or []},
        may_use_tools=choice != "none",
    )


def _text(content: object) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict)).strip()
    return str(content or "").strip()


def _arguments(text: str) -> dict[str, Any]:
    try:
        arguments = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {}
    return arguments if isinstance(arguments, dict) else {}
