"""Who is due: the queues of campaigns, read off the indexes that calls are claimed by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

#: People that are due are counted up to so many in each queue and urgency; more are "at least".
MOST_DUE = 1_000

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
