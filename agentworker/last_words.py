"""What the person said last and nobody answered, because they hung up: understood after the call."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

from livekit.agents import APIConnectOptions, APIError, llm

from agentworker.actions import CallActions, ImpossibleAction
from outreach.domain.disposition import Disposition

logger = logging.getLogger(__name__)

WITHIN = 6.0
"""Seconds that the model gets; the end of the call waits for it."""
#: Tools whose effect outlives the call.
LASTING = frozenset(
    {
        "take_note",
        "schedule_callback",
        "ask_for_human",
        "mark_interested",
        "mark_not_interested",
        "wrong_person",
        "stop_calling_me",
    }
)
_TASK = (
    "The person has hung up; nobody hears you any more. Record with the tools what their last words ask for: "
    "above all whether they never want to be called again. Use no tool when they ask for nothing."
)


async def act_on_last_words(
    *,
    model: llm.LLM[Any],
    context: llm.ChatContext,
    words: list[str],
    tools: Sequence[llm.Tool | llm.Toolset],
    actions: CallActions,
) -> list[str]:
    """Let the model use the lasting tools on `words`; return the tools that had an effect.

    A model that is down or slow changes nothing: the call ends as it is.
    """
    context = context.copy()
    context.add_message(role="system", content=_TASK)
    context.add_message(role="user", content=" ".join(words))
    lasting = [tool for tool in tools if isinstance(tool, llm.Tool) and tool.id in LASTING]
    try:
        calls = await asyncio.wait_for(_ask(model, context, lasting), WITHIN)
    except (APIError, TimeoutError) as exc:
        logger.warning("the last words were not understood", extra={"error": type(exc).__name__})
        return []
    return [call.name for call in calls if _act(call, actions)]


async def _ask(
    model: llm.LLM[Any], context: llm.ChatContext, tools: list[llm.Tool]
) -> list[llm.FunctionToolCall]:
    calls: list[llm.FunctionToolCall] = []
    options = APIConnectOptions(max_retry=1, timeout=WITHIN)
    async with model.chat(chat_ctx=context, tools=tools, conn_options=options) as stream:
        async for chunk in stream:
            if chunk.delta is not None:
                calls.extend(chunk.delta.tool_calls)
    return calls


def _act(call: llm.FunctionToolCall, actions: CallActions) -> bool:
    try:
        arguments = json.loads(call.arguments or "{}")
        return isinstance(arguments, dict) and _perform(call.name, arguments, actions)
    except (ValueError, ImpossibleAction):
        return False


def _perform(name: str, arguments: dict[str, Any], actions: CallActions) -> bool:
    reason, when = str(arguments.get("reason", "")), str(arguments.get("when", ""))
    if name == "stop_calling_me":
        actions.opt_out(how="last_words")
    elif name == "mark_not_interested":
        actions.record_outcome(Disposition.NOT_INTERESTED, reason=reason)
    elif name == "mark_interested":
        actions.record_outcome(Disposition.INTERESTED, reason=reason)
    elif name == "wrong_person":
        actions.record_outcome(Disposition.WRONG_PERSON, reason=reason)
    elif name == "schedule_callback":
        actions.agree_callback(when=when, reason=reason, by="alex")
    elif name == "ask_for_human":
        actions.ask_for_human(reason=reason, when=when)
    elif name == "take_note":
        actions.take_note(text=str(arguments.get("text", "")))
    else:
        return False
    return True
