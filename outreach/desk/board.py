"""The dashboard's figures: what happens now (asked every second) and what is counted (every few)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, F, Min, OuterRef, QuerySet, Subquery, Sum, When

from outreach.desk.health import Piece, health_of
from outreach.domain.standing import CALLABLE, Standing
from outreach.models import (
    Call,
    Callback,
    CallbackState,
    Campaign,
    DailyStatistics,
    DialingControl,
    Facilitator,
    Turn,
)
from outreach.services import clock

CALLS_SHOWN = 40
CALLBACKS_SHOWN = 12
CALLBACKS_AHEAD = timedelta(hours=24)
_CALLABLE = sorted(standing.value for standing in CALLABLE)
#: Standings that wait for an operator.
_FOR_OPERATORS = (Standing.HELD.value, Standing.NEEDS_REVIEW.value)
_FIGURES = (
    "dialled",
    "answered",
    "reached",
    "interested",
    "callbacks",
    "refused",
    "our_faults",
    "talk_seconds",
)


@dataclass(frozen=True, kw_only=True)
class Present:
    """What happens at this moment."""

    at: datetime
    control: DialingControl
    calls: Sequence[Call]
    n_calls: int
    health: list[Piece]


@dataclass(frozen=True, kw_only=True)
class CampaignCount:
    """How the people of one campaign stand."""

    campaign: Campaign
    standings: dict[str, int] = field(default_factory=dict)

    @property
    def n_people(self) -> int:
        """People in the campaign."""
        return sum(self.standings.values())

    @property
    def done_percent(self) -> int:
        """Share of the people about whom nothing is left to do, for Alex or for an operator, in percent."""
        still_open = {*_CALLABLE, *_FOR_OPERATORS, Standing.IN_CALL.value}
        done = sum(n for standing, n in self.standings.items() if standing not in still_open)
        return round(100 * done / self.n_people) if self.n_people else 0


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """People who wait for the same reason."""

    code: str
    n_people: int
    soonest_at: datetime | None
    standing: str = ""
    """Where they all stand, when the reason is that, or when somebody has to act."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What is counted over people, days and promises."""

    at: datetime
    campaigns: list[CampaignCount]
    today: dict[str, int]
    yesterday: dict[str, int]
    days: list[dict[str, int | str]]
    waiting: list[Waiting]
    due_now: int
    retries_due: int
    held: list[Waiting]
    callbacks: list[Callback]
    n_callbacks: int

    @property
    def n_people(self) -> int:
        """People in all campaigns."""
        return sum(count.n_people for count in self.campaigns)


def present() -> Present:
    """Return what happens now: calls in the air, the big switch, the health of the pieces."""
    now = clock.now()
    newest = Turn.objects.filter(call=OuterRef("pk")).order_by("-seq")
    by_phone = Call.objects.open().by_phone()
    in_the_air = by_phone.select_related("facilitator", "campaign").order_by("queued_at")
    calls = list(
        in_the_air.annotate(
            last_text=Subquery(newest.values("text")[:1]),
            last_speaker=Subquery(newest.values("speaker")[:1]),
        )[:CALLS_SHOWN]
    )
    n_calls = len(calls) if len(calls) < CALLS_SHOWN else in_the_air.count()
    control = DialingControl.objects.get(pk=1)
    return Present(at=now, control=control, calls=calls, n_calls=n_calls, health=health_of(now))


def counts() -> Counts:
    """Return the standings, today's figures, who waits for what, and the promises of the next 24 hours."""
    now = clock.now()
    people = Facilitator.objects.filter(standing__in=_CALLABLE)
    due = people.filter(next_call_at__lte=now)
    promised = Callback.objects.filter(state=CallbackState.PROMISED, promised_at__lt=now + CALLBACKS_AHEAD)
    per_day = _per_day(now)
    today, yesterday = now.date().isoformat(), (now - timedelta(days=1)).date().isoformat()
    empty = dict.fromkeys(_FIGURES, 0)
    return Counts(
        at=now,
        campaigns=_campaigns(),
        today=per_day.get(today, empty),
        yesterday=per_day.get(yesterday, empty),
        days=_without_holes(per_day, now),
        waiting=_waiting(people.filter(next_call_at__gt=now)),
        due_now=due.count(),
        retries_due=due.filter(standing=Standing.RETRY_DUE.value).count(),
        held=_held()[:8],
        callbacks=list(promised.select_related("facilitator").order_by("promised_at")[:CALLBACKS_SHOWN]),
        n_callbacks=promised.count(),
    )


