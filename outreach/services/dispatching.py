"""Finding who may be called now, and claiming them: rows are the queue.

A tick claims in one transaction per campaign and returns the calls; whoever asked enqueues a hint for each
after the commit. A lost hint is found again by `calls_to_prepare` and `calls_to_dial`.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from outreach.domain import defaults
from outreach.domain.call_status import CallStatus
from outreach.domain.call_window import InvalidCallWindow
from outreach.domain.gate import Refuse, decide
from outreach.domain.pacing import Allocation, allocate, calls_between_retries
from outreach.domain.standing import CallKind, Standing
from outreach.models import (
    Call,
    Campaign,
    CampaignState,
    CanaryState,
    DialingControl,
    Facilitator,
)
from outreach.services import campaigns, clock
from outreach.services.caller_ids import pool_of
from outreach.services.capacity import capacity_of, open_calls
from outreach.services.claiming import claim, due, open_calls_for
from outreach.services.gating import candidate_of, histories_of, rang_and_asked, rules_of
from outreach.services.locks import lock_tick, try_lock_number
from outreach.services.mode import require_own_database

logger = logging.getLogger(__name__)

#: Hints that one tick sends again at most.
BATCH = 100


class CannotCall(Exception):
    """This person cannot be called now; the message says why and what to do."""


def claim_due() -> list[UUID]:
    """Claim callbacks that are due, then new people by priority; return the new calls."""
    return _tick(CallKind.CALLBACK, CallKind.FIRST)


def claim_retries() -> list[UUID]:
    """Claim people whose retry is due, into what is kept for them and what is free; return the calls."""
    return _tick(CallKind.RETRY)


def calls_to_prepare() -> list[UUID]:
    """Return calls whose hint to prepare seems lost."""
    before = clock.now() - timedelta(seconds=defaults.REQUEUE_AFTER)
    queued = Call.objects.by_phone().filter(status=CallStatus.QUEUED.value, queued_at__lt=before)
    return list(queued.values_list("pk", flat=True)[:BATCH])


def calls_to_dial() -> list[UUID]:
    """Return calls in whose room Alex waits, oldest first: their hint was lost, or no token was free."""
    fresh = clock.now() - timedelta(seconds=defaults.READY_FRESH)
    ready = Call.objects.that_ring().filter(status=CallStatus.PREPARING.value, ready_at__gte=fresh)
    return list(ready.order_by("queued_at").values_list("pk", flat=True)[:BATCH])


def _tick(*kinds: CallKind) -> list[UUID]:
    """Claim in every running campaign, each in a transaction of its own: none takes another's with it."""
    require_own_database()
    claimed: list[UUID] = []
    for campaign_id in _running_campaigns():
        try:
            claimed += _tick_in(campaign_id, kinds)
        except InvalidCallWindow as problem:
            reason = f"The calling hours cannot be read: {problem}"
            campaigns.hold(campaign_id=campaign_id, reason=reason, release_after=None)
    return claimed


@transaction.atomic
def _tick_in(campaign_id: int, kinds: tuple[CallKind, ...]) -> list[UUID]:
    lock_tick("dispatch")
    control = DialingControl.objects.get(pk=1)
    campaign = Campaign.objects.filter(pk=campaign_id).first()
    now = clock.now()
    if control.stopped or campaign is None:
        return []
    kinds = tuple(kind for kind in kinds if not campaign.why_not(kind, now=now))
    if not kinds or (campaign.state == CampaignState.RUNNING and _canary_is_over(campaign, now)):
        return []
    allocation = _allocate(campaign, control, now)
    wanted = {
        CallKind.CALLBACK: allocation.callbacks,
        CallKind.FIRST: allocation.new,
        CallKind.RETRY: allocation.retries,
    }
    return [call_id for kind in kinds for call_id in claim(campaign, kind, wanted[kind], now)]


