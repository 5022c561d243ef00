"""Whether our account at the carrier may call at all: asked now and then, remembered in a row.

No dial asks for it: a request more per call, and one that could hang between the intent and the dial.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from outreach.domain.account_rules import SUSPENDED, TRIAL, AccountRule, rule_of_state
from outreach.integrations.telephony import AccountState, CarrierAccount, TelephonyError
from outreach.models import CheckResult, CheckStatus
from outreach.services import clock
from outreach.services.rows import row_of

logger = logging.getLogger(__name__)

#: The check whose result is the memory; `manage.py doctor` refreshes it too.
ACCOUNT_CHECK = "twilio.account"
#: How long a good answer is good for: accounts fall back only when they are suspended.
ASK_AGAIN_AFTER = timedelta(hours=24)

ALL_WELL = "The account is upgraded and active."


def look_now_and_then(*, account: CarrierAccount) -> None:
    """Ask the carrier about our account, unless a good answer of the last day is known.

    Whoever upgraded the account need not run a check: what refused is asked about each time. Without an
    answer nothing changes; the dial itself will tell.
    """
    known = row_of(CheckResult, "name", ACCOUNT_CHECK)
    if known is not None and known.status == CheckStatus.OK and _is_fresh(known):
        return
    try:
        state = account.state()
    except TelephonyError as problem:
        logger.warning("account not looked at", extra={"problem": str(problem)})
        return
    _remember(state)


def refusal() -> AccountRule | None:
    """Return why no phone may ring through our account, as last seen, or None."""
    known = row_of(CheckResult, "name", ACCOUNT_CHECK)
    findings = {rule.finding: rule for rule in (TRIAL, SUSPENDED)}
    if known is None or known.status != CheckStatus.FAIL:
        return None
    return findings.get(known.finding)


def _is_fresh(known: CheckResult) -> bool:
    return clock.now() - known.checked_at < ASK_AGAIN_AFTER


def _remember(state: AccountState) -> None:
    rule = rule_of_state(trial=state.trial, active=state.active)
    seen = CheckResult(
        name=ACCOUNT_CHECK,
        area=ACCOUNT_CHECK.partition(".")[0],
        status=(CheckStatus.FAIL if rule else CheckStatus.OK).value,
        finding=rule.finding if rule else ALL_WELL,
        remedy=rule.remedy if rule else "",
        page=rule.page if rule else "",
        checked_at=clock.now(),
    )
    # One statement: at the first calls several workers look at once.
    CheckResult.objects.bulk_create(
        [seen],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["area", "status", "finding", "remedy", "page", "checked_at"],
    )
