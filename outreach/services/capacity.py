"""How many calls may be claimed now: places of the agents and of the models, limits, what is open already."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count

from outreach.domain import defaults, pacing
from outreach.domain.call_status import CallStatus
from outreach.domain.standing import CallKind
from outreach.models import AgentWorker, Call, Campaign, CanaryState, DialingControl
from outreach.services.model_limits import model_budget

_BEFORE_DIAL = [CallStatus.QUEUED.value, CallStatus.PREPARING.value]


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """How many calls one campaign may have more, of how many in all."""

    free: int
    whole: int
    retries_open: int


@dataclass(frozen=True, kw_only=True)
class OpenCalls:
    """The open calls of one campaign."""

    in_all: int
    before_dial: int
    retries: int


def live_workers(now: datetime) -> list[AgentWorker]:
    """Return the agent workers that reported lately and take new calls."""
    since = now - timedelta(seconds=defaults.AGENT_LOST_AFTER)
    return list(AgentWorker.objects.filter(reported_at__gte=since, draining=False))


def agent_places(now: datetime) -> tuple[int, int]:
    """Return (free, all) places of the live workers.

    Free is what they report, less the open calls that no report holds yet: a dispatch that nobody
    takes is dropped in silence, so the workers' own word is all there is to go by. A talk in the browser
    takes a place of Alex as a call does.
    """
    workers = live_workers(now)
    held: set[UUID] = {call_id for worker in workers for call_id in worker.calls}
    unheld = Call.objects.open().exclude(pk__in=held).count()
    return max(0, sum(w.free for w in workers) - unheld), sum(w.places for w in workers)


def open_calls(campaign: Campaign) -> OpenCalls:
    """Count the campaign's open calls; talks in the browser are none of its pace."""
    by_kind = list(
        Call.objects.open()
        .by_phone()
        .filter(campaign=campaign)
        .values_list("status", "kind")
        .annotate(n=Count("pk"))
    )
    return OpenCalls(
        in_all=sum(n for _, _, n in by_kind),
        before_dial=sum(n for status, _, n in by_kind if status in _BEFORE_DIAL),
        retries=sum(n for _, kind, n in by_kind if kind == CallKind.RETRY.value),
    )


def capacity_of(campaign: Campaign, control: DialingControl, *, now: datetime) -> Capacity:
    """Return how many calls this campaign may have more right now."""
    places_free, places = agent_places(now)
    opened = open_calls(campaign)
    open_in_all = Call.objects.open().by_phone().count()
    budget = model_budget(control)
    limit = 1 if campaign.canary_state == CanaryState.RUNNING else campaign.max_open_calls
    whole = min(places, limit, control.max_open_calls, places if budget is None else budget)
    free = pacing.capacity(
        agent_places_free=places_free,
        calls_preparing=0,
        global_open=open_in_all,
        global_max=control.max_open_calls,
        model_budget=budget,
        open_in_all=Call.objects.open().count(),
    )
    waiting = Call.objects.by_phone().filter(status__in=_BEFORE_DIAL).count()
    free = min(
        free,
        limit - opened.in_all,
        _may_wait_for_a_token(campaign.calls_per_second) - opened.before_dial,
        _may_wait_for_a_token(control.calls_per_second) - waiting,
    )
    return Capacity(free=max(0, free), whole=whole, retries_open=opened.retries)


def _may_wait_for_a_token(rate: float) -> int:
    """Return how many calls may be between claim and dial: more only keep Alex waiting in a room.

    :param rate: calls a second, of one campaign or of all together.
    """
    return max(1, math.ceil(rate * defaults.READY_FRESH))
