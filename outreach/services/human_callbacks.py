"""Callbacks that a person promised to make: said to be done by whoever made them, also when late."""

from __future__ import annotations

from enum import StrEnum

from django.db import transaction

from outreach.models import Callback, CallbackState
from outreach.services import attending, clock
from outreach.services.attending import Outcome


class Done(StrEnum):
    """How a person's callback ended."""

    ON_TIME = "on_time"
    LATE = "late"
    NOT_NEEDED = "not_needed"


_STATES = {
    Done.ON_TIME: CallbackState.KEPT,
    Done.LATE: CallbackState.MISSED,
    Done.NOT_NEEDED: CallbackState.CANCELED,
}


class CannotConclude(Exception):
    """Nothing was changed; the sentence says why, and what to do."""


@transaction.atomic
def conclude(*, callback_id: int, done: Done, outcome: Outcome | None, note: str, by: str) -> Callback:
    """Close a callback that a person made, or that nobody needs any more.

    :param outcome: how the person is closed with it; None: they stay under review.
    :raises CannotConclude: for Alex's callbacks, and those that are closed.
    """
    callback = Callback.objects.select_for_update().get(pk=callback_id)
    if callback.by != "human":
        raise CannotConclude("Alex makes this call. Close or hold the person if it must not be made.")
    if callback.state != CallbackState.PROMISED:
        raise CannotConclude("This callback is closed already.")
    now = clock.now()
    callback.state = _STATES[done].value
    callback.was_missed = callback.was_missed or done is Done.LATE
    callback.closed_at = now
    callback._change_reason = note[:100] or None  # type: ignore[attr-defined]
    callback._history_date = now  # type: ignore[attr-defined]
    callback.save(update_fields=["state", "was_missed", "closed_at"])
    if outcome is not None:
        reason = note or "After a call by a person"
        attending.close(facilitator_ids=[callback.facilitator_id], outcome=outcome, by=by, reason=reason)
    return callback
