"""What Twilio says of our account: its kind, its numbers, its money, the countries it may call."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import requests
from django.conf import settings

from outreach.integrations.telephony import (
    AccountState,
    TelephonyRefused,
    TelephonyUnavailable,
)
from outreach.integrations.twilio_client import product_url, twilio_client
from outreach.integrations.twilio_errors import account_errors

#: Rows per page: more numbers than an account usually has, in one request.
PAGE = 200


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What is left on the account."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True)
class OwnedNumber:
    """A number that the account has bought."""

    sid: str
    number: str
    voice: bool
    """Whether it can carry calls."""
    voice_url: str
    """Where Twilio asks when somebody calls it."""


class TwilioAccount:
    """Our account, over Twilio's REST API. Every question may be repeated."""

    def __init__(self, *, account_sid: str, auth_token: str, api_url: str) -> None:
        """Prepare a client; nothing is sent yet."""
        self._sid = account_sid
        self._client = twilio_client(account_sid=account_sid, auth_token=auth_token, api_url=api_url)
        self._api_url = api_url

    def state(self) -> AccountState:
        """Return the account's kind and whether it is active; asked with the auth token itself.

        :raises TelephonyRefused: when Twilio knows no such account and token.
        :raises TelephonyUnavailable: when Twilio could not be asked.
        """
        with account_errors():
            account = self._client.api.v2010.accounts(self._sid).fetch()
        return AccountState(trial=account.type == "Trial", active=account.status == "active")

    def balance(self) -> Balance:
        """Return what is left.

        :raises TelephonyRefused: for a subaccount, which has no balance of its own.
        :raises TelephonyUnavailable: when Twilio could not be asked.
        """
        with account_errors():
            found = self._client.api.v2010.accounts(self._sid).balance.fetch()
            try:
                return Balance(amount=Decimal(str(found.balance)), currency=str(found.currency))
            except InvalidOperation:
                raise TelephonyUnavailable("Twilio's balance is no number") from None

    def owned_numbers(self) -> list[OwnedNumber]:
        """Return the numbers that the account has bought.

        :raises TelephonyRefused: when Twilio said no.
        :raises TelephonyUnavailable: when it could not be asked.
        """
        with account_errors():
            return [_owned(found) for found in self._client.incoming_phone_numbers.list(page_size=PAGE)]

    def verified_numbers(self) -> list[str]:
        """Return numbers that are not Twilio's, but verified as outgoing caller IDs.

        :raises TelephonyRefused: when Twilio said no.
        :raises TelephonyUnavailable: when it could not be asked.
        """
        with account_errors():
            found = self._client.outgoing_caller_ids.list(page_size=PAGE)
            return [str(caller_id.phone_number) for caller_id in found]

    def may_call(self, country: str) -> bool | None:
        """Tell whether the geographic permissions allow ordinary numbers there; None: no such country.

        :param country: ISO 3166, two letters.
        :raises TelephonyRefused: when Twilio said no.
        :raises TelephonyUnavailable: when it could not be asked.
        """
        self._client.voice.base_url = product_url(self._api_url, "voice")
        try:
            with account_errors():
                found = self._client.voice.v1.dialing_permissions.countries(country).fetch()
        except TelephonyRefused as refusal:
            if refusal.http_status == requests.codes.not_found:
                return None
            raise
        return bool(found.low_risk_numbers_enabled)

    def has_approved_profile(self) -> bool:
        """Tell whether a business profile is approved, without which few calls are allowed at once.

        :raises TelephonyRefused: when Twilio said no.
        :raises TelephonyUnavailable: when it could not be asked.
        """
        self._client.trusthub.base_url = product_url(self._api_url, "trusthub")
        with account_errors():
            approved = self._client.trusthub.v1.customer_profiles.list(status="twilio-approved", limit=1)
            return bool(approved)


def account() -> TwilioAccount:
    """Return the account that the settings name."""
    return TwilioAccount(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        api_url=settings.TWILIO_API_URL,
    )


def _owned(found: Any) -> OwnedNumber:
    capabilities = found.capabilities or {}
    return OwnedNumber(
        sid=str(found.sid),
        number=str(found.phone_number),
        voice=bool(capabilities.get("voice")),
        voice_url=str(found.voice_url or ""),
    )
