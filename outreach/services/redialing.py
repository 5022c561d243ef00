"""Trying people again who were tried as often as allowed, chosen by how their last call ended.

They are allowed more attempts; their calls stay, so the caps by day and month hold, and the gate judges
everybody again when their turn comes. Whoever said no, or asked never to be called, is not to be had here.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from outreach.domain.standing import Standing
from outreach.models import Campaign
from outreach.services import clock
from outreach.services.edits import record_edits

logger = logging.getLogger(__name__)

#: How a last call may have ended for its person to be tried again, as an operator reads it.
OUTCOMES: dict[str, str] = {
    "no_answer": "Nobody answered",
    "busy": "Busy",
    "voicemail": "A machine answered",
    "hung_up": "They hung up without an answer",
    "no_outcome": "The conversation had no outcome",
    "failed": "The network could not connect the call",
}
MOST_ATTEMPTS = 10

#: Everybody of a campaign who was tried in vain, with the end of their last call and what forbids another.
_TRIED = """
SELECT f.id, f.number, CASE
        WHEN c.disposition IN ('hung_up', 'no_outcome') AND c.answered_by IN ('human', 'uncertain', '')
            THEN c.disposition
        WHEN c.answered_at IS NOT NULL THEN 'voicemail'
        WHEN c.status IN ('no_answer', 'busy', 'failed') THEN c.status
        ELSE 'failed'
    END AS outcome,
    EXISTS (SELECT FROM outreach_suppression s WHERE s.number = f.number) AS suppressed,
    EXISTS (SELECT FROM outreach_call n WHERE n.number = f.number AND n.channel = 'phone'
        AND n.disposition = 'not_interested' AND n.ended_at > %(no_since)s) AS said_no
FROM outreach_facilitator f
JOIN LATERAL (
    SELECT status, disposition, answered_at, answered_by FROM outreach_call
    WHERE facilitator_id = f.id AND channel = 'phone' AND settled_at IS NOT NULL
    ORDER BY queued_at DESC LIMIT 1
) c ON true
WHERE f.campaign_id = %(campaign)s AND f.standing = 'exhausted'
"""
_COUNT = f"""
SELECT outcome, count(*) FILTER (WHERE NOT suppressed AND NOT said_no),
    count(*) FILTER (WHERE suppressed), count(*) FILTER (WHERE said_no AND NOT suppressed)
FROM ({_TRIED}) tried
GROUP BY outcome
"""  # noqa: S608  (no word of a stranger in it)
#: In the order of their ids, as operators lock people: so two of them never wait for each other.
_GIVE = f"""
WITH tried AS ({_TRIED}), chosen AS (
    SELECT f.id FROM outreach_facilitator f JOIN tried USING (id)
    WHERE tried.outcome = ANY(%(outcomes)s) AND NOT tried.suppressed AND NOT tried.said_no
        AND f.standing = 'exhausted'
    ORDER BY f.id FOR NO KEY UPDATE OF f
)
UPDATE outreach_facilitator f
SET standing = %(standing)s, standing_reason = '', next_call_at = %(now)s, our_faults = 0,
    attempts_granted = greatest(f.attempts_granted, f.attempts_made - %(most)s) + %(attempts)s,
    not_called_code = 'retry', not_called_reason = %(reason)s, updated_at = %(now)s
FROM chosen WHERE chosen.id = f.id
RETURNING f.id
"""  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class Tried:
    """People who were tried in vain and whose last call ended alike."""

    outcome: str
    n_people: int
    """Who may be tried again."""
    n_suppressed: int
    n_said_no: int
    """Who may not: by their own word, in this campaign or another."""


def tried_in_vain(campaign: Campaign) -> list[Tried]:
    """Return how many people were tried as often as allowed, by how their last call ended."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, _asked(campaign))
        counted = {row[0]: row for row in cursor.fetchall()}
    return [
        Tried(outcome=outcome, n_people=n, n_suppressed=suppressed, n_said_no=said_no)
        for outcome, n, suppressed, said_no in (counted[key] for key in OUTCOMES if key in counted)
    ]


@transaction.atomic
def redial(*, campaign_id: int, outcomes: Collection[str], n_attempts: int, by: str) -> int:
    """Give the people whose last call ended in one of `outcomes` more attempts; return how many got them.

    :param n_attempts: how many more each may be tried, from 1 to `MOST_ATTEMPTS`.
    :raises ValueError: when that is none or too many.
    """
    if not 1 <= n_attempts <= MOST_ATTEMPTS:
        raise ValueError(f"from 1 to {MOST_ATTEMPTS} attempts")
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    more = "one more attempt" if n_attempts == 1 else f"{n_attempts} more attempts"
    now = clock.now()
    asked: dict[str, Any] = {
        **_asked(campaign),
        "standing": Standing.RETRY_DUE.value,
        "now": now,
        "most": campaign.max_attempts,
        "attempts": n_attempts,
        "outcomes": sorted(set(outcomes) & OUTCOMES.keys()),
        "reason": f"Tried again: {more}, given by {by}."[:300],
    }
    with connection.cursor() as cursor:
        cursor.execute(_GIVE, asked)
        given = [person_id for (person_id,) in cursor.fetchall()]
    record_edits(facilitator_ids=given, by=by, reason=f"Tried again: {more}", at=now)
    logger.info("redial", extra={"campaign_id": campaign_id, "by": by, "people": len(given)})
    return len(given)


def _asked(campaign: Campaign) -> dict[str, Any]:
    quiet = timedelta(days=campaign.quiet_days_after_no)
    return {"campaign": campaign.pk, "no_since": clock.now() - quiet}
