"""Finding who may be called now, and claiming them: rows are the queue.

A tick claims in one transaction and returns the calls; whoever asked enqueues a hint for each after
the commit. A lost hint is found again by `calls_to_prepare` and `calls_to_dial`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from outreach.domain import defaults
from outreach.domain.call_status import CallStatus
from outreach.domain.gate import Refuse, decide
from outreach.domain.pacing import Allocation, allocate
from outreach.domain.standing import CallKind, Standing
from outreach.models import (
    Call,
    Callback,
    CallbackState,
    Campaign,
    CampaignState,
    CanaryState,
    DialingControl,
    Facilitator,
)
from outreach.services import clock
from outreach.services.callbacks import move_missed_callback
from outreach.services.capacity import capacity_of, open_calls
from outreach.services.gating import candidate_of, histories_of, record_refusal, rules_of
from outreach.services.locks import lock_tick, try_lock_number
from outreach.services.mode import require_own_database

logger = logging.getLogger(__name__)

BATCH = 100
BATCHES_A_TICK = 20

_STANDINGS: dict[CallKind, list[str]] = {
    CallKind.CALLBACK: [Standing.CALLBACK_DUE.value],
    CallKind.RETRY: [Standing.RETRY_DUE.value],
    CallKind.FIRST: [Standing.NEW.value, Standing.WAITING.value],
}


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
    queued = Call.objects.filter(status=CallStatus.QUEUED.value, queued_at__lt=before)
    return list(queued.values_list("pk", flat=True)[:BATCH])


def calls_to_dial() -> list[UUID]:
    """Return calls in whose room Alex waits, oldest first: their hint was lost, or no token was free."""
    fresh = clock.now() - timedelta(seconds=defaults.READY_FRESH)
    ready = Call.objects.filter(status=CallStatus.PREPARING.value, ready_at__gte=fresh)
    return list(ready.order_by("queued_at").values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def _tick(*kinds: CallKind) -> list[UUID]:
    require_own_database()
    lock_tick("dispatch")
    control = DialingControl.objects.get(pk=1)
    if control.stopped:
        return []
    now = clock.now()
    claimed: list[UUID] = []
    for campaign in _running_campaigns():
        if _canary_is_over(campaign, now):
            continue
        allocation = _allocate(campaign, control, now)
        wanted = {
            CallKind.CALLBACK: allocation.callbacks,
            CallKind.FIRST: allocation.new,
            CallKind.RETRY: allocation.retries,
        }
        for kind in kinds:
            claimed += _claim(campaign, kind, wanted[kind], now)
    return claimed


def _running_campaigns() -> list[Campaign]:
    """Return the running campaigns, the one with the fewest open calls first, so that none starves."""
    running = Campaign.objects.filter(state=CampaignState.RUNNING)
    return sorted(running, key=lambda campaign: (open_calls(campaign).in_all, campaign.pk))


def due(campaign: Campaign, kind: CallKind, now: datetime) -> QuerySet[Facilitator]:
    """Return the people of `campaign` that are due for a call of this kind, in calling order."""
    order = ("next_call_at", "pk") if kind is CallKind.CALLBACK else ("priority", "next_call_at", "pk")
    return Facilitator.objects.filter(
        campaign=campaign, standing__in=_STANDINGS[kind], next_call_at__lte=now
    ).order_by(*order)


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
    )


def _claim(campaign: Campaign, kind: CallKind, wanted: int, now: datetime) -> list[UUID]:
    """Claim up to `wanted` people; those whom the gate refuses are moved on and cost no place."""
    claimed: list[UUID] = []
    for _ in range(BATCHES_A_TICK):
        missing = wanted - len(claimed)
        if missing <= 0:
            break
        people = list(
            due(campaign, kind, now).select_for_update(skip_locked=True, of=("self",))[
                : min(BATCH, missing * 2 + 8)
            ]
        )
        if not people:
            break
        claimed += _claim_batch(campaign, kind, people, missing, now)
    return claimed


def _claim_batch(
    campaign: Campaign, kind: CallKind, people: list[Facilitator], wanted: int, now: datetime
) -> list[UUID]:
    allowed: list[Facilitator] = []
    moved: list[Facilitator] = []
    for person, refusal in _judge(campaign, kind, people, now):
        if refusal is not None:
            record_refusal(person, refusal, now=now)
            moved.append(person)
        elif len(allowed) < wanted:
            allowed.append(person)
    calls = _open_calls(campaign, kind, allowed, now)
    called = {call.facilitator_id for call in calls}
    moved += [_put_off(person, now) for person in allowed if person.pk not in called]
    Facilitator.objects.bulk_update(
        moved,
        ["standing", "standing_reason", "next_call_at", "not_called_code", "not_called_reason", "updated_at"],
    )
    return [call.pk for call in calls]


def _judge(
    campaign: Campaign, kind: CallKind, people: list[Facilitator], now: datetime
) -> Iterator[tuple[Facilitator, Refuse | None]]:
    """Yield each person whose number is free to be judged, with the gate's refusal if there is one."""
    rules = rules_of(campaign)
    locked = [person for person in people if try_lock_number(person.number)]
    histories = histories_of((person.number for person in locked), now=now)
    for person in locked:
        if kind is CallKind.CALLBACK and move_missed_callback(person, rules=rules, now=now):
            person.save()
            continue
        verdict = decide(
            candidate=candidate_of(person, kind), history=histories[person.number], rules=rules, now=now
        )
        yield person, verdict if isinstance(verdict, Refuse) else None