def campaign_counts(campaigns: Iterable[Campaign]) -> list[CampaignCount]:
    """Return how the people of these campaigns stand, counted in one go."""
    shown = list(campaigns)
    counted: dict[int, dict[str, int]] = {}
    people = Facilitator.objects.filter(campaign__in=shown)
    for campaign_id, standing, n in (
        people.order_by().values_list("campaign_id", "standing").annotate(n=Count("id"))
    ):
        counted.setdefault(campaign_id, {})[standing] = n
    return [
        CampaignCount(campaign=campaign, standings=_by_place(counted.get(campaign.pk, {})))
        for campaign in shown
    ]


def next_calls(campaigns: Iterable[Campaign]) -> dict[int, datetime]:
    """Return when somebody of these campaigns is due next; campaigns with nobody left are not in it."""
    people = Facilitator.objects.filter(campaign__in=list(campaigns), standing__in=_CALLABLE)
    due = people.filter(next_call_at__isnull=False).order_by().values_list("campaign_id")
    return dict(due.annotate(soonest=Min("next_call_at")))


def _campaigns() -> list[CampaignCount]:
    return campaign_counts(Campaign.objects.exclude(state="finished").order_by("-state", "name")[:20])


def _by_place(standings: dict[str, int]) -> dict[str, int]:
    """Return the standings in the order of the way through a campaign."""
    return {standing.value: standings[standing.value] for standing in Standing if standing.value in standings}


def _per_day(now: datetime) -> dict[str, dict[str, int]]:
    rows: Any = (
        DailyStatistics.objects.filter(day__gt=(now - timedelta(days=14)).date(), day__lte=now.date())
        .order_by()
        .values("day")
        .annotate(**{f"sum_{name}": Sum(name) for name in _FIGURES})
    )
    return {row["day"].isoformat(): {name: row[f"sum_{name}"] for name in _FIGURES} for row in rows}


def _without_holes(per_day: dict[str, dict[str, int]], now: datetime) -> list[dict[str, int | str]]:
    """Return a row for each of the last fourteen days, when any was counted: a day of rest is a nought."""
    if not per_day:
        return []
    days = (now.date() - timedelta(days=n) for n in reversed(range(14)))
    empty = dict.fromkeys(_FIGURES, 0)
    return [{"day": day.isoformat(), **per_day.get(day.isoformat(), empty)} for day in days]


def _waiting(people: QuerySet[Facilitator]) -> list[Waiting]:
    """Group who waits for a time by why: the gate's last word, else where they stand."""
    why = Case(When(not_called_code="", then=F("standing")), default=F("not_called_code"))
    rows = (
        people.order_by()
        .annotate(why=why)
        .values_list("why")
        .annotate(n=Count("id"), soonest=Min("next_call_at"))
        .order_by("-n")
    )
    standings = {standing.value for standing in Standing}
    return [
        Waiting(code=code, n_people=n, soonest_at=soonest, standing=code if code in standings else "")
        for code, n, soonest in rows
    ]


def _held() -> list[Waiting]:
    """Group who waits for an operator by where they stand and why."""
    people = Facilitator.objects.filter(standing__in=_FOR_OPERATORS)
    rows = people.order_by().values_list("standing", "standing_reason").annotate(n=Count("id")).order_by("-n")
    return [
        Waiting(code=reason, n_people=n, soonest_at=None, standing=standing) for standing, reason, n in rows
    ]
