"""When a campaign will be through, from who is left, their hours, the pace and the answers so far."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Avg, Count, F, Q, QuerySet

from outreach.domain.backoff import RetryPolicy
from outreach.domain.call_window import UnknownZone, zones_of
from outreach.domain.disposition import AnsweredBy
from outreach.domain.ending import Ending
from outreach.domain.forecast import Crowd, Finish, Forecaster, Pace, Share, share_of
from outreach.domain.standing import CALLABLE
from outreach.models import Call, Campaign, DialingControl
from outreach.services import clock
from outreach.services.capacity import live_workers
from outreach.services.gating import call_window_of
from outreach.services.model_limits import model_budget

#: The last calls of a campaign that say how many answer and how long a call takes.
LATEST = 2000
#: What is assumed before the first twenty calls, and how long a call then keeps its place, in seconds.
ASSUMED = Share(low=0.15, likely=0.3, high=0.5)
ASSUMED_SECONDS = 60.0
#: A second call on the same day is allowed to few: whoever was called waits at least until the next.
_NEXT_DAY = timedelta(hours=18)
#: More places than these are put to the biggest one: what a few people do changes no forecast.
_PLACES = 12
_PERSON = [AnsweredBy.HUMAN.value, AnsweredBy.UNCERTAIN.value]

_LEFT = """
SELECT country, time_zone, greatest(%(most)s + attempts_granted - attempts_made, -1),
    CASE WHEN next_call_at <= %(now)s THEN %(now)s ELSE date_trunc('hour', next_call_at) END, count(*)
FROM outreach_facilitator
WHERE campaign_id = %(campaign)s AND standing = ANY(%(callable)s)
GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What the campaign's latest calls show."""

    calls: int
    reached: int
    answer_rate: Share
    seconds_per_call: float
    cost_per_call: Decimal | None
    """None while no call has its cost."""
    currency: str


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """When everybody who can be called is through: at best, likely, at worst."""

    n_people: int
    soonest: Finish
    likely: Finish
    latest: Finish
    observed: Observed
    pace: Pace


def observe(campaign: Campaign) -> Observed:
    """Return what the campaign's latest phone calls show."""
    latest = Call.objects.by_phone().filter(campaign=campaign).order_by("-queued_at").values("pk")[:LATEST]
    calls: QuerySet[Call] = Call.objects.filter(
        pk__in=latest, placed_at__isnull=False, ended_at__isnull=False
    )
    seen: dict[str, Any] = calls.aggregate(
        n=Count("pk"),
        reached=Count("pk", filter=Q(answered_at__isnull=False, answered_by__in=_PERSON)),
        place=Avg(F("ended_at") - F("queued_at")),
        cost=Avg("cost"),
    )
    currency = ""
    if seen["cost"] is not None:
        currency = str(calls.exclude(cost_currency="").values_list("cost_currency", flat=True).first() or "")
    enough = seen["n"] >= 20
    return Observed(
        calls=seen["n"],
        reached=seen["reached"],
        answer_rate=share_of(hits=seen["reached"], tries=seen["n"], assumed=ASSUMED),
        seconds_per_call=max(5.0, seen["place"].total_seconds()) if enough else ASSUMED_SECONDS,
        cost_per_call=seen["cost"] if currency else None,
        currency=currency,
    )


def outlook(campaign: Campaign) -> Outlook | None:
    """Return when the campaign will be through; None when nobody is left to call.

    :raises InvalidCallWindow: when its hours cannot be read.
    """
    now = max(clock.now(), campaign.starts_at or clock.now())
    crowds = _crowds(campaign, now)
    if not crowds:
        return None
    observed = observe(campaign)
    pace = _pace(campaign, observed)
    policy = RetryPolicy.parse(campaign.retry_policy)
    waits = [_wait(campaign, policy, nth) for nth in range(1, campaign.max_attempts + 1)]
    forecaster = Forecaster(crowds=crowds, window=call_window_of(campaign), waits=waits, now=now)
    rate = observed.answer_rate
    return Outlook(
        n_people=round(sum(crowd.n_people for crowd in crowds)),
        soonest=forecaster.finish(pace=pace, answer_rate=rate.high),
        likely=forecaster.finish(pace=pace, answer_rate=rate.likely),
        latest=forecaster.finish(pace=pace, answer_rate=rate.low),
        observed=observed,
        pace=pace,
    )


def _wait(campaign: Campaign, policy: RetryPolicy, nth: int) -> timedelta:
    """Return how long somebody who did not answer waits at least after their `nth` attempt."""
    wait = policy.delay(ending=Ending.NO_ANSWER, nth=nth, jitter=0.5)
    gap = timedelta(hours=campaign.min_gap_hours)
    return max(wait, gap, _NEXT_DAY if campaign.max_attempts_a_day == 1 else gap)


def _pace(campaign: Campaign, observed: Observed) -> Pace:
    """Return the pace that the campaign's, everybody's, the agents' and the models' limits allow together.

    Without an agent worker the forecast is of what happens once there are enough.
    """
    control = DialingControl.objects.get(pk=1)
    limits = [campaign.max_open_calls, control.max_open_calls]
    places = sum(worker.places for worker in live_workers(clock.now()))
    budget = model_budget(control)
    limits += [limit for limit in (places or None, budget) if limit is not None]
    return Pace(
        open_calls=max(1, min(limits)),
        calls_per_second=min(campaign.calls_per_second, control.calls_per_second),
        seconds_per_call=observed.seconds_per_call,
    )


def _crowds(campaign: Campaign, now: datetime) -> list[Crowd]:
    """Return who is left to be called, those together who live alike and are due at the same hour."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LEFT,
            {
                "now": now,
                "campaign": campaign.pk,
                "most": campaign.max_attempts,
                "callable": sorted(one.value for one in CALLABLE),
            },
        )
        rows = cursor.fetchall()
    by_place: dict[tuple[str, str], list[tuple[int, datetime, int]]] = defaultdict(list)
    for country, time_zone, left, due_at, n_people in rows:
        if left > 0:
            by_place[country, time_zone].append((left, due_at, n_people))
    known = [(place, zones, people) for place, people in by_place.items() if (zones := _zones(place))]
    known.sort(key=lambda one: -sum(n for _, _, n in one[2]))
    crowds: dict[tuple[tuple[str, ...], str, int, datetime], int] = defaultdict(int)
    for at, (place, zones, people) in enumerate(known):
        if at >= _PLACES:
            place, zones = known[0][0], known[0][1]
        for left, due_at, n_people in people:
            crowds[zones, place[0], left, due_at] += n_people
    return [
        Crowd(n_people=n, due_at=due_at, attempts_left=left, zones=zones, country=country)
        for (zones, country, left, due_at), n in crowds.items()
    ]


def _zones(place: tuple[str, str]) -> tuple[str, ...]:
    country, time_zone = place
    try:
        return zones_of(time_zone=time_zone, country=country)
    except UnknownZone:
        return ()  # whom the gate holds
