"""Promised callbacks: agreed, kept, missed visibly, or handed to a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from outreach.domain import defaults
from outreach.domain.call_window import CallWindow, UnknownZone, next_open, zones_of
from outreach.domain.contracts import CallbackAgreed
from outreach.domain.gate import GateRules
from outreach.domain.standing import Standing
from outreach.models import Call, Callback, CallbackState, Facilitator
from outreach.services import hook_events
from outreach.services.rows import row_of

_MISSED_AFTER = timedelta(seconds=defaults.CALLBACK_MISSED_AFTER)


def agree(call: Call, fact: CallbackAgreed, *, now: datetime) -> Callback:
    """Store what was agreed in `call`, in place of an earlier promise."""
    return promise(
        call.person,
        at=fact.promised_at,
        by=fact.by,
        reason=fact.reason,
        caller_id=call.caller_id,
        agreed_in=call,
        evidence_seq=fact.evidence_seq,
        now=now,
    )


def promise(
    person: Facilitator,
    *,
    at: datetime,
    by: str,
    reason: str,
    caller_id: str,
    agreed_in: Call | None = None,
    evidence_seq: int | None = None,
    now: datetime,
) -> Callback:
    """Store a promise to `person`, in place of an earlier one.

    :param by: "alex", or "human" for one that is never machine-dialled.
    :param agreed_in: the call in which they asked; none when they rang us.
    """
    close(person.pk, CallbackState.CANCELED, now=now)
    callback = Callback.objects.create(
        facilitator=person,
        agreed_in=agreed_in,
        promised_at=at,
        time_zone=person.time_zone,
        by=by,
        reason=reason[:300],
        caller_id=caller_id,
        evidence_seq=evidence_seq,
        created_at=now,
    )
    hook_events.note_callback(callback, person, now=now)
    return callback


def open_promise(person: Facilitator) -> Callback | None:
    """Return what we owe this person, if there is something."""
    return row_of(Callback, "facilitator_id", person.pk, among="state = 'promised'")


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


def reopen(call: Call) -> None:
    """Take back that a promise is closed: for its call no phone rang, or only by our fault."""
    open_one = Callback.objects.filter(facilitator_id=call.person_id, state=CallbackState.PROMISED)
    if call.callback_id is None or open_one.exists():
        return
    closed = Callback.objects.filter(
        pk=call.callback_id, state__in=[CallbackState.KEPT, CallbackState.MISSED]
    )
    closed.update(state=CallbackState.PROMISED, closed_at=None)


def keep_in_mind(
    callback: Callback, person: Facilitator, *, earliest: datetime, rules: GateRules, now: datetime
) -> None:
    """Let `person` wait for a promise that a call did not fulfil: for its time, or until `earliest` if past.

    Where that would be more than thirty minutes late, it is flagged and moved. The caller saves `person`.
    """
    person.standing = Standing.CALLBACK_DUE.value
    person.next_call_at = callback.promised_at if callback.promised_at > now else earliest
    since = now if callback.was_missed else callback.promised_at
    if person.next_call_at - since > _MISSED_AFTER:
        _move_to_next_slot(callback, person, after=earliest, rules=rules)


def _move_to_next_slot(callback: Callback, person: Facilitator, *, after: datetime, rules: GateRules) -> bool:
    slot = same_time_later(
        callback.promised_at, person=person, window=rules.callback_window, after=after, margin=rules.margin
    )
    if slot is None:
        return False
    Callback.objects.filter(pk=callback.pk).update(was_missed=True)
    person.next_call_at = slot
    person.not_called_code = "callback_missed"
    person.not_called_reason = (
        "We were more than 30 minutes late for the promised time; moved to the next such slot."
    )
    return True


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
    callback = open_promise(person)
    if callback is None or person.next_call_at is None:
        return False
    # What was flagged and moved before is late only against the slot that it was moved to.
    since = person.next_call_at if callback.was_missed else callback.promised_at
    if now - since <= _MISSED_AFTER or not _move_to_next_slot(callback, person, after=now, rules=rules):
        return False
    person.updated_at = now
    return True
