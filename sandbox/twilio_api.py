"""Twilio's REST API for calls: create, fetch, list, end; its refusals, and its bad days."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection

from aiohttp import web

from sandbox.accounts import TwilioStanding
from sandbox.call_listing import list_page
from sandbox.clock import RehearsalClock
from sandbox.faults import CREATE_FAULTS, Faults
from sandbox.journal import Journal, mask
from sandbox.phone_call import PhoneCall
from sandbox.phone_network import PhoneNetwork
from sandbox.settings import SandboxSettings
from sandbox.twilio_door import TwilioDoor, internal_error, not_found
from sandbox.twilio_parameters import TwilioError, call_request
from sandbox.twilio_refusals import refuse_by_standing


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
        standing: TwilioStanding,
        door: TwilioDoor,
    ) -> None:
        self._network = network
        self._standing = standing
        self._door = door
        self._account_sid = settings.twilio_account_sid
        self._caller_ids = settings.caller_ids
        self._clock = clock
        self._faults = faults
        self._journal = journal
        self._asked: Counter[str] = Counter()

    def routes(self) -> list[web.RouteDef]:
        """Return the API's addresses."""
        calls = "/2010-04-01/Accounts/{account}/Calls"
        return [
            web.post(f"{calls}.json", self._door.guarded(self._create)),
            web.get(f"{calls}.json", self._door.guarded(self._list)),
            web.get(f"{calls}/{{sid}}.json", self._door.guarded(self._fetch)),
            web.post(f"{calls}/{{sid}}.json", self._door.guarded(self._update)),
            web.route("*", "/2010-04-01/{rest:.*}", self._door.guarded(self._nothing)),
        ]

    async def _create(self, request: web.Request) -> web.StreamResponse:
        asked = call_request(await request.post(), caller_ids=self._allowed_caller_ids())
        refuse_by_standing(asked, self._standing, open_calls=self._open_calls())
        self._asked[asked.to] += 1
        fault = self._faults.one_of(CREATE_FAULTS, key=f"{asked.to}/{self._asked[asked.to]}")
        if fault is not None:
            self._journal.note("carrier", f"{fault} (fault)", to=mask(asked.to))
        if fault == "twilio.create_429":
            raise TwilioError(20429, "Too Many Requests", status=429)
        if fault == "twilio.create_500_not_placed":
            raise internal_error()
        call = self._network.place(asked)
        if fault == "twilio.create_500_placed":
            raise internal_error()
        if fault == "twilio.create_dropped_placed" and request.transport is not None:
            request.transport.abort()
        if fault == "twilio.create_hang_placed":
            await asyncio.sleep(self._faults.value("twilio.hang_seconds"))
        return web.json_response(call.resource(fresh=True), status=201)

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        self._door.maybe_fail()
        return web.json_response(self._call(request).resource(now=self._clock.now()))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        self._door.maybe_fail()
        now = self._clock.now()
        page = list_page(self._listable(), account_sid=self._account_sid, query=request.query, now=now)
        return web.json_response(page)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        self._door.maybe_fail()
        call = self._call(request)
        status = (await request.post()).get("Status", "")
        if status not in ("canceled", "completed"):
            raise TwilioError(20001, "Only Status=canceled and Status=completed are understood here")
        if call.is_over:
            raise TwilioError(21220, "Call is not in-progress. Cannot redirect.")
        self._network.end(call, status=str(status))
        return web.json_response(call.resource())

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        raise not_found(request)

    def _call(self, request: web.Request) -> PhoneCall:
        call = self._network.get(request.match_info["sid"])
        if call is None:
            raise not_found(request)
        return call

    def _allowed_caller_ids(self) -> Collection[str] | None:
        """Return the numbers that calls may come from, or None when every one is accepted."""
        if self._caller_ids or self._standing.any_caller_id:
            return self._caller_ids or None
        return [*self._standing.numbers, *self._standing.verified]

    def _open_calls(self) -> int:
        return sum(not call.is_over for call in self._network.newest_first())

    def _listable(self) -> list[PhoneCall]:
        """Return the calls and their legs that the eventually consistent list already shows, newest first."""
        delay = self._faults.value("twilio.list_delay_seconds")
        now = self._clock.now()
        return [
            leg
            for call in self._network.newest_first()
            for leg in (*call.legs(), call)
            if not delay or (now - call.created_at).total_seconds() >= delay
        ]
