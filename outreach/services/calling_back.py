"""Who rang us and asked to be called: by Alex as soon as the gate lets him, else by a person.

Their own request is the consent to that one call. It lifts no suppression: what was said to be for ever is
not undone by a key, which anybody who can set a caller ID can press. A person looks at such a wish.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.domain import defaults
from outreach.domain.call_window import InvalidCallWindow, UnknownZone, next_open, zones_of
from outreach.domain.gate import NumberHistory, Refuse, decide
from outreach.domain.retry_policy import Close
from outreach.domain.standing import CALLABLE, CallKind, Standing
from outreach.models import Callback, CampaignState, Facilitator, IncomingCall
from outreach.services import callbacks
from outreach.services.gating import candidate_of, histories_of, rules_of
from outreach.services.next_steps import await_callback, close_person

RANG_AND_ASKED = "They rang us and asked to be called back."

#: Whom Alex may call because they asked. The others wait for a person's decision, or have had their talk.
_ALEX_MAY = {
    standing.value for standing in CALLABLE | {Standing.IN_CALL, Standing.NOT_INTERESTED, Standing.EXHAUSTED}
}
#: Who stays where they stand when a person is to call them.
_STAYS = {
    standing.value
    for standing in (
        Standing.IN_CALL, Standing.INTERESTED, Standing.HELD, Standing.NEEDS_REVIEW, Standing.SUPPRESSED
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class WillCall:
    """Alex calls them `at`; `time_zone` is empty when theirs is not certain."""

    at: datetime
    time_zone: str
    now: datetime


@dataclass(frozen=True, kw_only=True)
class AskedForAPerson:
    """Their wish is stored for a person to look at; `suppressed`: Alex must never call this number."""

    suppressed: bool


def promise_call(
    *, row: IncomingCall, people: list[Facilitator], now: datetime
) -> WillCall | AskedForAPerson:
    """Promise a call to the one of `people` (whom we dialled last first) whom it is about.

    The caller holds the number's lock, and saves the row with its `callback` and `facilitator`.
    """
    history = histories_of([row.number], now=now)[row.number]
    if history.suppressed or not people:
        return AskedForAPerson(suppressed=history.suppressed)
    locked = Facilitator.objects.select_for_update(of=("self",)).select_related("campaign")
    for known in people:
        person = locked.get(pk=known.pk)
        if person.standing == Standing.INTERESTED.value:
            break  # they have had their talk: what is open now is for a person
        slot = _slot(person, history, now=now)
        if slot is not None:
            return _by_alex(row, person, slot=slot, now=now)
    return _by_a_person(row, locked.get(pk=people[0].pk), now=now)


def as_promised(owed: Callback, *, now: datetime) -> WillCall | AskedForAPerson:
    """Return what was answered when this call was promised."""
    if owed.by != "alex":
        return AskedForAPerson(suppressed=False)
    return WillCall(at=max(owed.promised_at, now), time_zone=owed.time_zone, now=now)


def _slot(person: Facilitator, history: NumberHistory, *, now: datetime) -> datetime | None:
    """Return the first moment at which the gate lets Alex call them on their own wish; None: never."""
    campaign = person.campaign
    goes_on = campaign.state == CampaignState.HELD and campaign.release_at is not None
    wants_consent = person.standing == Standing.HELD.value and not person.consent_basis.strip()
    if campaign.state != CampaignState.RUNNING and not goes_on:
        return None
    if person.standing not in _ALEX_MAY and not wants_consent:
        return None
    # They are still on the phone with us, and want to put it down first.
    soon = now + timedelta(seconds=defaults.CALL_BACK_AFTER)
    try:
        rules = rules_of(campaign)
    except InvalidCallWindow:
        return None
    candidate = candidate_of(person, CallKind.CALLBACK, asked_at=now)
    verdict = decide(candidate=candidate, history=history, rules=rules, now=soon)
    return verdict.next_call_at if isinstance(verdict, Refuse) else soon


def _by_alex(row: IncomingCall, person: Facilitator, *, slot: datetime, now: datetime) -> WillCall:
    """Promise the call at `slot`; what is promised for earlier anyway stays as it is."""
    owed = callbacks.open_promise(person)
    due_at = person.next_call_at
    if owed is not None and owed.by == "alex" and due_at is not None and due_at <= slot:
        return _noted(row, person, owed, at=max(due_at, now), now=now)
    ours = row.called if row.called in person.campaign.caller_ids else ""
    owed = callbacks.promise(person, at=slot, by="alex", reason=RANG_AND_ASKED, caller_id=ours, now=now)
    if person.standing != Standing.IN_CALL.value:
        await_callback(person, at=slot)
        person.updated_at = now
        person.save()
    return _noted(row, person, owed, at=slot, now=now)


def _noted(
    row: IncomingCall, person: Facilitator, owed: Callback, *, at: datetime, now: datetime
) -> WillCall:
    row.callback, row.facilitator = owed, person
    return WillCall(at=at, time_zone=person.time_zone, now=now)


def _by_a_person(row: IncomingCall, person: Facilitator, *, now: datetime) -> AskedForAPerson:
    """Put the wish on a person's agenda, unless they are owed a call already."""
    owed = callbacks.open_promise(person)
    if owed is None:
        at = _open_for_a_person(person, now=now)
        owed = callbacks.promise(person, at=at, by="human", reason=RANG_AND_ASKED, caller_id="", now=now)
        if person.standing not in _STAYS:
            close_person(person, Close(Standing.NEEDS_REVIEW, f"{RANG_AND_ASKED} See the callback."))
            person.updated_at = now
            person.save()
    row.callback, row.facilitator = owed, person
    return AskedForAPerson(suppressed=False)


def _open_for_a_person(person: Facilitator, *, now: datetime) -> datetime:
    """Return when somebody may call them: within the hours for callbacks, or now if these are not known."""
    try:
        zones = zones_of(time_zone=person.time_zone, country=person.country)
        window = rules_of(person.campaign).callback_window
    except (UnknownZone, InvalidCallWindow):
        return now
    return next_open(window=window, zones=zones, country=person.country, after=now) or now
