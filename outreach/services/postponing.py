"""Putting somebody off until a moment that an operator chooses."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from outreach.domain import defaults
from outreach.domain.standing import CALLABLE, Standing
from outreach.models import Callback, CallbackState, Decision, Facilitator
from outreach.services import clock

POSTPONED = "postponed"
_CALLABLE = sorted(standing.value for standing in CALLABLE)


@transaction.atomic
def postpone(*, facilitator_id: int, until: datetime, by: str) -> bool:
    """Let nobody call this person before `until`; return whether they were waiting to be called.

    The gate looks at them then as at everybody. A promised callback stays promised: put off by us, it
    counts as missed.
    """
    now = clock.now()
    reason = f"Put off by {by}."[:300]
    waiting = Facilitator.objects.filter(pk=facilitator_id, standing__in=_CALLABLE)
    waiting.filter(standing=Standing.NEW.value).update(standing=Standing.WAITING.value)
    moved = waiting.update(
        next_call_at=until, not_called_code=POSTPONED, not_called_reason=reason, updated_at=now
    )
    if moved:
        late = until - timedelta(seconds=defaults.CALLBACK_MISSED_AFTER)
        promised = Callback.objects.filter(facilitator_id=facilitator_id, state=CallbackState.PROMISED)
        promised.filter(promised_at__lt=late).update(was_missed=True)
        Decision.objects.create(
            facilitator_id=facilitator_id, code=POSTPONED, reason=reason, next_call_at=until, decided_at=now
        )
    return bool(moved)
