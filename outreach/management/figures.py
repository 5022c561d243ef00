"""Counted facts about people, calls and promises, each with the formula that it was counted by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Avg, Count, Q, QuerySet

from outreach.domain.disposition import AnsweredBy
from outreach.domain.standing import Standing
from outreach.models import Call, Callback, CallbackState, Campaign, Facilitator

#: `uncertain` is treated as a person, and so is an answer that nobody has judged.
HUMAN = Q(answered_at__isnull=False, answered_by__in=[AnsweredBy.HUMAN.value, AnsweredBy.UNCERTAIN.value, ""])
DIALLED = Q(placed_at__isnull=False)

FORMULAS = {
    "standings": "people: how everybody in the campaign stands at this moment, whatever the days.",
    "dialled": "calls that the carrier took.",
    "answer_rate": (
        "calls a person answered ÷ calls dialled. An answer that is uncertain, or not judged yet, counts as "
        "a person's."
    ),
    "success_rate": "people who became interested in a call ÷ people reached, that is who answered a call.",
    "talk": "seconds from answer to hang-up, as the carrier counts them, of ended calls a person answered.",
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
        """People interested ÷ people reached."""
        return _share(self.people_interested, self.people_reached)

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


def figures(*, campaign: Campaign | None, since: datetime | None) -> Figures:
    """Count people, and the phone calls and promises begun since a moment (None: ever)."""
    people, calls, promises = Facilitator.objects.all(), Call.objects.by_phone(), Callback.objects.all()
    if campaign is not None:
        people = people.filter(campaign=campaign)
        calls = calls.filter(campaign=campaign)
        promises = promises.filter(facilitator__campaign=campaign)
    if since is not None:
        calls = calls.filter(queued_at__gte=since)
        promises = promises.filter(promised_at__gte=since)
    talks = calls.filter(HUMAN, duration_seconds__isnull=False)
    counted = calls.aggregate(
        begun=Count("pk"),
        dialled=Count("pk", filter=DIALLED),
        answered_by_person=Count("pk", filter=HUMAN),
        answered_by_machine=Count("pk", filter=Q(answered_at__isnull=False) & ~HUMAN),
        people_reached=Count("facilitator", filter=HUMAN, distinct=True),
        people_interested=Count("facilitator", filter=Q(disposition="interested"), distinct=True),
        our_faults=Count("pk", filter=Q(our_fault=True)),
    )
    standings = _in_order(_counted(people, "standing"))
    return Figures(
        people=sum(standings.values()),
        standings=standings,
        dispositions=_counted(calls.exclude(disposition=""), "disposition"),
        statuses=_counted(calls, "status"),
        talk_average=talks.aggregate(seconds=Avg("duration_seconds"))["seconds"],
        talk_median=_median(talks),
        callbacks=_counted(promises, "state"),
        our_faults_by_code=_faults(calls),
        **counted,
    )


def standings_in(campaign: Campaign) -> dict[str, int]:
    """Count how the people of one campaign stand, in the order of the way through it."""
    return _in_order(_counted(Facilitator.objects.filter(campaign=campaign), "standing"))


def _in_order(standings: dict[str, int]) -> dict[str, int]:
    return {one.value: standings[one.value] for one in Standing if one.value in standings}


def _counted(rows: QuerySet[Any], column: str) -> dict[str, int]:
    """Count rows by a column, the most frequent first."""
    groups = rows.order_by().values_list(column).annotate(n=Count("pk")).order_by("-n", column)
    return dict(groups)


def _faults(calls: QuerySet[Call]) -> dict[str, int]:
    """Count our faults by what went wrong: the failure's code, else how Alex said it ended."""
    counts: dict[str, int] = {}
    rows = calls.filter(our_fault=True).order_by().values_list("failure_code", "ended_by")
    for code, ended_by, n in rows.annotate(n=Count("pk")).order_by("-n"):
        counts[code or ended_by or "unexplained"] = counts.get(code or ended_by or "unexplained", 0) + n
    return counts


def _median(talks: QuerySet[Call]) -> float | None:
    n = talks.count()
    if not n:
        return None
    middle = talks.order_by("duration_seconds").values_list("duration_seconds", flat=True)
    return float(sum(seconds or 0 for seconds in middle[(n - 1) // 2 : n // 2 + 1])) / (2 - n % 2)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
