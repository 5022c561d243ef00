"""The dashboard's figures: what happens now (asked every second) and what is counted (every few)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import OuterRef, Subquery

from outreach.desk.days import Day, any_call, fortnight
from outreach.desk.due import Queue, queues
from outreach.desk.health import health_of
from outreach.desk.pace import Pace, pace_of
from outreach.desk.piece import Piece
from outreach.desk.waiting import CALLABLE_STANDINGS, FOR_OPERATORS, Counted, Waiting, held_of, waiting_of
from outreach.domain.standing import CallKind, Standing
from outreach.domain.tally import Thing
from outreach.models import (
    Call,
    Callback,
    CallbackState,
    CallerId,
    Campaign,
    CampaignState,
    DialingControl,
    Turn,
)
from outreach.services import caller_ids, clock, statistics
from outreach.services.statistics import Scope

CALLS_SHOWN = 40
CALLBACKS_SHOWN = 12
CAMPAIGNS_SHOWN = 20
CALLBACKS_AHEAD = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Present:
    """What happens at this moment."""

    at: datetime
    control: DialingControl
    calls: Sequence[Call]
    n_calls: int
    health: list[Piece]

    @property
    def trouble(self) -> list[Piece]:
        """What is wrong."""
        return [piece for piece in self.health if not piece.well]

    @property
    def health_by_need(self) -> list[Piece]:
        """All pieces, with what needs somebody before what is well."""
        return sorted(self.health, key=lambda piece: piece.well)


@dataclass(frozen=True, kw_only=True)
class CampaignCount:
    """How the people of one campaign stand."""

    campaign: Campaign
    standings: dict[str, int] = field(default_factory=dict)
    no_number: str = ""
    """Why the campaign has no number to call from now; empty: it has."""

    @property
    def n_people(self) -> int:
        """People in the campaign."""
        return sum(self.standings.values())

    @property
    def done_percent(self) -> int:
        """Share of the people about whom nothing is left to do, for Alex or for an operator, in percent."""
        still_open = {*CALLABLE_STANDINGS, *FOR_OPERATORS, Standing.IN_CALL.value}
        done = sum(n for standing, n in self.standings.items() if standing not in still_open)
        return round(100 * done / self.n_people) if self.n_people else 0


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What is counted over people, days and promises."""

    at: datetime
    campaigns: list[CampaignCount]
    n_campaigns: int
    """Campaigns that are not finished, shown or not."""
    n_people: int
    """People in all campaigns."""
    standings: dict[str, int]
    """How all of them stand."""
    days: dict[date, Day]
    pace: Pace
    cost: dict[str, Decimal]
    """What all calls cost so far, by currency."""
    waiting: list[Waiting]
    due_now: int
    """People due in running campaigns."""
    due_at_least: bool
    """Whether more may be due: counting ends somewhere."""
    retries_due: int
    next_at: datetime | None
    """When the next one is due who is not yet."""
    held: list[Waiting]
    callbacks: list[Callback]
    n_callbacks: int
    n_late: int

    @property
    def any_call(self) -> bool:
        """Whether any call was made in the last fortnight."""
        return any_call(self.days.values())

    @property
    def today(self) -> Day:
        """Today's figures."""
        return self.days[self.at.date()]

    @property
    def yesterday(self) -> Day:
        """Yesterday's figures."""
        return self.days[self.at.date() - timedelta(days=1)]


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
    people = statistics.people()
    pending = statistics.pending_calls()
    days = fortnight(now, pending)
    open_ones = list(Campaign.objects.exclude(state=CampaignState.FINISHED).order_by("-state", "name"))
    running = [campaign for campaign in open_ones if campaign.state == CampaignState.RUNNING]
    queue = _together(queues([campaign.pk for campaign in running], now).values())
    due_by = Callback.objects.filter(state=CallbackState.PROMISED, promised_at__lt=now + CALLBACKS_AHEAD)
    promised = list(due_by.select_related("facilitator").order_by("promised_at")[:CALLBACKS_SHOWN])
    yesterday = now.date() - timedelta(days=1)
    return Counts(
        at=now,
        campaigns=_campaigns(open_ones[:CAMPAIGNS_SHOWN], people, now),
        n_campaigns=len(open_ones),
        n_people=sum(n for *_, n in people),
        standings=_by_place((standing, n) for _, standing, _, n in people),
        days=days,
        pace=pace_of(now, today=days[now.date()], yesterday=days[yesterday], running=running),
        cost=statistics.tallied(Scope(), things=[Thing.COST], pending=pending).money(),
        waiting=waiting_of(people, open_ones, now),
        due_now=queue.n_due,
        due_at_least=queue.at_least,
        retries_due=queue.due.get(CallKind.RETRY.value, 0),
        next_at=queue.next_at,
        held=held_of(people),
        callbacks=promised,
        n_callbacks=due_by.count(),
        n_late=due_by.filter(promised_at__lt=now).count(),
    )


def campaign_counts(campaigns: Iterable[Campaign]) -> list[CampaignCount]:
    """Return how the people of these campaigns stand."""
    shown = list(campaigns)
    people = statistics.people([campaign.pk for campaign in shown])
    return [_count(campaign, people) for campaign in shown]


def next_calls(campaigns: Iterable[Campaign]) -> dict[int, datetime]:
    """Return when somebody of these campaigns is due next; campaigns with nobody left are not in it."""
    now = clock.now()
    found = queues([campaign.pk for campaign in campaigns], now)
    soonest = {pk: now if queue.n_due else queue.next_at for pk, queue in found.items()}
    return {pk: at for pk, at in soonest.items() if at is not None}


def _together(found: Iterable[Queue]) -> Queue:
    each = list(found)
    due: dict[str, int] = {}
    for queue in each:
        for kind, n in queue.due.items():
            due[kind] = due.get(kind, 0) + n
    soonest = min((queue.next_at for queue in each if queue.next_at is not None), default=None)
    return Queue(due=due, at_least=any(queue.at_least for queue in each), next_at=soonest)


def _campaigns(shown: Sequence[Campaign], people: Sequence[Counted], now: datetime) -> list[CampaignCount]:
    known = {row.number: row for row in CallerId.objects.all()}
    used = caller_ids.used_today([row.number for row in known.values() if row.daily_cap is not None], now)
    found = []
    for campaign in shown:
        running = campaign.state == CampaignState.RUNNING
        pool = caller_ids.pool(campaign.caller_ids, known=known, used=used, now=now)
        found.append(_count(campaign, people, no_number=pool.why_none if running else ""))
    return found


def _count(campaign: Campaign, people: Iterable[Counted], *, no_number: str = "") -> CampaignCount:
    standings = _by_place((standing, n) for pk, standing, _, n in people if pk == campaign.pk)
    return CampaignCount(campaign=campaign, standings=standings, no_number=no_number)


def _by_place(counted: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the standings in the order of the way through a campaign."""
    summed: dict[str, int] = {}
    for standing, n in counted:
        summed[standing] = summed.get(standing, 0) + n
    return {standing.value: summed[standing.value] for standing in Standing if summed.get(standing.value)}
