"""People who ring one of our numbers: who they are to us, and what they ask for, done before it is confirmed.

Nothing here needs Alex, a broker or a room: a "stop" must be taken while everything else is down.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max, Q

from outreach.domain.call_status import CallStatus
from outreach.domain.caller_wish import CallerWish
from outreach.models import (
    Call,
    Campaign,
    CampaignState,
    EventSource,
    Facilitator,
    IncomingCall,
    IncomingChoice,
    SuppressionSource,
)
from outreach.services import clock
from outreach.services.calling_back import AskedForAPerson, WillCall, as_promised, promise_call
from outreach.services.inbox import store_event
from outreach.services.locks import lock_number
from outreach.services.suppressing import suppress

logger = logging.getLogger(__name__)

_MAY_STILL_RING = (CallStatus.DIALING.value, CallStatus.UNKNOWN.value, CallStatus.RINGING.value)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who rings which of our numbers; `number` is empty when it is withheld. `sid` names their call."""

    sid: str
    number: str
    called: str


@dataclass(frozen=True, kw_only=True)
class Greeting:
    """For whom the number that they ring calls people; both empty when no campaign has it."""

    company: str
    platform: str


@dataclass(frozen=True, kw_only=True)
class NeverAgain:
    """Their number is suppressed; `ringing` is a call of ours that may be ringing there this moment."""

    ringing: UUID | None


@dataclass(frozen=True)
class NothingChosen:
    """They asked for nothing that we understood, or cannot be told apart: nothing is done."""


Answer = WillCall | AskedForAPerson | NeverAgain | NothingChosen


@transaction.atomic
def receive(*, caller: Caller, event_id: str, payload: dict[str, str]) -> Greeting:
    """Store that somebody rings, once, and return in whose name they are greeted."""
    row = _row_of(caller, event_id=event_id, kind="incoming", payload=payload)
    campaign = row.campaign
    if campaign is None:
        return Greeting(company="", platform="")
    return Greeting(company=campaign.company, platform=campaign.platform)


@transaction.atomic
def choose(*, caller: Caller, wish: CallerWish | None, event_id: str, payload: dict[str, str]) -> Answer:
    """Do what the caller asks for, and return it; asked again for the same, it says the same again.

    A "stop" is for ever; a wish for a call that comes after it in the same call changes nothing.
    """
    row = _row_of(caller, event_id=event_id, kind="incoming choice", payload=payload)
    if not row.number or wish is None:
        return NothingChosen()
    if wish is CallerWish.STOP or row.choice == IncomingChoice.STOP.value:
        return _stop(row)
    return _call_back(row)


@transaction.atomic
def note_status(*, sid: str, status: str, payload: dict[str, str]) -> None:
    """Store what the carrier says of a caller's call: evidence for people, nothing hangs on it."""
    event_id = f"{sid}:incoming:{status}"
    now = clock.now()
    store_event(
        source=EventSource.TWILIO, event_id=event_id, kind=f"incoming {status}", call=None, payload=payload,
        now=now,
    )  # fmt: skip


def _row_of(caller: Caller, *, event_id: str, kind: str, payload: dict[str, str]) -> IncomingCall:
    """Return the caller's row, locked; it is made at the first that we hear of their call."""
    now = clock.now()
    store_event(source=EventSource.TWILIO, event_id=event_id, kind=kind, call=None, payload=payload, now=now)
    person = next(iter(_people_with(caller.number)), None)
    row = IncomingCall(
        twilio_sid=caller.sid,
        number=caller.number,
        called=caller.called,
        campaign=_campaign_of(caller),
        facilitator=person,
        received_at=now,
    )
    IncomingCall.objects.bulk_create([row], ignore_conflicts=True)
    rows = IncomingCall.objects.select_for_update(of=("self",)).select_related("campaign", "callback")
    return rows.get(twilio_sid=caller.sid)


def _people_with(number: str) -> list[Facilitator]:
    """Return everybody with this number, whom we dialled last first."""
    if not number:
        return []
    people = Facilitator.objects.filter(number=number).annotate(dialled=Max("calls__dialing_at"))
    return list(people.order_by(F("dialled").desc(nulls_last=True), "-pk"))


def _campaign_of(caller: Caller) -> Campaign | None:
    """Return the campaign that they ring: of those with this number the one that called them last."""
    ours = Campaign.objects.filter(Q(caller_ids__contains=[caller.called]) | Q(callback_number=caller.called))
    if caller.number:
        calls = Call.objects.filter(number=caller.number, dialing_at__isnull=False, campaign__in=ours)
        last = calls.order_by("-queued_at").select_related("campaign").first()
        if last is not None:
            return last.campaign
    running = Q(state=CampaignState.RUNNING)
    return ours.annotate(running=running).order_by("-running", "-pk").first()


def _stop(row: IncomingCall) -> NeverAgain:
    suppress(
        number=row.number, source=SuppressionSource.CALLED_BACK, reason="Rang our number and asked for it."
    )
    row.choice = IncomingChoice.STOP.value
    row.save(update_fields=["choice"])
    ringing = Call.objects.by_phone().filter(number=row.number, status__in=_MAY_STILL_RING).first()
    logger.info("caller asked never to be called", extra={"incoming_call_id": row.pk})
    return NeverAgain(ringing=ringing.pk if ringing else None)


def _call_back(row: IncomingCall) -> WillCall | AskedForAPerson:
    now = clock.now()
    if row.callback is not None:
        return as_promised(row.callback, now=now)
    # Before any person's row, as whoever decides about a number does.
    lock_number(row.number)
    answer = promise_call(row=row, people=_people_with(row.number), now=now)
    row.choice = IncomingChoice.CALLBACK.value
    row.save(update_fields=["choice", "callback", "facilitator"])
    logger.info("caller asked to be called back", extra={"incoming_call_id": row.pk})
    return answer
