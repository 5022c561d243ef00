"""What becomes of a call once it is settled: its cost is counted, and its conversation is to be summed up."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from outreach.domain.summary import NO_CONVERSATION
from outreach.models import Call, CostState, TranscriptState
from outreach.services import clock, costs

BATCH = 200

#: A conversation is one with a person who said something. The row is the queue.
_SUM_UP = """
INSERT INTO outreach_summary (call_id, state, due_at, tries, problem, text, fields, dropped, model)
SELECT c.id, 'due', %s, 0, '', '', '[]', 0, ''
FROM outreach_call c
WHERE c.id = ANY(%s) AND c.answered_at IS NOT NULL AND NOT c.answered_by = ANY(%s)
    AND EXISTS (SELECT 1 FROM outreach_turn t WHERE t.call_id = c.id AND t.speaker = 'person')
ON CONFLICT (call_id) DO NOTHING
"""


@transaction.atomic
def take_up() -> int:
    """Take up calls that are settled and whose last words are stored; return how many.

    Each is taken up once, for its cost and its summary in one transaction; again, for its cost alone, when
    more becomes known of what it used. Runs at the same time pass over each other's calls.
    """
    settled = Call.objects.filter(settled_at__isnull=False, cost_state=CostState.NONE)
    # A transcript that stays open is closed by the sweep within minutes.
    ripe = settled.filter(Q(answered_at__isnull=True) | ~Q(transcript=TranscriptState.OPEN))
    calls = list(ripe.select_for_update(skip_locked=True).order_by("settled_at")[:BATCH])
    if not calls:
        return 0
    prices = costs.current_prices()
    for call in calls:
        costs.count(call, prices=prices)
    Call.objects.bulk_update(calls, costs.FIELDS)
    _queue_summaries([call.pk for call in calls])
    return len(calls)


def _queue_summaries(call_ids: Sequence[UUID]) -> None:
    machines = sorted(who.value for who in NO_CONVERSATION)
    with connection.cursor() as cursor:
        cursor.execute(_SUM_UP, [clock.now(), list(call_ids), machines])
