"""The carrier: accepts calls, starts them at the pace of the account, and knows what became of each."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from functools import partial
from typing import Any

from sandbox.call_life import CallLife, Exchange
from sandbox.callees import Persona, persona_for
from sandbox.conversation import Conversation
from sandbox.incoming_calls import IncomingCalls
from sandbox.phone_call import OVER, CallRequest, PhoneCall
from sandbox.settings import SandboxSettings

_REACHED = {"ringing", "in-progress", "busy"}
"""Statuses that a call only gets at the person's end of the network."""
_NO_SUBSCRIBER = 404


class PhoneNetwork:
    """All calls of one account. A power cut loses no accepted call: the ledger has them."""

    def __init__(
        self, *, settings: SandboxSettings, exchange: Exchange, talk: Conversation, incoming: IncomingCalls
    ) -> None:
        self._account_sid = settings.twilio_account_sid
        self._interval = 1 / settings.calls_per_second
        self._seed, self._pace = settings.seed, settings.pace
        self._exchange = exchange
        self._talk = talk
        self._incoming = incoming
        self._next_slot = 0.0
        self._lives: dict[str, CallLife] = {}
        self._calls: dict[str, PhoneCall] = {}
        self._reached: Counter[str] = Counter()
        for entry in exchange.ledger.entries():
            self._restore(entry)

    def place(self, request: CallRequest) -> PhoneCall:
        """Accept a call; it starts when its turn in the queue has come."""
        persona = self._persona(request.to)
        call = PhoneCall(
            account_sid=self._account_sid,
            request=request,
            created_at=self._exchange.clock.now(),
            attempt=self._exchange.ledger.count(request.to) + 1,
        )
        now = asyncio.get_running_loop().time()
        slot = max(now, self._next_slot)
        self._next_slot = slot + self._interval
        call.queue_time_ms = round((slot - now) * 1000)
        self._calls[call.sid] = call
        self._exchange.ledger.accepted(call, persona=persona.name)
        life = CallLife(
            call=call,
            persona=persona,
            next_attempt=partial(self._count, request.to),
            exchange=self._exchange,
            talk=self._talk,
            missed=self._incoming.missed,
        )
        self._lives[call.sid] = life
        life.start(queue_seconds=slot - now)
        return call

    def get(self, sid: str) -> PhoneCall | None:
        """Return the call of that SID, or None."""
        return self._calls.get(sid) or self._incoming.get(sid)

    def newest_first(self) -> list[PhoneCall]:
        """Return every call in either direction, the latest first."""
        calls = [*self._calls.values(), *self._incoming.calls()]
        return sorted(calls, key=lambda call: call.created_at, reverse=True)

    @property
    def n_open(self) -> int:
        """Return how many calls are not over, those included that somebody is about to make to us."""
        open_calls = sum(not call.is_over for call in self.newest_first())
        return open_calls + self._incoming.n_coming

    def end(self, call: PhoneCall, *, status: str) -> None:
        """End a call as the API's `Status` asks: `canceled` leaves an answered call alone."""
        answered = call.status == "in-progress"
        if status == "canceled" and answered:
            return
        self._lives[call.sid].end("completed" if answered else "canceled")

    async def close(self) -> None:
        """Stop every call where it stands."""
        await self._incoming.close()
        await asyncio.gather(*(life.close() for life in self._lives.values()))
        for call in self._calls.values():
            if not call.is_over:
                self._cut_off(call)

    def _persona(self, number: str) -> Persona:
        return persona_for(number, self._seed, pace=self._pace)

    def _count(self, number: str) -> int:
        self._reached[number] += 1
        return self._reached[number]

    def _restore(self, entry: dict[str, Any]) -> None:
        request = CallRequest(to=entry["to"], from_=entry["from"])
        call = PhoneCall(
            account_sid=self._account_sid,
            request=request,
            created_at=datetime.fromisoformat(entry["accepted_at"]),
            attempt=entry["attempt"],
            sid=entry["sid"],
            status=entry["status"],
            duration=entry["duration"],
            sip_code=entry["sip_code"],
        )
        self._calls[call.sid] = call
        if call.sip_code == _NO_SUBSCRIBER or _REACHED & {status["status"] for status in entry["statuses"]}:
            self._reached[request.to] += 1
        if entry["ended_at"] is not None:
            call.ended_at = datetime.fromisoformat(entry["ended_at"])
        if call.status not in OVER:
            self._cut_off(call)

    def _cut_off(self, call: PhoneCall) -> None:
        """End a call that the power cut took; nobody is told."""
        call.status = "completed" if call.status == "in-progress" else "failed"
        call.ended_at = self._exchange.clock.now()
        self._exchange.ledger.reached(call)
