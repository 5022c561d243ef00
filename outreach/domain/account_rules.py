"""What a carrier's account does not allow, each in the one sentence that doctor, dial and pages say."""

from __future__ import annotations

from dataclasses import dataclass

GEO_PERMISSIONS_PAGE = "https://console.twilio.com/us1/develop/voice/settings/geo-permissions"
BILLING_PAGE = "https://console.twilio.com/us1/billing/manage-billing/billing-overview"
NUMBERS_PAGE = "https://console.twilio.com/us1/develop/phone-numbers/manage/incoming"
PROFILES_PAGE = "https://console.twilio.com/us1/account/trust-hub/customer-profiles"
KEYS_PAGE = "https://console.twilio.com/us1/account/keys-credentials/api-keys"

#: The check that looks at what is left on the account, by its name among doctor's.
BALANCE_CHECK = "twilio.balance"
#: Minutes after which a campaign tries again by itself where calls that end mend the refusal.
TRY_AGAIN = 2


@dataclass(frozen=True, kw_only=True)
class AccountRule:
    """One thing that stands between the account and any call."""

    finding: str
    remedy: str
    page: str
    release_minutes: int | None = None
    """After how long a held campaign resumes by itself; None: a person must resume it."""

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, as the reason of a hold says it."""
        return f"{self.finding} {self.remedy}"


#: https://www.twilio.com/docs/usage/trials: SIP and other TwiML is closed to trial accounts.
TRIAL = AccountRule(
    finding="This Twilio account is a trial account: it may not connect a call to Alex (<Dial><Sip>).",
    remedy="Upgrade the account, then run the checks again or resume.",
    page=BILLING_PAGE,
)
SUSPENDED = AccountRule(
    finding="This Twilio account is suspended or closed, so it places no calls.",
    remedy="See the notice in Twilio's console, usually an unpaid balance, then resume.",
    page=BILLING_PAGE,
)
CREDENTIALS = AccountRule(
    finding="Twilio does not accept TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN.",
    remedy="Copy the account's SID and its auth token (no API key) from the console into .env, then restart.",
    page=KEYS_PAGE,
)
CALLER_ID = AccountRule(
    finding="Twilio does not let this account call from the campaign's caller ID.",
    remedy="Buy the number or verify it as an outgoing caller ID, or change the campaign's, then resume.",
    page=NUMBERS_PAGE,
)
COUNTRY = AccountRule(
    finding="Twilio's geographic permissions do not allow calls to this person's country.",
    remedy="Allow the country there, then resume.",
    page=GEO_PERMISSIONS_PAGE,
)
CONCURRENCY = AccountRule(
    finding="Twilio allows this account no more calls at once (error 10004); none was counted.",
    remedy=(
        "Dialing resumes by itself in two minutes. Let fewer calls be open at once, "
        "or have a Primary Business Profile approved."
    ),
    page=PROFILES_PAGE,
    release_minutes=TRY_AGAIN,
)

#: By the code of Twilio's refusal to place a call. https://www.twilio.com/docs/api/errors
_BY_CODE = {
    "10001": SUSPENDED,
    "10002": TRIAL,
    "10004": CONCURRENCY,
    "13227": COUNTRY,
    "20003": CREDENTIALS,
    "20005": SUSPENDED,
    "21210": CALLER_ID,
    "21212": CALLER_ID,
    "21215": COUNTRY,
    "21219": TRIAL,
}


def rule_of_state(*, trial: bool, active: bool) -> AccountRule | None:
    """Return what an account of this kind is not allowed, or None when it may call."""
    if not active:
        return SUSPENDED
    return TRIAL if trial else None


def rule_of(code: str) -> AccountRule | None:
    """Return what a refusal with this code means for the account, or None when we do not know it."""
    return _BY_CODE.get(code)
