"""Twilio's client as we use it: one try per request, and addresses that are ours to set."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from outreach.domain.dialing_mode import is_loopback

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0


class _OneTryHttpClient(HttpClient):
    """Send each request once, on a connection of its own.

    A kept connection that the other side has just closed would turn a dial that never left into one
    whose outcome is unknown; a retry could ring a phone twice. Nothing is logged: bodies carry numbers.
    """

    def __init__(self, *, trust_environment: bool) -> None:
        self._trust_environment = trust_environment

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002  (the SDK's signature; ours are fixed)
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002  (never: a redirected POST is a second one)
    ) -> Response:
        with requests.Session() as session:
            session.trust_env = self._trust_environment
            response = session.request(
                method.upper(),
                uri,
                params=params,  # type: ignore[arg-type]
                data=data,
                headers=headers,
                auth=auth,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False,
            )
            return Response(response.status_code, response.text, response.headers)


def twilio_client(*, account_sid: str, auth_token: str, api_url: str) -> Client:
    """Return a client that asks `api_url`; nothing is sent yet."""
    # A proxy from the environment cannot reach this machine's own loopback.
    http_client = _OneTryHttpClient(trust_environment=not is_loopback(api_url))
    client = Client(account_sid, auth_token, http_client=http_client)
    # The address is a setting of ours; TWILIO_EDGE and TWILIO_REGION would make the SDK rewrite it.
    client.edge = client.region = None
    client.api.base_url = api_url
    return client


def product_url(api_url: str, product: str) -> str:
    """Return the address of another of Twilio's products beside `api_url`.

    Each has a host of its own (api.twilio.com, voice.twilio.com); an address that is not Twilio's
    answers for all of them.
    """
    parts = urlsplit(api_url)
    if not parts.netloc.startswith("api."):
        return api_url
    return parts._replace(netloc=product + parts.netloc.removeprefix("api")).geturl()
