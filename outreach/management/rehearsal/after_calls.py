"""What followed the calls of a rehearsal: each conversation summed up, each call with its cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from outreach.domain.summary import NO_CONVERSATION
from outreach.management.rehearsal.evidence import OurCall

_MACHINES = {who.value for who in NO_CONVERSATION}


def counted_after(calls: Sequence[OurCall]) -> dict[str, int | str]:
    """Return the figures: conversations, what was read out of them, what all calls cost."""
    cost = sum((call.cost or Decimal(0) for call in calls), Decimal(0))
    return {
        "conversations": sum(_is_conversation(call) for call in calls),
        "summaries": sum(call.summary == "made" for call in calls),
        "answers": sum(call.answers for call in calls),
        "answers_dropped": sum(call.answers_dropped for call in calls),
        "cost": f"{cost:.4f}",
        "billed": sum(call.cost_state == "billed" for call in calls),
    }


def missing_after(calls: Sequence[OurCall]) -> list[tuple[int, str]]:
    """Return how many calls were not followed up, with the sentence that says so.

    A summary that waits for a later try, or was given up, says why: models may fail, and then they do.
    """
    silent = sum(_is_conversation(call) and call.summary in ("", "due") for call in calls)
    uncounted = sum(_is_over(call) and (not call.cost_state or call.cost is None) for call in calls)
    return [
        (silent, f"after the call: {silent} conversations have neither a summary nor a reason why not"),
        (uncounted, f"after the call: {uncounted} calls have no cost"),
    ]


def _is_over(call: OurCall) -> bool:
    """Tell whether nothing of the call can still come: its last words are stored, or it had none."""
    return call.settled and not (call.answered and call.transcript == "open")


def _is_conversation(call: OurCall) -> bool:
    spoke = any(speaker == "person" for speaker, _ in call.turns)
    return _is_over(call) and call.answered and spoke and call.answered_by not in _MACHINES
