"""Whom Twilio asks when one of our numbers is called."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings

from outreach.integrations.twilio_client import twilio_client
from outreach.integrations.twilio_errors import account_errors

#: Rows per page: more numbers than an account usually has, in one request.
PAGE = 200


@dataclass(frozen=True, kw_only=True)
class NumberRoute:
    """A number that the account owns, and where its calls go."""

    sid: str
    number: str
    voice: bool
    """Whether it can carry calls."""
    voice_url: str
    voice_method: str
    elsewhere: str = ""
    """Something that goes before the address: an application's or a SIP trunk's SID."""


class NumberBook(Protocol):
    """The numbers of one account."""

    def routes(self, numbers: Collection[str]) -> list[NumberRoute]:
        """Return where the calls of those among `numbers` go that the account owns.

        :raises TelephonyRefused: when the carrier said no.
        :raises TelephonyUnavailable: when it could not be asked.
        """

    def ask_us(self, *, sid: str, url: str) -> None:
        """Have `url` asked, by POST, when the number is called; raises as `routes` does."""


class TwilioNumbers:
    """The numbers of our account, over Twilio's REST API."""

    def __init__(self, *, account_sid: str, auth_token: str, api_url: str) -> None:
        """Prepare a client; nothing is sent yet."""
        self._client = twilio_client(account_sid=account_sid, auth_token=auth_token, api_url=api_url)

    def routes(self, numbers: Collection[str]) -> list[NumberRoute]:
        """Return where the calls of those among `numbers` go that the account owns."""
        with account_errors():
            owned = [_route(found) for found in self._client.incoming_phone_numbers.list(page_size=PAGE)]
        return [route for route in owned if route.number in numbers]

    def ask_us(self, *, sid: str, url: str) -> None:
        """Have `url` asked, by POST, when the number is called.

        An application or a trunk that would go before the address is taken off.
        https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
        """
        with account_errors():
            self._client.incoming_phone_numbers(sid).update(
                voice_url=url, voice_method="POST", voice_application_sid="", trunk_sid=""
            )


def number_book() -> NumberBook:
    """Return the numbers of the account that the settings name."""
    return TwilioNumbers(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        api_url=settings.TWILIO_API_URL,
    )


def _route(found: Any) -> NumberRoute:
    return NumberRoute(
        sid=str(found.sid),
        number=str(found.phone_number),
        voice=bool((found.capabilities or {}).get("voice")),
        voice_url=str(found.voice_url or ""),
        voice_method=str(found.voice_method or ""),
        elsewhere=str(found.trunk_sid or found.voice_application_sid or ""),
    )
