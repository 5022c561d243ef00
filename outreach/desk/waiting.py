"""Who waits for what, from the counts that follow every change: no list of people is gone through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count

from outreach.domain.standing import CALLABLE, Standing
from outreach.models import Facilitator

#: People that are due are counted up to so many in each queue and urgency; more are "at least".
MOST_DUE = 1_000
#: People whose own reasons are told apart where the gate said nothing; of more only the standing is told.
MOST_REASONS = 2_000
CALLABLE_STANDINGS = sorted(standing.value for standing in CALLABLE)
#: Standings that wait for an operator.
FOR_OPERATORS = (Standing.HELD.value, Standing.NEEDS_REVIEW.value)

#: The three queues, each by its own partial index, one urgency at a time.
_QUEUE = """
SELECT c.id, '{kind}', sum(due.n), max(due.n), min(later.at)
FROM unnest(%(campaigns)s::bigint[]) AS c (id) CROSS JOIN generate_series(1, 9) AS p (priority)
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM (
        SELECT 1 FROM outreach_facilitator f
        WHERE f.campaign_id = c.id AND f.priority = p.priority AND {queue} AND f.next_call_at <= %(now)s
        LIMIT %(most)s
    ) AS counted
) AS due
LEFT JOIN LATERAL (
    SELECT f.next_call_at AS at FROM outreach_facilitator f
    WHERE f.campaign_id = c.id AND f.priority = p.priority AND {queue} AND f.next_call_at > %(now)s
    ORDER BY f.next_call_at LIMIT 1
) AS later ON true
GROUP BY c.id
"""
_PROMISED = """
SELECT c.id, 'callback', due.n, due.n, later.at
FROM unnest(%(campaigns)s::bigint[]) AS c (id)
CROSS JOIN LATERAL (
    SELECT count(*) AS n FROM (
        SELECT 1 FROM outreach_facilitator f
        WHERE f.campaign_id = c.id AND f.standing = 'callback_due' AND f.next_call_at <= %(now)s
        LIMIT %(most)s
    ) AS counted
) AS due
LEFT JOIN LATERAL (
    SELECT f.next_call_at AS at FROM outreach_facilitator f
    WHERE f.campaign_id = c.id AND f.standing = 'callback_due' AND f.next_call_at > %(now)s
    ORDER BY f.next_call_at LIMIT 1
) AS later ON true
"""
_QUEUES = " UNION ALL ".join(
    (
        _QUEUE.format(kind="first", queue="f.standing IN ('new', 'waiting')"),
        _QUEUE.format(kind="retry", queue="f.standing = 'retry_due'"),
        _PROMISED,
    )
)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """People who wait for the same reason."""

    code: str
    n_people: int
    standing: str = ""
    """Where they all stand, when the reason is that, or when somebody has to act."""
    by_code: bool = True
    """Whether `code` is what the gate said, by which the list of people can be narrowed."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Who is due in one campaign, and when the next one is."""

    due: dict[str, int]
    """Due now by kind of call, each up to `MOST_DUE` an urgency."""
    at_least: bool
    """Whether more may be due: counting ends somewhere."""
    next_at: datetime | None
    """When the first of the others is due."""

    @property
    def n_due(self) -> int:
        """People due now."""
        return sum(self.due.values())


def queues(campaigns: Iterable[int], now: datetime) -> dict[int, Queue]:
    """Return each campaign's queue, read off the indexes that calls are claimed by."""
    ids = list(campaigns)
    found: dict[int, list[tuple[str, int, int, datetime | None]]] = defaultdict(list)
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_QUEUES, {"campaigns": ids, "now": now, "most": MOST_DUE})
            for campaign_id, kind, n, most, at in cursor.fetchall():
                found[campaign_id].append((kind, int(n), most, at))
    return {
        pk: Queue(
            due={kind: n for kind, n, _, _ in rows},
            at_least=any(most >= MOST_DUE for _, _, most, _ in rows),
            next_at=min((at for *_, at in rows if at is not None), default=None),
        )
        for pk, rows in found.items()
    }


def waiting_of(people: Iterable[tuple[int, str, str, int]]) -> list[Waiting]:
    """Group who may be called by what the gate last said, else by where they stand; most people first."""
    groups: dict[tuple[str, str], int] = defaultdict(int)
    for _campaign, standing, code, n in people:
        if standing in CALLABLE_STANDINGS:
            groups[code, "" if code else standing] += n
    return _sorted(
        Waiting(code=code or standing, n_people=n, standing=standing, by_code=bool(code))
        for (code, standing), n in groups.items()
    )


def held_of(people: Iterable[tuple[int, str, str, int]]) -> list[Waiting]:
    """Group who waits for an operator by where they stand and why; most people first."""
    groups: dict[tuple[str, str], int] = defaultdict(int)
    for _campaign, standing, code, n in people:
        if standing in FOR_OPERATORS:
            groups[standing, code] += n
    unexplained = {standing: n for (standing, code), n in groups.items() if not code and n <= MOST_REASONS}
    explained = [
        Waiting(code=code, n_people=n, standing=standing)
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
        Waiting(code=reason, n_people=n, standing=standing, by_code=False) for standing, reason, n in rows
    ]


def _sorted(groups: Iterable[Waiting]) -> list[Waiting]:
    return sorted(
        (group for group in groups if group.n_people), key=lambda group: (-group.n_people, group.code)
    )
