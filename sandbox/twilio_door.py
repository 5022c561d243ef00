"""Who may ask Twilio's API, and how a refusal leaves it."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable

from aiohttp import BasicAuth, web

from sandbox.faults import Faults
from sandbox.settings import SandboxSettings
from sandbox.twilio_parameters import TwilioError

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TwilioDoor:
    """Lets one account's SID and auth token in, as slowly as the faults want."""

    def __init__(self, *, settings: SandboxSettings, faults: Faults) -> None:
        self._account_sid = settings.twilio_account_sid
        self._auth_token = settings.twilio_auth_token
        self._faults = faults

    def guarded(self, answer: Answer) -> Answer:
        """Return a handler that lets only the account in and words refusals as Twilio does."""

        async def answered(request: web.Request) -> web.StreamResponse:
            await asyncio.sleep(self._faults.value("twilio.api_latency_seconds"))
            try:
                self._check_credentials(request)
                return await answer(request)
            except TwilioError as error:
                return web.json_response(error.body(), status=error.status)

        return answered

    def maybe_fail(self) -> None:
        """Have a bad moment, as often as the faults want.

        :raises TwilioError: with status 500.
        """
        if self._faults.strikes("twilio.api_5xx"):
            raise internal_error()

    def _check_credentials(self, request: web.Request) -> None:
        try:
            given = BasicAuth.decode(request.headers.get("Authorization", ""), encoding="utf-8")
        except ValueError:
            raise TwilioError(20003, "Authenticate", status=401) from None
        account = request.match_info.get("account", self._account_sid)
        known = hmac.compare_digest(given.login.encode(), self._account_sid.encode())
        secret = hmac.compare_digest(given.password.encode(), self._auth_token.encode())
        if not (known and secret and account == self._account_sid):
            raise TwilioError(20003, "Authenticate", status=401)


def internal_error() -> TwilioError:
    """Return Twilio's 500."""
    return TwilioError(20500, "Internal Server Error", status=500)


def not_found(request: web.Request) -> TwilioError:
    """Return Twilio's 404."""
    return TwilioError(20404, f"The requested resource {request.path} was not found", status=404)
