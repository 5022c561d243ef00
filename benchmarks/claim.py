"""Claiming people and inserting their calls, among ten thousand due people and among a million."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
from django.db import connection, transaction

from benchmarks.figures import Figure, Report, main, median, ratios
from benchmarks.people import a_running_campaign, add_people
from benchmarks.stage import connect_to, copy_database, stage
from benchmarks.statements import Statement, plan_of, recorded, replay
from outreach.domain.standing import CallKind
from outreach.models import Campaign
from outreach.services import clock
from outreach.services.claiming import claim

FEW, MANY = 10_000, 1_000_000
WAITING = 900_000
#: One tick's claims at the rate that `dial` has to reach, and those of a quiet campaign; and how often
#: each is repeated at one visit to a database.
BATCHES = {40: 5, 1: 15}
VISITS = 8
INDEX = "facilitator_due_new"

_UNDO = """
UPDATE outreach_facilitator SET standing = 'new', next_call_at = created_at
    - ((right(number, 7)::bigint * 104729) % 3600) * interval '1 second'
WHERE standing = 'in_call'
"""


@dataclass
class Times:
    """Seconds for one claim of so many people, round by round."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    visits: list[float] = field(default_factory=list)
    """The median of ours at each visit to the database."""


def measure(report: Report) -> None:
    """Fill three databases and claim in each of them by turns."""
    with stage():
        _fill()
        times = {(name, n): Times() for n in BATCHES for name in ("few", "many", "waiting")}
        plans: dict[str, list[str]] = {}
        for _ in range(VISITS):
            for (name, batch), measured in times.items():
                with connect_to(name) as bare:
                    plans[name] = _visit(bare, batch, measured)
    _tell(report, times, plans)


def _fill() -> None:
    campaign = a_running_campaign(calls_per_second=100, max_open_calls=10_000)
    copy_database("outreach", "waiting")
    add_people(campaign, first=1, last=FEW)
    copy_database("outreach", "few")
    add_people(campaign, first=FEW + 1, last=MANY)
    copy_database("outreach", "many")
    with connect_to("waiting"):
        add_people(campaign, first=1, last=WAITING, due_in=timedelta(days=1), priority=1)
        add_people(campaign, first=WAITING + 1, last=MANY)


def _visit(bare: psycopg.Connection, batch: int, times: Times) -> list[str]:
    """Claim a few times, each time by the product and then by its own statements; return the claim's plan."""
    campaign = Campaign.objects.get()
    plan: list[str] = []
    before = len(times.ours)
    for attempt in range(BATCHES[batch] + 1):
        with recorded() as said:
            took = _claim(campaign, batch)
        _undo()
        plan = plan_of(bare, _the_claim(said))
        started = time.perf_counter()
        replay(bare, said)
        took_bare = time.perf_counter() - started
        _undo()
        if attempt:  # the first one finds cold caches and unprepared statements
            times.ours.append(took)
            times.bare.append(took_bare)
    times.visits.append(median(times.ours[before:]))
    return plan


def _claim(campaign: Campaign, batch: int) -> float:
    started = time.perf_counter()
    with transaction.atomic():
        claimed = claim(campaign, CallKind.FIRST, batch, clock.now())
    took = time.perf_counter() - started
    if len(claimed) != batch:
        raise RuntimeError(f"{len(claimed)} people were claimed instead of {batch}")
    return took


def _undo() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM outreach_call")
        cursor.execute(_UNDO)


def _the_claim(said: list[Statement]) -> Statement:
    return next(statement for statement in said if "FOR UPDATE" in statement.sql)


def _tell(report: Report, times: dict[tuple[str, int], Times], plans: dict[str, list[str]]) -> None:
    words = {"few": "10,000 due", "many": "1,000,000 due", "waiting": "900,000 of priority 1 waiting"}
    for (name, batch), measured in times.items():
        ours, bare = median(measured.ours), median(measured.bare)
        of_bare = median(ratios(measured.bare, measured.ours))
        # One at a time, half of it is the ORM's making of one row of fifty columns: told, not judged.
        goal = 0.5 if name != "few" and batch > 1 else None
        what = f"{words[name]}, {batch} at once"
        report.figures += [
            Figure(name=f"{what}: claimed", value=batch / ours, unit="/s"),
            Figure(name=f"{what}: in bare psycopg", value=batch / bare, unit="/s"),
            Figure(name=f"{what}: share of bare psycopg", value=of_bare, at_least=goal),
        ]
    for batch in BATCHES:
        many_by_few = median(ratios(times["many", batch].visits, times["few", batch].visits))
        name = f"time for 1,000,000 due rows by that for 10,000, {batch} at once"
        report.figures.append(Figure(name=name, value=many_by_few, at_most=1.3))
    for name, nodes in plans.items():
        good = any(INDEX in node for node in nodes) and not any(
            node.startswith(("Seq Scan", "Sort", "Incremental Sort")) for node in nodes
        )
        report.figures.append(
            Figure(name=f"{words[name]}: plan uses {INDEX}, sorts nothing", value=float(good), at_least=1)
        )
        report.remarks.append(f"{words[name]}: {' > '.join(nodes)}")


if __name__ == "__main__":
    sys.exit(main("claim", measure, description=__doc__))
