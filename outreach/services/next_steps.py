"""What follows a call for the person: a promise kept in mind, another try, or the end of it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from outreach.domain import defaults
from outreach.domain.call_window import DayPart, UnknownZone, day_part, zones_of
from outreach.domain.disposition import Disposition
from outreach.domain.gate import caps_end_at
from outreach.domain.retry_policy import Close, Ending, RetryAt, RetryPolicy, decide_next
from outreach.domain.standing import CLOSED, CallKind, Standing
from outreach.models import Call, Callback, CallbackState, Facilitator
from outreach.services import callbacks
from outreach.services.gating import candidate_of, histories_of, rules_of

#: Why a person is held whose answered call has no `end`: ours to explain, so nobody is redialled.
NEVER_ENDED = "The agent never said how this call ended; read what is stored and decide."

_UNREACHED = {Ending.BUSY, Ending.NO_ANSWER, Ending.VOICEMAIL, Ending.FAILED}
_PROMISE_STANDS = {Ending.CALLBACK, Ending.INTERESTED, Ending.HUNG_UP, Ending.NO_OUTCOME, Ending.OUR_FAULT}
#: Endings that say nothing new of a person whom only an operator had called.
_DECIDES_NOTHING = _UNREACHED | {
    Ending.HUNG_UP, Ending.NO_OUTCOME, Ending.OUR_FAULT, Ending.NOT_ATTEMPTED
}  # fmt: skip
#: What is said in a conversation says more than the key that was pressed while it went on.
_SAYS_MORE = {
    Ending.INTERESTED, Ending.NOT_INTERESTED, Ending.DO_NOT_CALL, Ending.WRONG_PERSON, Ending.CALLBACK
}  # fmt: skip
_BACK_TO: dict[str, Standing] = {
    CallKind.FIRST.value: Standing.WAITING,
    CallKind.RETRY.value: Standing.RETRY_DUE,
}


def follow_up(call: Call, person: Facilitator, ending: Ending, *, now: datetime, late: bool) -> None:
    """Decide what follows `ending` and set it on `person`, whose row the caller has locked and saves.

    :param late: whether an answered call is settled without Alex's `end`.
    """
    person.not_called_code = person.not_called_reason = person.standing_reason = ""
    person.attempts_made += int(call.counts)
    person.our_faults = person.our_faults + 1 if ending in (Ending.OUR_FAULT, Ending.NOT_ATTEMPTED) else 0
    person.voicemail_left |= call.disposition == Disposition.LEFT_VOICEMAIL.value
    if call.answered_at is None and ending in (Ending.OUR_FAULT, Ending.NOT_ATTEMPTED):
        callbacks.reopen(call)
    if late:
        return close_person(person, Close(standing=Standing.HELD, reason=NEVER_ENDED))
    if ending in _PROMISE_STANDS and await_promise_of(call, person):
        return None
    if ending not in _SAYS_MORE and _await_wish_during(call, person):
        return None
    if ending in _DECIDES_NOTHING and stood_closed(call):
        return _close_again(call, person)
    if call.callback_id is not None and ending in _UNREACHED and _try_promise_again(call, person, now=now):
        return None
    return _retry_or_close(call, person, ending, now=now)


def back_in_the_queue(call: Call, person: Facilitator, *, at: datetime, now: datetime) -> None:
    """Put a person back to where they were before a call that changed nothing, to be called at `at`.

    Whom an operator had called although nobody was to call them is not called again by itself either. An
    open promise stays promised, whatever the call was for.
    """
    if stood_closed(call):
        return _close_again(call, person)
    before = Standing.RETRY_DUE if person.attempts_made else _BACK_TO.get(call.kind, Standing.WAITING)
    person.standing = before.value
    person.next_call_at = at
    callback = callbacks.open_promise(person)
    if callback is not None and callback.by == "alex":
        callbacks.keep_in_mind(callback, person, earliest=at, rules=rules_of(call.campaign), now=now)
    return None


def stood_closed(call: Call) -> bool:
    """Tell whether the person was in no queue before `call`: only an operator can have asked for it."""
    return call.standing_before in CLOSED


def _close_again(call: Call, person: Facilitator) -> None:
    before = Standing(call.standing_before)
    close_person(person, Close(standing=before, reason=call.standing_reason_before))


def await_promise_of(call: Call, person: Facilitator) -> bool:
    """Let the person wait for what was promised in `call`; return whether it was something."""
    callback = callbacks.open_promise(person)
    if callback is None or callback.agreed_in_id != call.pk:
        return False
    if callback.by == "human":
        close_person(
            person, Close(standing=Standing.NEEDS_REVIEW, reason="They asked for a person: see the callback.")
        )
        person.callbacks_unkept = 0
        return True
    await_callback(person, at=callback.promised_at)
    return True


def await_callback(person: Facilitator, *, at: datetime) -> None:
    """Let the person wait for a call that they asked for; the caller saves them."""
    person.standing = Standing.CALLBACK_DUE.value
    person.standing_reason = ""
    person.next_call_at = at
    person.callbacks_unkept = 0
    person.not_called_code = person.not_called_reason = ""


def _await_wish_during(call: Call, person: Facilitator) -> bool:
    """Let the person wait for the call that they asked for by ringing us while `call` was open; return so."""
    callback = callbacks.open_promise(person)
    if callback is None or callback.by != "alex" or callback.agreed_in_id is not None:
        return False
    if callback.created_at < call.queued_at:
        return False
    await_callback(person, at=callback.promised_at)
    return True


def _try_promise_again(call: Call, person: Facilitator, *, now: datetime) -> bool:
    """Promise the next such slot after a first callback that did not reach them; return whether we did."""
    person.callbacks_unkept += 1
    if (
        person.callbacks_unkept >= defaults.CALLBACKS_UNKEPT_BEFORE_RETRY
        or person.attempts_made >= call.campaign.max_attempts + person.attempts_granted
    ):
        return False
    rules = rules_of(call.campaign)
    kept = call.callback
    slot = None
    if kept is not None:
        slot = callbacks.same_time_later(
            kept.promised_at, person=person, window=rules.callback_window, after=now, margin=rules.margin
        )
    if kept is None or slot is None:
        return False
    Callback.objects.create(
        facilitator=person,
        agreed_in=kept.agreed_in,
        promised_at=slot,
        time_zone=kept.time_zone,
        reason=kept.reason,
        caller_id=kept.caller_id,
        evidence_seq=kept.evidence_seq,
        created_at=now,
    )
    person.standing = Standing.CALLBACK_DUE.value
    person.next_call_at = slot
    return True


def _retry_or_close(call: Call, person: Facilitator, ending: Ending, *, now: datetime) -> None:
    campaign = call.campaign
    try:
        zones = zones_of(time_zone=person.time_zone, country=person.country)
    except UnknownZone as unknown:
        close_person(person, Close(standing=Standing.HELD, reason=str(unknown)[:300]))
        return
    rules = rules_of(campaign)
    following = decide_next(
        ending=ending,
        policy=RetryPolicy.parse(campaign.retry_policy),
        attempts_made=person.attempts_made,
        max_attempts=campaign.max_attempts + person.attempts_granted,
        our_faults=person.our_faults,
        now=now,
        window=rules.window if callbacks.open_promise(person) is None else rules.callback_window,
        zones=zones,
        country=person.country,
        tried_parts=_tried_parts(person, zones[0], now),
        min_gap=timedelta(hours=campaign.min_gap_hours),
        margin=rules.margin,
        jitter=random.random(),  # noqa: S311  (spreads load, protects nothing)
        not_before=caps_end_at(
            candidate=candidate_of(person, CallKind.RETRY),
            history=histories_of([person.number], now=now)[person.number],
            rules=rules,
            now=now,
        ),
    )
    if isinstance(following, RetryAt):
        person.not_called_code = "retry"
        person.not_called_reason = following.reason[:300]
        back_in_the_queue(call, person, at=following.at, now=now)
        return
    if following.standing is not Standing.HELD:
        gone = following.standing is Standing.EXHAUSTED
        callbacks.close(person.pk, CallbackState.MISSED if gone else CallbackState.CANCELED, now=now)
    close_person(person, following)


def _tried_parts(person: Facilitator, zone: str, now: datetime) -> frozenset[DayPart]:
    since = now - timedelta(days=30)
    tried = Call.objects.filter(facilitator=person, dialing_at__gte=since, counts=True)
    return frozenset(
        day_part(at, zone) for at in tried.values_list("dialing_at", flat=True) if at is not None
    )


def close_person(person: Facilitator, close: Close) -> None:
    """Set where the person stands now that nobody calls them again."""
    person.standing = close.standing.value
    person.standing_reason = close.reason[:300]
    person.next_call_at = None


def apply_wish(person: Facilitator, *, reason: str) -> None:
    """Give the standing that an operator asked for while the person was in a call, with their reason."""
    if person.wish and person.standing != Standing.SUPPRESSED.value:
        person.standing = person.wish
        person.standing_reason = reason or "Asked for by an operator during a call."
        person.next_call_at = None
    person.wish = ""
