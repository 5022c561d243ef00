"""The last results, one row per check, for the pages that show them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from outreach.doctor.finding import Check, Result, Surroundings
from outreach.doctor.registry import CHECKS
from outreach.models import Campaign, CheckResult
from outreach.services import clock


@transaction.atomic
def store(results: Sequence[Result], about: Surroundings) -> None:
    """Keep these results in place of the earlier ones of the same checks."""
    now = clock.now()
    rows = [
        CheckResult(
            name=row_name(result.check, about.campaign),
            area=result.check.area,
            status=result.finding.status.value,
            finding=result.finding.says,
            remedy=result.finding.remedy,
            page=result.finding.page,
            checked_at=now,
        )
        for result in results
    ]
    CheckResult.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["area", "status", "finding", "remedy", "page", "checked_at"],
    )


def latest(*, campaign: Campaign | None = None) -> list[CheckResult]:
    """Return the last result of every check that was ever run, in the checks' own order.

    :param campaign: take this campaign's own results where there are any.
    """
    names = [check.name for check in CHECKS]
    own = [row_name(check, campaign) for check in CHECKS]
    found = {row.name: row for row in CheckResult.objects.filter(Q(name__in=names) | Q(name__in=own))}
    rows = (found.get(mine) or found.get(name) for mine, name in zip(own, names, strict=True))
    return [row for row in rows if row is not None]


def row_name(check: Check, campaign: Campaign | None) -> str:
    """Return the name under which a check's result is kept."""
    return f"{check.name}/{campaign.pk}" if check.of_campaign and campaign is not None else check.name


def told_by(row: CheckResult) -> tuple[str, str]:
    """Return the check and the key of the campaign that a result is of; without one it is of them all."""
    check, _, campaign = row.name.partition("/")
    return check, campaign
