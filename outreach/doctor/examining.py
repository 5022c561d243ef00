"""One examination: every check that is asked for, its results kept."""

from __future__ import annotations

from outreach.doctor import results
from outreach.doctor.finding import Result, Surroundings
from outreach.doctor.registry import checks_of
from outreach.doctor.running import run
from outreach.models import Campaign


def examine(*, campaign_id: int | None = None) -> list[Result]:
    """Make every check, for one campaign or for all, and keep what it finds."""
    about = Surroundings(campaign=Campaign.objects.filter(pk=campaign_id).first() if campaign_id else None)
    done = run(checks_of(), about)
    results.store(done, about)
    return done
