"""How the row of a talk in the browser moves: no carrier tells, so what Alex says moves it, else the sweep.

Only the talk's own row changes. Nobody's standing, number or promise hangs on it, whoever was played.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from outreach.domain.call_status import OPEN, CallStatus
from outreach.models import Call
from outreach.services import clock
from outreach.services.settling import settle

logger = logging.getLogger(__name__)


def begin(call: Call, *, now: datetime) -> None:
    """Note that the two hear each other. The caller holds the row's lock and saves it."""
    if CallStatus(call.status) is not CallStatus.PREPARING:
        return
    call.status = CallStatus.IN_PROGRESS.value
    call.answered_at = now
    call.deadline_at = now + timedelta(seconds=call.campaign.max_duration + 60)


def conclude(call: Call, *, now: datetime) -> None:
    """Note that the talk is over. The caller holds the row's lock, saves it and settles it."""
    if CallStatus(call.status) not in OPEN:
        return
    if call.answered_at is None and call.n_turns:
        call.answered_at = now
    call.status = (CallStatus.CANCELED if call.answered_at is None else CallStatus.COMPLETED).value
    call.ended_at = now
    if call.answered_at is not None:
        call.duration_seconds = round((now - call.answered_at).total_seconds())


@transaction.atomic
def conclude_lost(*, call_id: UUID, code: str, reason: str) -> bool:
    """End a talk whose end nobody has told us; return whether it was still open.

    :param code: our word for what went wrong, unless Alex has said his last word already.
    """
    call = Call.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=call_id)
    if CallStatus(call.status) not in OPEN:
        return False
    now = clock.now()
    if call.end_received_at is None:
        call.our_fault = True
        call.failure_code = call.failure_code or code
        call.failure_reason = call.failure_reason or reason
    conclude(call, now=now)
    call.save()
    settle(call, now=now, late=True)
    logger.warning("talk in the browser ended by the sweep", extra={"call_id": str(call_id), "code": code})
    return True
