"""Celery's entry points: hints that may be lost or repeated. Each loads an id and makes one service call.

A task's one argument is an id; nothing about people travels through the broker.
"""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from outreach.integrations import livekit, twilio
from outreach.services import dialing, dispatching, housekeeping, reconciling, statistics


@shared_task(name="outreach.dial_due", queue="dial", max_retries=0)
def dial_due(**_: object) -> None:
    """Beat's tick: claim callbacks that are due and new people. Idempotent: each row is claimed once."""
    for call_id in {*dispatching.claim_due(), *dispatching.calls_to_prepare()}:
        prepare_call.delay(call_id=str(call_id))
    for call_id in dispatching.calls_to_dial():
        dial_call.delay(call_id=str(call_id))


@shared_task(name="outreach.retry_due", queue="dial", max_retries=0)
def retry_due(**_: object) -> None:
    """Beat's tick: claim people whose retry is due. Idempotent: each row is claimed once."""
    for call_id in dispatching.claim_retries():
        prepare_call.delay(call_id=str(call_id))


@shared_task(name="outreach.prepare_call", queue="dial", max_retries=0)
def prepare_call(*, call_id: str, **_: object) -> None:
    """Send Alex into the room of one claimed call. At most once: a compare-and-set goes first."""
    dialing.prepare_call(call_id=UUID(call_id), rooms=livekit.rooms())


@shared_task(name="outreach.dial_call", queue="dial", max_retries=0)
def dial_call(*, call_id: str, **_: object) -> None:
    """Place one call whose agent is ready. At most once: the committed intent goes first."""
    dialing.dial_call(call_id=UUID(call_id), telephony=twilio.telephony())
    dialing.close_room_of_ended(call_id=UUID(call_id), rooms=livekit.rooms())


@shared_task(name="outreach.close_room", queue="ops", max_retries=0)
def close_room(*, call_id: str, **_: object) -> None:
    """Delete the room of a call whose line is free. Idempotent."""
    dialing.close_room(call_id=UUID(call_id), rooms=livekit.rooms())


@shared_task(name="outreach.hang_up", queue="ops", max_retries=0)
def hang_up(*, call_id: str, **_: object) -> None:
    """End one call at the carrier and in its room. Idempotent."""
    dialing.hang_up(call_id=UUID(call_id), telephony=twilio.telephony(), rooms=livekit.rooms())


@shared_task(name="outreach.sweep_calls", queue="ops", max_retries=0)
def sweep_calls(**_: object) -> None:
    """Beat's tick: look into calls past a deadline or without their agent. Idempotent, one at a time."""
    reconciling.sweep(telephony=twilio.telephony(), rooms=livekit.rooms())


@shared_task(name="outreach.refresh_statistics", queue="ops", max_retries=0)
def refresh_statistics(**_: object) -> None:
    """Beat's tick: count yesterday and today anew. Idempotent."""
    statistics.refresh()


@shared_task(name="outreach.expire_old_events", queue="post", max_retries=0)
def expire_old_events(**_: object) -> None:
    """Beat's tick: delete what need not be kept. Idempotent."""
    housekeeping.expire()
