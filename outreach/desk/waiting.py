"""Who waits for what, from the counts that follow every change: no list of people is gone through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, Sum

from outreach.desk.reasons import predicate_of, what_they_do
from outreach.desk.rendering import city_of, zone_of
from outreach.domain.gate import RefusalCode
from outreach.domain.standing import CALLABLE, CallKind, Standing
from outreach.models import Campaign, CampaignState, CanaryState, Facilitator, PeopleCount

#: Where so many people stand, the reasons of those of whom the gate said nothing are told apart.
MOST_REASONS = 20_000
CALLABLE_STANDINGS = sorted(standing.value for standing in CALLABLE)
#: Standings that wait for an operator.
FOR_OPERATORS = (Standing.HELD.value, Standing.NEEDS_REVIEW.value)
GROUPS_SHOWN = 9
#: What a campaign is that calls nobody; a running one begins later.
_IDLE: dict[str, str] = {
    CampaignState.DRAFT.value: "has not been started",
    CampaignState.PAUSED.value: "is paused",
    CampaignState.HELD.value: "is held",
}
#: Zones that are named where people wait for the same hour of theirs.
ZONES_NAMED = 3

#: Campaign, standing, code of the last refusal, people.
Counted = tuple[int, str, str, int]


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """People who wait for the same reason."""

    code: str
    n_people: int
    says: str
    """What they do, after their number: "wait for 09:00 in their zone"."""
    standing: str = ""
    """Where they all stand, when the reason is that, or when somebody has to act."""
    by_code: bool = True
    """Whether `code` is what the gate said, by which the list of people can be narrowed."""
    first_at: datetime | None = None
    """When it is over for the first of them, where all wait for their hours to open."""
    where: str = ""
    """The zones of those who wait for hours, the earliest first."""
    campaign: Campaign | None = None
    """The one that calls nobody now, when that is the reason."""


def waiting_of(people: Iterable[Counted], unfinished: Sequence[Campaign], now: datetime) -> list[Waiting]:
    """Group who may be called by what the gate last said, else by where they stand; most people first.

    Of finished campaigns only promises are kept.

    :param unfinished: every campaign that is not finished.
    """
    known = {campaign.pk for campaign in unfinished}
    idle = _idle(unfinished, now)
    closed = {campaign.pk for campaign in idle}
    of_idle: dict[int, int] = defaultdict(int)
    groups: dict[tuple[str, str], int] = defaultdict(int)
    for campaign_id, standing, code, n in people:
        forgotten = campaign_id not in known and standing != Standing.CALLBACK_DUE
        if forgotten or standing not in CALLABLE_STANDINGS:
            continue
        if campaign_id in closed:
            of_idle[campaign_id] += n
        else:
            groups[code, "" if code else standing] += n
    hours = _hours_awaited(now, calling=known - closed, but_not=closed)
    groups[RefusalCode.OUTSIDE_WINDOW.value, ""] -= sum(group.n_people for group in hours)
    for_nobody = [_for_nobody(campaign, why, of_idle[campaign.pk]) for campaign, why in idle.items()]
    others = [
        Waiting(
            code=code or standing,
            n_people=n,
            says=what_they_do(code or standing, n),
            standing=standing,
            by_code=bool(code),
        )
        for (code, standing), n in groups.items()
    ]
    return _sorted([*hours, *for_nobody, *others])


def _for_nobody(campaign: Campaign, why: str, n: int) -> Waiting:
    says = predicate_of(f"wait for “{campaign.name}”, which {why}", n)
    return Waiting(code=campaign.state, n_people=n, says=says, by_code=False, campaign=campaign)


def _idle(open_ones: Iterable[Campaign], now: datetime) -> dict[Campaign, str]:
    """Return the campaigns that call nobody new now, each with the reason as a half-sentence."""
    found = {}
    for campaign in open_ones:
        if campaign.why_not(CallKind.FIRST, now=now):
            over = campaign.is_over(now=now)
            found[campaign] = "is over" if over else _IDLE.get(campaign.state, "begins later")
        if campaign.canary_state == CanaryState.WAITING:
            found[campaign] = "waits for your go"
    return found


def held_of(people: Iterable[Counted]) -> list[Waiting]:
    """Group who waits for an operator by where they stand and why; most people first."""
    groups: dict[tuple[str, str], int] = defaultdict(int)
    for _campaign, standing, code, n in people:
        if standing in FOR_OPERATORS:
            groups[standing, code] += n
    whole = {standing: sum(n for (of, _), n in groups.items() if of == standing) for standing, _ in groups}
    unexplained = {
        standing: n
        for (standing, code), n in groups.items()
        if not code and n and whole[standing] <= MOST_REASONS
    }
    explained = [
        Waiting(code=code, n_people=n, standing=standing, says=what_they_do(code, n))
        for (standing, code), n in groups.items()
        if standing not in unexplained or code
    ]
    return _sorted([*explained, *_own_reasons(unexplained)])


def _own_reasons(standings: Mapping[str, int]) -> list[Waiting]:
    """Tell apart the reasons of people whom the gate did not judge."""
    if not standings:
        return []
    people = Facilitator.objects.filter(standing__in=list(standings), not_called_code="")
    rows: Any = people.order_by().values_list("standing", "standing_reason").annotate(n=Count("pk"))
    return [
        Waiting(code=reason, n_people=n, standing=standing, by_code=False, says=reason)
        for standing, reason, n in rows
    ]


def _hours_awaited(now: datetime, *, calling: set[int], but_not: set[int]) -> list[Waiting]:
    """Group who waits for their hours to open by when they do, on their own clocks."""
    code = RefusalCode.OUTSIDE_WINDOW.value
    called = Q(campaign__in=calling) | Q(standing=Standing.CALLBACK_DUE.value) & ~Q(campaign__in=but_not)
    rows: Any = PeopleCount.objects.filter(called, code=code, opens_at__gt=now)
    groups: dict[str, list[tuple[datetime, str, int]]] = defaultdict(list)
    counted = rows.order_by().values_list("opens_at", "time_zone").annotate(people=Sum("n"))
    for opens_at, zone_name, n in sorted(counted.exclude(people=0)):
        groups[_their_hour(opens_at, zone_name, now)].append((opens_at, zone_name, n))
    return [_awaited(code, hour, opening) for hour, opening in groups.items()]


def _awaited(code: str, hour: str, opening: list[tuple[datetime, str, int]]) -> Waiting:
    n = sum(people for *_, people in opening)
    named = list(dict.fromkeys(city_of(zone_name) for _, zone_name, _ in opening if zone_name))
    more = f" and {len(named) - ZONES_NAMED} more" if len(named) > ZONES_NAMED else ""
    says = f"wait for {hour} in their zone" if hour else "wait for an hour that all their zones share"
    where = f"{', '.join(named[:ZONES_NAMED])}{more}"
    return Waiting(code=code, n_people=n, says=predicate_of(says, n), first_at=opening[0][0], where=where)


def _their_hour(at: datetime, zone_name: str, now: datetime) -> str:
    """Return a moment on the clock of a zone, with the day where that is not today; empty: no such zone."""
    zone = zone_of(zone_name)
    if zone is None:
        return ""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    days = {today: "", today + timedelta(days=1): "tomorrow "}
    return f"{days.get(local.date(), f'{local:%a} {local.day} {local:%b} ')}{local:%H:%M}"


def _sorted(groups: Iterable[Waiting]) -> list[Waiting]:
    """Return the groups with most people first; what would be the tail of a long list, as one."""
    found = sorted(
        (group for group in groups if group.n_people > 0),
        key=lambda group: (-group.n_people, group.first_at is None, group.says),
    )
    if len(found) <= GROUPS_SHOWN:
        return found
    n = sum(group.n_people for group in found[GROUPS_SHOWN - 1 :])
    others = Waiting(code="", n_people=n, says=predicate_of("wait for other reasons", n), by_code=False)
    return [*found[: GROUPS_SHOWN - 1], others]
