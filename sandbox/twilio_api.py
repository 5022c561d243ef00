"""Twilio's REST API for calls: create, fetch, list, end; its refusals, and its bad days."""

from __future__ import annotations

import asyncio
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import BasicAuth, web

from sandbox.call_listing import list_page
from sandbox.clock import RehearsalClock
from sandbox.faults import CREATE_FAULTS, Faults
from sandbox.journal import Journal, mask
from sandbox.phone_call import PhoneCall
from sandbox.phone_network import PhoneNetwork
from sandbox.settings import SandboxSettings
from sandbox.twilio_parameters import TwilioError, call_request

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TwilioApi:
    """Answers the account's requests about calls."""

    def __init__(
        self,
        *,
        network: PhoneNetwork,
        settings: SandboxSettings,
        clock: RehearsalClock,
        faults: Faults,
        journal: Journal,
    ) -> None:
        self._network = network
        self._account_sid = settings.twilio_account_sid
        self._auth_token = settings.twilio_auth_token
        self._caller_ids = settings.caller_ids
        self._clock = clock
        self._faults = faults
        self._journal = journal
        self._asked: Counter[str] = Counter()

    def routes(self) -> list[web.RouteDef]:
        """Return the API's addresses."""
        calls = "/2010-04-01/Accounts/{account}/Calls"
        return [
            web.post(f"{calls}.json", self._answering(self._create)),
            web.get(f"{calls}.json", self._answering(self._list)),
            web.get(f"{calls}/{{sid}}.json", self._answering(self._fetch)),
            web.post(f"{calls}/{{sid}}.json", self._answering(self._update)),
            web.route("*", "/2010-04-01/{rest:.*}", self._answering(self._nothing)),
        ]

    def _answering(self, answer: Answer) -> Answer:
        async def answered(request: web.Request) -> web.StreamResponse:
            await asyncio.sleep(self._faults.value("twilio.api_latency_seconds"))
            try:
                self._check_credentials(request)
                return await answer(request)
            except TwilioError as error:
                return web.json_response(error.body(), status=error.status)

        return answered

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

    async def _create(self, request: web.Request) -> web.StreamResponse:
        asked = call_request(await request.post(), caller_ids=self._caller_ids)
        self._asked[asked.to] += 1
        fault = self._faults.one_of(CREATE_FAULTS, key=f"{asked.to}/{self._asked[asked.to]}")
        if fault is not None:
            self._journal.note("carrier", f"{fault} (fault)", to=mask(asked.to))
        if fault == "twilio.create_429":
            raise TwilioError(20429, "Too Many Requests", status=429)
        if fault == "twilio.create_500_not_placed":
            raise _internal_error()
        call = self._network.place(asked)
        if fault == "twilio.create_500_placed":
            raise _internal_error()
        if fault == "twilio.create_dropped_placed" and request.transport is not None:
            request.transport.abort()
        if fault == "twilio.create_hang_placed":
            await asyncio.sleep(self._faults.value("twilio.hang_seconds"))
        return web.json_response(call.resource(fresh=True), status=201)

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        self._maybe_fail()
        return web.json_response(self._call(request).resource())

    async def _list(self, request: web.Request) -> web.StreamResponse:
        self._maybe_fail()
        page = list_page(self._listable(), account_sid=self._account_sid, query=request.query)
        return web.json_response(page)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        self._maybe_fail()
        call = self._call(request)
        status = (await request.post()).get("Status", "")
        if status not in ("canceled", "completed"):
            raise TwilioError(20001, "Only Status=canceled and Status=completed are understood here")
        if call.is_over:
            raise TwilioError(21220, "Call is not in-progress. Cannot redirect.")
        self._network.end(call, status=str(status))
        return web.json_response(call.resource())

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        raise _not_found(request)

    def _call(self, request: web.Request) -> PhoneCall:
        call = self._network.get(request.match_info["sid"])
        if call is None:
            raise _not_found(request)
        return call

    def _listable(self) -> list[PhoneCall]:
        """Return the calls that the eventually consistent list already shows, the newest first."""
        delay = self._faults.value("twilio.list_delay_seconds")
        now = self._clock.now()
        return [
            call
            for call in self._network.newest_first()
            if not delay or (now - call.created_at).total_seconds() >= delay
        ]

    def _maybe_fail(self) -> None:
        if self._faults.strikes("twilio.api_5xx"):
            raise _internal_error()


def _internal_error() -> TwilioError:
    return TwilioError(20500, "Internal Server Error", status=500)


def _not_found(request: web.Request) -> TwilioError:
    return TwilioError(20404, f"The requested resource {request.path} was not found", status=404)
