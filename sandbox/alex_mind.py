"""The scripted model: plays Alex's language model, deterministically, from the messages alone.

It keeps nothing between requests, as a real model does. What it wants to do is a `Plan` for the person's
last words; tools that the plan needs are used first, and once their results are in the messages the
plan's line is said. Only tools that the request offers are ever used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sandbox.dialogue import Dialogue, read
from sandbox.judging import PREDICTION, prediction, verdict
from sandbox.planning import Plan, make_plan
from sandbox.tool_arguments import arguments_for

END_CALL = "end_call"


@dataclass(frozen=True)
class ToolUse:
    """A tool call that the model makes."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Thought:
    """What the model answers: words, tool calls, or both."""

    content: str = ""
    uses: tuple[ToolUse, ...] = field(default=())


def think(request: Mapping[str, Any], *, seed: int = 0) -> Thought:
    """Return the model's answer to a chat-completions request."""
    dialogue = read(request)
    if PREDICTION in dialogue.tools:
        return Thought(uses=(ToolUse(PREDICTION, prediction(dialogue)),))
    if (judged := verdict(request, dialogue)) is not None:
        return Thought(judged)
    plan = make_plan(dialogue)
    used = {use.name for use in dialogue.used_now}
    wanted = [name for name in (*plan.tools, *_forced(request)) if name not in used]
    if pending := _uses(wanted, dialogue, plan):
        return Thought(uses=pending)
    content = _worded(plan, dialogue, seed=seed)
    if plan.ends and END_CALL not in used:
        return Thought(content, _uses([END_CALL], dialogue, plan))
    return Thought(content)


def _uses(names: Iterable[str], dialogue: Dialogue, plan: Plan) -> tuple[ToolUse, ...]:
    """Return calls of those tools that are offered and allowed."""
    offered = dialogue.tools if dialogue.may_use_tools else {}
    return tuple(
        ToolUse(name, arguments_for(offered[name], plan.meaning))
        for name in dict.fromkeys(names)
        if name in offered
    )


def _forced(request: Mapping[str, Any]) -> list[str]:
    """Return the tool that the request insists on, if it names one."""
    choice = request.get("tool_choice")
    return [choice["function"]["name"]] if isinstance(choice, Mapping) else []


def _worded(plan: Plan, dialogue: Dialogue, *, seed: int) -> str:
    """Return the plan's line, with what the tools answered."""
    if plan.after is not None and dialogue.used_now:
        return plan.after(dialogue.used_now)
    first = dialogue.person_lines[0] if dialogue.person_lines else ""
    dice = Random(f"{seed}:{first}:{dialogue.now:%M}:{len(dialogue.alex_lines)}")
    return dice.choice(plan.lines)
