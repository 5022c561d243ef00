"""One examination: every check that is asked for, its results kept."""

from __future__ import annotations

from outreach.doctor import results
from outreach.doctor.finding import Result, Surroundings
from outreach.doctor.registry import CHECKS, checks_of
from outreach.doctor.running import run
from outreach.domain.account_rules import BALANCE_CHECK
from outreach.models import Campaign


def examine(*, campaign_id: int | None = None) -> list[Result]:
    """Make every check, for one campaign or for all, and keep what it finds."""
    about = Surroundings(campaign=Campaign.objects.filter(pk=campaign_id).first() if campaign_id else None)
    done = run(checks_of(), about)
    results.store(done, about)
    return done


def examine_balance() -> None:
    """Look whether what is left on the carrier's account lasts for all campaigns, and keep what is found."""
    about = Surroundings()
    results.store(run([check for check in CHECKS if check.name == BALANCE_CHECK], about), about)
