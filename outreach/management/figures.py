"""Counted facts about people, calls and promises, each with the formula that it was counted by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import Count, QuerySet

from outreach.domain.standing import Standing
from outreach.domain.tally import Thing, What
from outreach.models import Callback, CallbackState, Campaign
from outreach.services import statistics
from outreach.services.statistics import Scope

FORMULAS = {
    "standings": "people: how everybody in the campaign stands at this moment, whatever the days.",
    "dialled": "calls that the carrier took; a day is a UTC day, in every figure.",
    "answer_rate": (
        "calls a person answered ÷ calls dialled. An answer that is uncertain, or not judged yet, counts as "
        "a person's."
    ),
    "success_rate": (
        "of the people reached, that is who answered a call for the first time in these days, how many "
        "became interested, then or in a later call."
    ),
    "talk": (
        "seconds from answer to hang-up, as the carrier counts them, of calls a person answered; the median "
        "is read off lengths that are counted in steps of 5 seconds, from 5 minutes on of 15."
    ),
    "kept": "callbacks dialled within ten minutes of the promise ÷ callbacks kept or missed.",
    "our_faults": "calls that failed by our own fault ÷ calls begun; they cost nobody an attempt.",
}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What happened in a campaign, or in all, since a moment; rates are None where nothing was counted."""

    people: int
    standings: dict[str, int]
    begun: int
    dialled: int
    answered_by_person: int
    answered_by_machine: int
    dispositions: dict[str, int]
    statuses: dict[str, int]
    people_reached: int
    people_interested: int
    reached_interested: int
    talk_average: float | None
    talk_median: float | None
    callbacks: dict[str, int]
    our_faults: int
    our_faults_by_code: dict[str, int]

    @property
    def answer_rate(self) -> float | None:
        """Calls a person answered ÷ calls dialled."""
        return _share(self.answered_by_person, self.dialled)

    @property
    def success_rate(self) -> float | None:
        """Those of the people reached who became interested ÷ people reached."""
        return _share(self.reached_interested, self.people_reached)

    @property
    def kept_rate(self) -> float | None:
        """Callbacks kept ÷ callbacks kept or missed."""
        kept = self.callbacks.get(CallbackState.KEPT.value, 0)
        return _share(kept, kept + self.callbacks.get(CallbackState.MISSED.value, 0))

    @property
    def our_faults_rate(self) -> float | None:
        """Calls that failed by our fault ÷ calls begun."""
        return _share(self.our_faults, self.begun)

    def as_json(self) -> dict[str, Any]:
        """Return everything, with the rates, as it is printed for programs."""
        rates = ("answer_rate", "success_rate", "kept_rate", "our_faults_rate")
        return asdict(self) | {name: getattr(self, name) for name in rates} | {"formulas": FORMULAS}


def figures(*, campaign: Campaign | None, since: date | None) -> Figures:
    """Return people as they stand, and the calls and promises of the days since `since` (None: ever)."""
    promises = Callback.objects.all()
    if campaign is not None:
        promises = promises.filter(facilitator__campaign=campaign)
    if since is not None:
        promises = promises.filter(promised_at__gte=datetime.combine(since, time(tzinfo=UTC)))
    counted = statistics.tallied(Scope(campaign_id=campaign.pk if campaign else None, since=since))
    standings = _standings([campaign.pk] if campaign else None)
    return Figures(
        people=sum(standings.values()),
        standings=standings,
        begun=counted.calls(What.BEGUN),
        dialled=counted.calls(What.DIALLED),
        answered_by_person=counted.calls(What.HUMAN),
        answered_by_machine=counted.calls(What.ANSWERED) - counted.calls(What.HUMAN),
        dispositions=counted.by_key(Thing.OUTCOME),
        statuses=counted.by_key(Thing.STATUS),
        people_reached=counted.calls(What.REACHED),
        people_interested=counted.calls(What.INTERESTED),
        reached_interested=counted.calls(What.REACHED_INTERESTED),
        talk_average=counted.talk_average,
        talk_median=counted.talk_median,
        callbacks=_counted(promises, "state"),
        our_faults=counted.calls(What.OUR_FAULT),
        our_faults_by_code=counted.by_key(Thing.FAULT),
    )


def standings_in(campaign: Campaign) -> dict[str, int]:
    """Return how the people of one campaign stand, in the order of the way through it."""
    return _standings([campaign.pk])


def _standings(campaigns: list[int] | None) -> dict[str, int]:
    summed: dict[str, int] = {}
    for _campaign, standing, _code, n in statistics.people(campaigns):
        summed[standing] = summed.get(standing, 0) + n
    return {one.value: summed[one.value] for one in Standing if summed.get(one.value)}


def _counted(rows: QuerySet[Any], column: str) -> dict[str, int]:
    """Count rows by a column, the most frequent first."""
    groups = rows.order_by().values_list(column).annotate(n=Count("pk")).order_by("-n", column)
    return dict(groups)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
