"""Calls started per second, exact across workers: token buckets as rows, taken in the intent."""

from __future__ import annotations

from datetime import datetime

from outreach.domain.pacing import refill
from outreach.models import Campaign, DialingControl, PacingBucket


def seconds_until_token(*, control: DialingControl, campaign: Campaign, now: datetime) -> float:
    """Take a token from the global and the campaign's bucket and return 0, or return the seconds to wait.

    Runs in the intent's transaction; the rows are locked in one order, global first, so that two
    intents never wait for each other. Takes both tokens or none.
    """
    scopes = {"global": control.calls_per_second, f"campaign:{campaign.pk}": campaign.calls_per_second}
    PacingBucket.objects.bulk_create(
        [PacingBucket(scope=scope, tokens=1.0, refilled_at=now) for scope in scopes], ignore_conflicts=True
    )
    locked = {row.scope: row for row in PacingBucket.objects.select_for_update().filter(scope="global")}
    locked |= {
        row.scope: row
        for row in PacingBucket.objects.select_for_update().filter(scope=f"campaign:{campaign.pk}")
    }
    wait = 0.0
    for scope, rate in scopes.items():
        bucket = locked[scope]
        bucket.tokens = refill(tokens=bucket.tokens, refilled_at=bucket.refilled_at, now=now, rate=rate)
        bucket.refilled_at = max(bucket.refilled_at, now)
        wait = max(wait, (1.0 - bucket.tokens) / rate)
    if wait > 1e-6:
        return wait
    for bucket in locked.values():
        bucket.tokens -= 1.0
        bucket.save()
    return 0.0
