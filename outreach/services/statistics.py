"""Counting what happened, per campaign and day, so that no page counts calls anew."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from outreach.services import clock

_REFRESH = """
INSERT INTO outreach_dailystatistics
    (campaign_id, day, dialled, answered, reached, interested, callbacks, refused, our_faults,
     talk_seconds, refreshed_at)
SELECT campaign_id, (dialing_at AT TIME ZONE 'UTC')::date,
    count(*) FILTER (WHERE placed_at IS NOT NULL),
    count(*) FILTER (WHERE answered_at IS NOT NULL),
    count(DISTINCT facilitator_id)
        FILTER (WHERE answered_at IS NOT NULL AND answered_by IN ('human', 'uncertain', '')),
    count(DISTINCT facilitator_id) FILTER (WHERE disposition = 'interested'),
    count(*) FILTER (WHERE disposition = 'callback_requested'),
    count(*) FILTER (WHERE disposition IN ('not_interested', 'do_not_call')),
    count(*) FILTER (WHERE our_fault),
    coalesce(sum(duration_seconds) FILTER (WHERE answered_at IS NOT NULL), 0),
    %(now)s
FROM outreach_call
WHERE dialing_at >= date_trunc('day', %(since)s AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    -- A call is dialled minutes after it was queued or never; there is an index on when it was queued.
    AND queued_at >= date_trunc('day', %(since)s AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '1 hour'
GROUP BY 1, 2
ON CONFLICT (campaign_id, day) DO UPDATE SET
    dialled = excluded.dialled, answered = excluded.answered, reached = excluded.reached,
    interested = excluded.interested, callbacks = excluded.callbacks, refused = excluded.refused,
    our_faults = excluded.our_faults, talk_seconds = excluded.talk_seconds,
    refreshed_at = excluded.refreshed_at
"""


def refresh() -> int:
    """Count yesterday and today anew, for every campaign; return how many rows were written."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH, {"now": now, "since": now - timedelta(days=1)})
        return int(cursor.rowcount)