def _open_calls(campaign: Campaign, kind: CallKind, people: list[Facilitator], now: datetime) -> list[Call]:
    """Insert a call per person unless another open one has the number; return those inserted."""
    promised = {
        callback.facilitator_id: callback
        for callback in Callback.objects.filter(facilitator__in=people, state=CallbackState.PROMISED)
    }
    calls = [
        Call(
            facilitator=person,
            campaign=campaign,
            script_id=campaign.script_id,
            callback=promised.get(person.pk) if kind is CallKind.CALLBACK else None,
            number=person.number,
            caller_id=_caller_id(campaign, person, promised.get(person.pk)),
            kind=kind.value,
            queued_at=now,
            deadline_at=now + timedelta(seconds=defaults.READY_DEADLINE * 3),
        )
        for person in people
    ]
    Call.objects.bulk_create(calls, ignore_conflicts=True)
    inserted = set(Call.objects.filter(pk__in=[call.pk for call in calls]).values_list("pk", flat=True))
    calls = [call for call in calls if call.pk in inserted]
    Facilitator.objects.filter(pk__in=[call.facilitator_id for call in calls]).update(
        standing=Standing.IN_CALL.value,
        standing_reason="",
        next_call_at=None,
        not_called_code="",
        not_called_reason="",
        wish="",
        updated_at=now,
    )
    return calls


def _caller_id(campaign: Campaign, person: Facilitator, callback: Callback | None) -> str:
    """Return the number to call from: the one they know from a promise, else a fixed one of the pool."""
    if callback is not None and callback.caller_id:
        return callback.caller_id
    caller_ids: list[str] = campaign.caller_ids
    return caller_ids[person.pk % len(caller_ids)]


def _put_off(person: Facilitator, now: datetime) -> Facilitator:
    """Move on a person whose number turned out to be on another call."""
    person.next_call_at = now + timedelta(minutes=5)
    person.not_called_code = "on_another_call"
    person.not_called_reason = "This number is on another call right now."
    person.updated_at = now
    return person


def _canary_is_over(campaign: Campaign, now: datetime) -> bool:
    """Hold a campaign whose first people have been dialled, until an operator says go."""
    if campaign.canary_state == CanaryState.WAITING:
        return True
    if campaign.canary_state != CanaryState.RUNNING:
        return False
    if Call.objects.filter(campaign=campaign, dialing_at__isnull=False).count() < campaign.canary_size:
        return False
    campaign.canary_state = CanaryState.WAITING
    campaign.state = CampaignState.HELD
    campaign.state_reason = f"The first {campaign.canary_size} people were called; look at them and say go."
    campaign.state_changed_at = now
    campaign.save(update_fields=["canary_state", "state", "state_reason", "state_changed_at"])
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
    if person.standing == Standing.IN_CALL.value:
        raise CannotCall("This person is in a call already.")
    if not try_lock_number(person.number):
        raise CannotCall("This number is being decided on right now; try again in a moment.")
    verdict = decide(
        candidate=candidate_of(person, CallKind.MANUAL),
        history=histories_of([person.number], now=now)[person.number],
        rules=rules_of(campaign),
        now=now,
    )
    if isinstance(verdict, Refuse):
        raise CannotCall(verdict.reason)
    calls = _open_calls(campaign, CallKind.MANUAL, [person], now)
    if not calls:
        raise CannotCall("This number is on another call right now, or its last call is not settled yet.")
    logger.info("call requested", extra={"call_id": str(calls[0].pk), "requested_by": requested_by})
    return calls[0].pk
