"""What the carrier says that a call cost, each leg by itself."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from django.conf import settings

from outreach.integrations.twilio_client import twilio_client
from outreach.integrations.twilio_errors import asked

#: A call of ours has one further leg; more than this would be none of ours.
LEGS = 20


@dataclass(frozen=True, kw_only=True)
class CallPrice:
    """The carrier's price of one call; None where it has none yet (or never: nobody answered)."""

    amount: Decimal | None
    currency: str
    legs: tuple[Decimal | None, ...]
    """Of the further legs: the one to the room server."""


class CarrierPrices(Protocol):
    """The carrier, as far as its prices go."""

    def price_of(self, sid: str) -> CallPrice | None:
        """Return what the carrier says of a call's price, or None when it knows no such call.

        :raises TelephonyUnavailable: when it could not be asked.
        """


class TwilioPrices:
    """Prices over Twilio's REST API: the call itself, and the calls whose parent it is.

    A price is populated some time after the call was completed, and is written as a negative amount.
    https://www.twilio.com/docs/voice/api/call-resource
    """

    def __init__(self, *, account_sid: str, auth_token: str, api_url: str) -> None:
        """Prepare a client; nothing is sent yet."""
        self._client = twilio_client(account_sid=account_sid, auth_token=auth_token, api_url=api_url)

    def price_of(self, sid: str) -> CallPrice | None:
        """Return what Twilio says of a call's price, or None when it knows no such call.

        :raises TelephonyUnavailable: when Twilio could not be asked.
        """
        call = asked(lambda: self._client.calls(sid).fetch())
        if call is None:
            return None
        amount = _amount(call.price)
        legs: list[Any] = []
        if amount is not None:
            legs = asked(lambda: self._client.calls.list(parent_call_sid=sid, limit=LEGS)) or []
        return CallPrice(
            amount=amount,
            currency=str(call.price_unit or "USD").upper(),
            legs=tuple(_amount(leg.price) for leg in legs),
        )


def carrier_prices() -> CarrierPrices:
    """Return the carrier that the settings name."""
    return TwilioPrices(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        api_url=settings.TWILIO_API_URL,
    )


def _amount(price: object) -> Decimal | None:
    """Return a price as a positive amount; one that cannot be read is none."""
    try:
        amount = abs(Decimal(str(price)))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