def _running_campaigns() -> list[int]:
    """Return the campaigns that may call, the one with the fewest open calls first, so that none starves.

    A finished one is among them while somebody of it waits for a callback that was promised.
    """
    promised = Facilitator.objects.filter(campaign=OuterRef("pk"), standing=Standing.CALLBACK_DUE.value)
    keeps_word = Q(state=CampaignState.FINISHED, keeps_callbacks=True) & Exists(promised)
    running = Campaign.objects.filter(Q(state=CampaignState.RUNNING) | keeps_word)
    ordered = sorted(running, key=lambda campaign: (open_calls(campaign).in_all, campaign.pk))
    return [campaign.pk for campaign in ordered]


def _allocate(campaign: Campaign, control: DialingControl, now: datetime) -> Allocation:
    capacity = capacity_of(campaign, control, now=now)

    def count(kind: CallKind) -> int:
        return len(due(campaign, kind, now).values_list("pk")[: max(1, capacity.free)])

    return allocate(
        free=capacity.free,
        capacity=capacity.whole,
        callbacks_due=count(CallKind.CALLBACK),
        retries_due=count(CallKind.RETRY),
        new_due=count(CallKind.FIRST),
        retries_open=capacity.retries_open,
        latest=_latest_kinds(campaign) if capacity.whole == 1 else (),
    )


def _latest_kinds(campaign: Campaign) -> list[CallKind]:
    """Return the kinds of the campaign's last calls, newest first: what sharing one place goes by."""
    latest = Call.objects.by_phone().filter(campaign=campaign).order_by("-queued_at")
    return [CallKind(kind) for kind in latest.values_list("kind", flat=True)[: calls_between_retries()]]


def _canary_is_over(campaign: Campaign, now: datetime) -> bool:
    """Hold a campaign whose first people have been dialled, until an operator says go."""
    if campaign.canary_state == CanaryState.WAITING:
        return True
    if campaign.canary_state != CanaryState.RUNNING:
        return False
    placed = Call.objects.by_phone().filter(campaign=campaign, placed_at__isnull=False)
    if placed.values("facilitator").distinct().count() < campaign.canary_size:
        return False
    reason = f"The first {campaign.canary_size} people were called; look at them and say go."
    Campaign.objects.filter(pk=campaign.pk, state=CampaignState.RUNNING).update(
        canary_state=CanaryState.WAITING, state=CampaignState.HELD, state_reason=reason, state_changed_at=now
    )
    return True


@transaction.atomic
def call_now(*, facilitator_id: int, requested_by: str) -> UUID:
    """Claim one person out of turn, through the whole gate; return the call.

    :param requested_by: who asked, for the log of decisions.
    :raises CannotCall: with the reason, when the gate refuses or the person is in a call.
    """
    require_own_database()
    if DialingControl.objects.get(pk=1).stopped:
        raise CannotCall("All dialing is stopped. Lift the stop on the dashboard first.")
    person = (
        Facilitator.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=facilitator_id)
    )
    now = clock.now()
    campaign = person.campaign
    if campaign.state in (CampaignState.PAUSED, CampaignState.HELD):
        raise CannotCall(f"The campaign is {campaign.state}: {campaign.state_reason or 'resume it first'}")
    if not campaign.caller_ids:
        raise CannotCall("The campaign has no caller ID. Add a number that Twilio lets you call from.")
    no_number = pool_of(campaign, now).why_none
    if no_number:
        raise CannotCall(no_number)
    if person.standing == Standing.IN_CALL.value:
        raise CannotCall("This person is in a call already.")
    if not try_lock_number(person.number):
        raise CannotCall("This number is being decided on right now; try again in a moment.")
    asked_at = rang_and_asked([person.pk]).get(person.pk)
    verdict = decide(
        candidate=candidate_of(person, CallKind.MANUAL, asked_at=asked_at),
        history=histories_of([person.number], now=now)[person.number],
        rules=rules_of(campaign),
        now=now,
    )
    if isinstance(verdict, Refuse):
        raise CannotCall(verdict.reason)
    calls = open_calls_for(campaign, CallKind.MANUAL, [person], now)
    if not calls:
        raise CannotCall("This number is on another call right now, or its last call is not settled yet.")
    logger.info("call requested", extra={"call_id": str(calls[0].pk), "requested_by": requested_by})
    return calls[0].pk
