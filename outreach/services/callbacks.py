"""Promised callbacks: agreed, kept, missed visibly, or handed to a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from outreach.domain import defaults
from outreach.domain.call_window import CallWindow, UnknownZone, next_open, zones_of
from outreach.domain.contracts import CallbackAgreed
from outreach.domain.gate import GateRules
from outreach.models import Call, Callback, CallbackState, Facilitator


def agree(call: Call, fact: CallbackAgreed, *, now: datetime) -> Callback:
    """Store what was agreed in `call`, in place of an earlier promise."""
    Callback.objects.filter(facilitator_id=call.facilitator_id, state=CallbackState.PROMISED).update(
        state=CallbackState.CANCELED, closed_at=now
    )
    return Callback.objects.create(
        facilitator_id=call.facilitator_id,
        agreed_in=call,
        promised_at=max(fact.promised_at, now),
        time_zone=call.facilitator.time_zone,
        by=fact.by,
        reason=fact.reason[:300],
        caller_id=call.caller_id,
        evidence_seq=fact.evidence_seq,
        created_at=now,
    )


def close(facilitator_id: int, state: CallbackState, *, now: datetime) -> None:
    """Close the open promise of a person, if there is one."""
    Callback.objects.filter(facilitator_id=facilitator_id, state=CallbackState.PROMISED).update(
        state=state, closed_at=now
    )


def dialled(call: Call, *, now: datetime) -> None:
    """Note that the call for a promise is being placed: kept within ten minutes of it, else missed."""
    if call.callback_id is None:
        return
    callback = Callback.objects.select_for_update().get(pk=call.callback_id)
    if callback.state != CallbackState.PROMISED:
        return
    late = now - callback.promised_at > timedelta(seconds=defaults.CALLBACK_KEPT_WITHIN)
    callback.state = CallbackState.MISSED if late or callback.was_missed else CallbackState.KEPT
    callback.closed_at = now
    callback.save(update_fields=["state", "closed_at"])


def same_time_later(
    promised_at: datetime, *, person: Facilitator, window: CallWindow, after: datetime, margin: timedelta
) -> datetime | None:
    """Return the next moment after `after` at the local time of `promised_at` when they may be called."""
    try:
        zones = zones_of(time_zone=person.time_zone, country=person.country)
    except UnknownZone:
        return None
    zone = ZoneInfo(zones[0])
    local = promised_at.astimezone(zone)
    for days in range(1, 15):
        slot = (local.replace(fold=0) + timedelta(days=days)).astimezone(ZoneInfo("UTC"))
        if slot <= after:
            continue
        opens = next_open(window=window, zones=zones, country=person.country, after=slot, margin=margin)
        if opens is not None and opens - slot < timedelta(hours=1):
            return opens
    return next_open(window=window, zones=zones, country=person.country, after=after, margin=margin)


def move_missed_callback(person: Facilitator, *, rules: GateRules, now: datetime) -> bool:
    """Move on a promise that we would keep more than thirty minutes late; return whether it was one.

    Never silently: it is flagged missed and moved to the next such slot. The caller saves `person`.
    """
    missed_after = timedelta(seconds=defaults.CALLBACK_MISSED_AFTER)
    callback = Callback.objects.filter(facilitator=person, state=CallbackState.PROMISED).first()
    if callback is None or person.next_call_at is None or now - person.next_call_at <= missed_after:
        return False
    slot = same_time_later(
        callback.promised_at, person=person, window=rules.callback_window, after=now, margin=rules.margin
    )
    if slot is None:
        return False
    Callback.objects.filter(pk=callback.pk).update(was_missed=True)
    person.next_call_at = slot
    person.not_called_code = "callback_missed"
    person.not_called_reason = (
        "We were more than 30 minutes late for the promised time; moved to the next such slot."
    )
    person.updated_at = now
    return True
