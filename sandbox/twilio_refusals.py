"""What an account may not do although the request is well formed, in Twilio's codes and words."""

from __future__ import annotations

import phonenumbers

from sandbox.accounts import TwilioStanding
from sandbox.phone_call import CallRequest
from sandbox.twilio_parameters import TwilioError


def refuse_by_standing(asked: CallRequest, standing: TwilioStanding, *, open_calls: int) -> None:
    """Refuse a new call that an account like this may not place. https://www.twilio.com/docs/api/errors

    :raises TwilioError: with the code of what is missing.
    """
    if standing.suspended:
        raise TwilioError(20005, "Account is not active", status=401)
    if standing.trial and asked.to not in standing.verified:
        raise TwilioError(
            21219,
            f"The number {asked.to} is unverified. Trial accounts may only make calls to verified numbers.",
        )
    if standing.countries is not None and _country(asked.to) not in standing.countries:
        raise TwilioError(21215, f"Account not authorized to call {asked.to}.")
    if standing.calls_at_once is not None and open_calls >= standing.calls_at_once:
        raise TwilioError(10004, "Call concurrency limit exceeded")


def _country(number: str) -> str:
    """Return the country of a number, or an empty string."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    # Numbers reserved for fiction belong to no region, but to a country code.
    by_code = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return phonenumbers.region_code_for_number(parsed) or by_code
