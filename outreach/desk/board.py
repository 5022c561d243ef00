"""The dashboard's figures: what happens now (asked every second) and what is counted (every few)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, OuterRef, QuerySet, Subquery, Sum

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
        """Share of the people whom nobody will call again, in percent."""
        still_open = {*_CALLABLE, Standing.IN_CALL.value}
        done = sum(n for standing, n in self.standings.items() if standing not in still_open)
        return round(100 * done / self.n_people) if self.n_people else 0


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """People who wait for the same reason."""

    code: str
    n_people: int
    soonest_at: datetime | None


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
    in_the_air = Call.objects.open().select_related("facilitator", "campaign").order_by("queued_at")
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
        days=[{"day": day, **figures} for day, figures in sorted(per_day.items())],
        waiting=_grouped(people.filter(next_call_at__gt=now), "not_called_code"),
        due_now=due.count(),
        retries_due=due.filter(standing=Standing.RETRY_DUE.value).count(),
        held=_grouped(
            Facilitator.objects.filter(standing__in=[Standing.HELD.value, Standing.NEEDS_REVIEW.value]),
            "standing_reason",
        )[:8],
        callbacks=list(promised.select_related("facilitator").order_by("promised_at")[:CALLBACKS_SHOWN]),
        n_callbacks=promised.count(),
    )


def standings_of(campaign_id: int) -> dict[str, int]:
    """Return how many people of one campaign have each standing, in the order of the way through it."""
    rows = Facilitator.objects.filter(campaign_id=campaign_id).order_by().values_list("standing")
    return _by_place(dict(rows.annotate(n=Count("id"))))


def _campaigns() -> list[CampaignCount]:
    counted: dict[int, dict[str, int]] = {}
    rows = Facilitator.objects.order_by().values_list("campaign_id", "standing").annotate(n=Count("id"))
    for campaign_id, standing, n in rows:
        counted.setdefault(campaign_id, {})[standing] = n
    running_first = Campaign.objects.exclude(state="finished").order_by("-state", "name")[:20]
    return [
        CampaignCount(campaign=campaign, standings=_by_place(counted.get(campaign.pk, {})))
        for campaign in running_first
    ]


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


def _grouped(people: QuerySet[Facilitator], column: str) -> list[Waiting]:
    rows = (
        people.order_by()
        .values_list(column)
        .annotate(n=Count("id"), soonest=Min("next_call_at"))
        .order_by("-n")
    )
    return [Waiting(code=code, n_people=n, soonest_at=soonest) for code, n, soonest in rows]
