"""Whether a campaign's state and its first and last day let a call of one kind be dialled."""

from __future__ import annotations

from datetime import datetime

from outreach.domain.standing import CallKind

RUNNING, DRAFT, FINISHED = "running", "draft", "finished"


def why_not(
    *,
    kind: CallKind,
    state: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
    keeps_callbacks: bool,
    now: datetime,
) -> str:
    """Return why the campaign has nobody called for such a reason at `now`; empty when it has.

    What an operator asks for by hand is bound by no first and last day; a promise outlives the end.

    :param keeps_callbacks: whether promised callbacks are still made once it is over.
    """
    if kind is CallKind.MANUAL:
        return "" if state in (RUNNING, DRAFT, FINISHED) else f"The campaign is {state}."
    if is_over(state=state, ends_at=ends_at, now=now):
        return "" if kind is CallKind.CALLBACK and keeps_callbacks else "The campaign is finished."
    if state != RUNNING:
        return f"The campaign is {state}."
    return "The campaign's first day has not come yet." if starts_at and now < starts_at else ""


def is_over(*, state: str, ends_at: datetime | None, now: datetime) -> bool:
    """Tell whether nobody new is to be called any more."""
    return state == FINISHED or (state == RUNNING and ends_at is not None and now >= ends_at)
