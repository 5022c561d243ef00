"""Promising a call at a time that an operator agreed with somebody: through the gate, as it will be then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from outreach.domain.call_window import InvalidCallWindow, UnknownZone, zones_of
from outreach.domain.gate import Refuse, decide
from outreach.domain.retry_policy import Close
from outreach.domain.standing import CallKind, Standing
from outreach.models import CampaignState, Facilitator
from outreach.services import callbacks, clock
from outreach.services.edits import LONGEST_REASON
from outreach.services.gating import candidate_of, histories_of, rules_of
from outreach.services.locks import lock_number
from outreach.services.next_steps import await_callback, close_person

_STAYS = {
    standing.value
    for standing in (
        Standing.IN_CALL, Standing.INTERESTED, Standing.HELD, Standing.NEEDS_REVIEW, Standing.SUPPRESSED
    )
}  # fmt: skip


class CannotPromise(Exception):
    """This person cannot be promised that call; the message says why and what to do."""


@transaction.atomic
def promise(
    *, facilitator_id: int, local: datetime, zone: ZoneInfo | None, by_alex: bool, reason: str, agreed_by: str
) -> datetime:
    """Promise a person a call and return when it is.

    :param local: the time of day without a zone.
    :param zone: whose clock `local` is on; None: the person's own.
    :param agreed_by: the operator's user name.
    :raises CannotPromise: when the time is past, or the gate would refuse Alex's call then.
    """
    lock_number(Facilitator.objects.values_list("number", flat=True).get(pk=facilitator_id))
    people = Facilitator.objects.select_for_update(of=("self",)).select_related("campaign")
    person = people.get(pk=facilitator_id)
    now = clock.now()
    at = local.replace(tzinfo=zone or _zone_of(person)).astimezone(ZoneInfo("UTC"))
    if at <= now:
        raise CannotPromise("That time is past on their clock: choose a later one.")
    if person.standing == Standing.SUPPRESSED.value:
        raise CannotPromise("This number must never be called.")
    if by_alex:
        _ask_the_gate(person, at=at, now=now)
    callbacks.promise(
        person, at=at, by="alex" if by_alex else "human", reason=reason or f"Agreed by {agreed_by}.",
        caller_id="", now=now,
    )  # fmt: skip
    _let_wait(person, at=at, by_alex=by_alex)
    person.updated_at = now
    person._change_reason = f"Callback promised: {reason}"[:LONGEST_REASON]  # type: ignore[attr-defined]
    person._history_date = now  # type: ignore[attr-defined]
    person.save()
    return at


def _zone_of(person: Facilitator) -> ZoneInfo:
    try:
        return ZoneInfo(zones_of(time_zone=person.time_zone, country=person.country)[0])
    except UnknownZone as unknown:
        raise CannotPromise(f"{unknown}. Fill it in, or give the time on your own clock.") from unknown


def _ask_the_gate(person: Facilitator, *, at: datetime, now: datetime) -> None:
    """Refuse a promise that the gate would not let Alex keep, as far as is known today."""
    campaign = person.campaign
    if campaign.state == CampaignState.FINISHED and not campaign.keeps_callbacks:
        raise CannotPromise(
            "The campaign is finished and keeps no callbacks: move the person to another one."
        )
    try:
        rules = rules_of(campaign)
    except InvalidCallWindow as problem:
        raise CannotPromise(f"The campaign's calling hours cannot be read: {problem}") from problem
    history = histories_of([person.number], now=now)[person.number]
    verdict = decide(
        candidate=candidate_of(person, CallKind.CALLBACK),
        history=replace(history, on_another_call=False),  # that one will be over
        rules=rules,
        now=at,
    )
    if isinstance(verdict, Refuse):
        raise CannotPromise(verdict.reason)


def _let_wait(person: Facilitator, *, at: datetime, by_alex: bool) -> None:
    if person.standing == Standing.IN_CALL.value:
        return  # settling sees the promise
    if by_alex:
        await_callback(person, at=at)
    elif person.standing not in _STAYS:
        close_person(person, Close(Standing.NEEDS_REVIEW, "A person is to call them: see the callback."))
