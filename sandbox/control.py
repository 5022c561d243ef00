"""The rehearsal's own door into the outside world: its time, its faults, its ledgers.

GET  /control/ledger   {"calls": [{sid, to, from, attempt, persona, accepted_at, accepted_at_real, status,
                       statuses: [{status, at, at_real}], answered, ended_at, duration, sip_code,
                       error_codes}]}
GET  /control/callees  {"calls": [{call_sid, number, room, persona, attempt, turns_spoken,
                       spoken: [{speaker, text}], connected, silence_seconds, unheard}]}
GET  /control/callers  {"calls": [{call_sid, number, called, persona, placed_at, ended_at, chose, wish,
                       confirmed, heard: [text], error_codes}]}
GET  /control/state    {"open_calls": n, "rooms": n, "workers": n, "ahead_seconds": s}
GET  /control/faults   every knob with its value; POST turns knobs, `{"preset": "network20"}` a set of them
GET  /control/accounts how the vendors' accounts stand; POST changes it, `{"profile": "fresh"}` all at once
POST /control/clock    {"ahead_seconds": s}

All want the header X-Sandbox-Key, the account's auth token.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.accounts import Accounts, UnknownStanding
from sandbox.clock import RehearsalClock
from sandbox.faults import Faults, UnknownFault
from sandbox.ledger import CalleeLedger, CallLedger
from sandbox.phone_network import PhoneNetwork
from sandbox.room_server import RoomService

KEY_HEADER = "X-Sandbox-Key"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """Answers the rehearsal's requests."""

    def __init__(
        self,
        *,
        key: str,
        clock: RehearsalClock,
        faults: Faults,
        calls: CallLedger,
        callees: CalleeLedger,
        callers: CalleeLedger,
        network: PhoneNetwork,
        room_server: RoomService,
        accounts: Accounts,
    ) -> None:
        self._key = key.encode()
        self._clock = clock
        self._faults = faults
        self._calls = calls
        self._callees = callees
        self._callers = callers
        self._network = network
        self._room_server = room_server
        self._accounts = accounts

    def routes(self) -> list[web.RouteDef]:
        """Return the door's addresses."""
        return [
            web.get("/control/ledger", self._guarded(self._ledger)),
            web.get("/control/callees", self._guarded(self._ears)),
            web.get("/control/callers", self._guarded(self._who_rang)),
            web.get("/control/state", self._guarded(self._state)),
            web.get("/control/faults", self._guarded(self._knobs)),
            web.post("/control/faults", self._guarded(self._set_faults)),
            web.get("/control/accounts", self._guarded(self._show_accounts)),
            web.post("/control/accounts", self._guarded(self._set_accounts)),
            web.post("/control/clock", self._guarded(self._set_clock)),
        ]

    def _guarded(self, answer: Answer) -> Answer:
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode(), self._key):
                return web.json_response({"error": f"{KEY_HEADER} is missing or wrong"}, status=403)
            return await answer(request)

        return guarded

    async def _ledger(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"calls": self._calls.entries()})

    async def _ears(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"calls": self._callees.records()})

    async def _who_rang(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"calls": self._callers.records()})

    async def _state(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(
            {
                "open_calls": self._network.n_open,
                "rooms": self._room_server.count_rooms(),
                "workers": self._room_server.count_workers(),
                "ahead_seconds": self._clock.ahead_seconds,
            }
        )

    async def _knobs(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._faults.as_dict())

    async def _set_faults(self, request: web.Request) -> web.StreamResponse:
        try:
            self._faults.set(await _object(request))
        except UnknownFault as exc:
            return web.json_response({"error": str(exc)}, status=400)
        return web.json_response(self._faults.as_dict())

    async def _show_accounts(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self._accounts.as_dict())

    async def _set_accounts(self, request: web.Request) -> web.StreamResponse:
        try:
            self._accounts.set(await _object(request))
        except UnknownStanding as exc:
            return web.json_response({"error": str(exc)}, status=400)
        return web.json_response(self._accounts.as_dict())

    async def _set_clock(self, request: web.Request) -> web.StreamResponse:
        ahead = (await _object(request)).get("ahead_seconds")
        if isinstance(ahead, bool) or not isinstance(ahead, int | float):
            return web.json_response({"error": "ahead_seconds wants a number"}, status=400)
        self._clock.ahead_seconds = float(ahead)
        return web.json_response({"now": self._clock.now().isoformat()})


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="expected a JSON object")
    return body
