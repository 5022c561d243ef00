"""Calls started per second, exact across workers: token buckets as rows, taken in the intent."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from outreach.domain.pacing import refill
from outreach.models import Campaign, DialingControl, PacingBucket

#: Locks in this order, so that two intents never wait for each other.
_LOCK = """
SELECT scope, tokens, refilled_at FROM outreach_pacingbucket WHERE scope = ANY(%s)
ORDER BY scope <> 'global' FOR UPDATE
"""
_TAKE = """
UPDATE outreach_pacingbucket b SET tokens = w.tokens, refilled_at = w.refilled_at
FROM unnest(%s::text[], %s::float8[], %s::timestamptz[]) AS w (scope, tokens, refilled_at)
WHERE b.scope = w.scope
"""


def seconds_until_token(*, control: DialingControl, campaign: Campaign, now: datetime) -> float:
    """Take a token from the global and the campaign's bucket and return 0, or return the seconds to wait.

    Runs in the intent's transaction; the rows are locked in one order, global first. Takes both tokens or
    none.
    """
    rates = {"global": control.calls_per_second, f"campaign:{campaign.pk}": campaign.calls_per_second}
    scopes = list(rates)
    buckets = _locked(scopes)
    if len(buckets) < len(scopes):
        full = [PacingBucket(scope=scope, tokens=1.0, refilled_at=now) for scope in scopes]
        PacingBucket.objects.bulk_create(full, ignore_conflicts=True)
        buckets = _locked(scopes)
    tokens = {
        scope: refill(tokens=left, refilled_at=refilled_at, now=now, rate=rates[scope])
        for scope, (left, refilled_at) in buckets.items()
    }
    wait = max((1.0 - tokens[scope]) / rate for scope, rate in rates.items())
    if wait > 1e-6:
        return wait
    with connection.cursor() as cursor:
        at = [max(refilled_at, now) for _, refilled_at in buckets.values()]
        cursor.execute(_TAKE, [list(tokens), [left - 1.0 for left in tokens.values()], at])
    return 0.0


def _locked(scopes: list[str]) -> dict[str, tuple[float, datetime]]:
    """Return tokens and last refill of the buckets that exist, locked."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [scopes])
        return {scope: (tokens, refilled_at) for scope, tokens, refilled_at in cursor.fetchall()}
