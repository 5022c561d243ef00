"""Twilio: the credentials, the kind of the account, and how many calls it may have at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps

from django.conf import settings

from outreach.doctor.audience import NO_PHONE_RINGS, phones_can_ring
from outreach.doctor.finding import Check, Finding, Surroundings, fail, ok, skipped, warn
from outreach.domain.account_rules import CONCURRENCY, CREDENTIALS, KEYS_PAGE, AccountRule, rule_of_state
from outreach.integrations import twilio_account
from outreach.integrations.telephony import TelephonyRefused, TelephonyUnavailable
from outreach.services.carrier_account import ACCOUNT_CHECK, ALL_WELL

STATUS_PAGE = "https://status.twilio.com"
#: Twilio's code for a request that test credentials may not make.
TEST_CREDENTIALS = "20008"
_ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")


Examine = Callable[[Surroundings], Finding]


def asks_twilio(examine: Examine) -> Examine:
    """Turn Twilio's silence into a finding, and a refusal that the check does not expect."""

    @wraps(examine)
    def asked(about: Surroundings) -> Finding:
        try:
            return examine(about)
        except TelephonyUnavailable as problem:
            return fail(
                f"{problem}.",
                remedy="Check the network and TWILIO_API_URL, then Twilio's own status page.",
                page=STATUS_PAGE,
            )
        except TelephonyRefused as refusal:
            return fail(
                f"Twilio does not answer this question (code {refusal.code}).",
                remedy="Use the auth token of the account itself, one that may read its settings.",
                page=f"https://www.twilio.com/docs/api/errors/{refusal.code}",
            )

    return asked


@asks_twilio
def credentials(_about: Surroundings) -> Finding:
    """Tell whether Twilio knows the account and its auth token.

    The token is tried itself: API keys would do for requests, but webhooks are signed with the token.
    """
    if not settings.TWILIO_ACCOUNT_SID and not phones_can_ring():
        return skipped(NO_PHONE_RINGS)
    if not _ACCOUNT_SID.fullmatch(settings.TWILIO_ACCOUNT_SID):
        return fail(
            "TWILIO_ACCOUNT_SID is no account SID: those are AC and 32 hexadecimal digits.",
            remedy="Copy the account SID, not an API key's (SK…): webhooks are signed with its auth token.",
            page=KEYS_PAGE,
        )
    try:
        twilio_account.account().state()
    except TelephonyRefused as refusal:
        if refusal.code == TEST_CREDENTIALS:
            return fail(
                "These are Twilio's test credentials, which place no calls.",
                remedy="Copy the live account SID and auth token into .env, then restart.",
                page=KEYS_PAGE,
            )
        return of_rule(CREDENTIALS)
    return ok("Twilio accepts the account SID and its auth token.")


@asks_twilio
def account(_about: Surroundings) -> Finding:
    """Tell whether the account may call at all; dialing goes by this finding too."""
    state = twilio_account.account().state()
    rule = rule_of_state(trial=state.trial, active=state.active)
    return of_rule(rule) if rule else ok(ALL_WELL)


@asks_twilio
def concurrency(_about: Surroundings) -> Finding:
    """Tell whether the account has the business profile without which few calls are allowed at once."""
    try:
        approved = twilio_account.account().has_approved_profile()
    except TelephonyRefused as refusal:
        return skipped(f"Business profiles could not be asked for (Twilio's code {refusal.code}).")
    if not approved:
        return warn(
            "No business profile is approved, so Twilio allows this account only a few calls at once.",
            remedy="Have a Primary Business Profile approved; until then dialing pauses at the limit.",
            page=CONCURRENCY.page,
        )
    return ok("A business profile is approved: Twilio does not limit the calls at once.")


def of_rule(rule: AccountRule) -> Finding:
    """Return the failure that an account's rule describes."""
    return fail(rule.finding, remedy=rule.remedy, page=rule.page)


CHECKS = (
    Check(name="twilio.credentials", examine=credentials),
    Check(name=ACCOUNT_CHECK, examine=account, after="twilio.credentials"),
    Check(name="twilio.concurrency", examine=concurrency, after="twilio.credentials"),
)
