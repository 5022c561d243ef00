"""People who ring the customer's numbers: whoever missed a call and means to ring back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox.callees import Persona, RingsBack
from sandbox.carrier_webhooks import CarrierWebhooks
from sandbox.clock import RehearsalClock
from sandbox.incoming_line import Caller, IncomingLine
from sandbox.journal import Journal, mask
from sandbox.ledger import CalleeLedger
from sandbox.phone_call import CallRequest, PhoneCall
from sandbox.settings import SandboxSettings

TRIES = 3
"""How often somebody rings who was not told that their wish is granted."""


class IncomingCalls:
    """Lets people ring back, and knows every such call."""

    def __init__(
        self,
        *,
        settings: SandboxSettings,
        clock: RehearsalClock,
        journal: Journal,
        webhooks: CarrierWebhooks,
        ledger: CalleeLedger,
        voice_url_of: Callable[[str], str],
    ) -> None:
        """Prepare; `voice_url_of` says whom to ask about calls to a number of the customer's."""
        self._account_sid = settings.twilio_account_sid
        self._pace = settings.pace
        self._clock = clock
        self._journal = journal
        self._webhooks = webhooks
        self._ledger = ledger
        self._voice_url_of = voice_url_of
        self._calls: dict[str, PhoneCall] = {}
        self._callers: set[asyncio.Task[None]] = set()
        self.n_coming = 0
        """People who are about to ring, and do not yet."""

    def missed(self, persona: Persona, call: PhoneCall) -> None:
        """Let somebody ring back who has missed `call`, if that is their way."""
        if persona.rings_back is None:
            return
        self.n_coming += 1
        ringing = self._ring_back(persona, persona.rings_back, number=call.request.from_)
        task = asyncio.create_task(ringing, name=f"ring back after {call.sid}")
        self._callers.add(task)
        task.add_done_callback(self._callers.discard)

    def get(self, sid: str) -> PhoneCall | None:
        """Return the call of that SID, or None."""
        return self._calls.get(sid)

    def calls(self) -> list[PhoneCall]:
        """Return every call to the customer, oldest first."""
        return list(self._calls.values())

    async def close(self) -> None:
        """Stop every call where it stands."""
        for task in self._callers:
            task.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)

    async def _ring_back(self, persona: Persona, wish: RingsBack, *, number: str) -> None:
        """Ring `number` until the wish is granted in words."""
        try:
            for _ in range(TRIES):
                await asyncio.sleep(wish.after * self._pace)
                if await self._ring(persona, wish, number=number):
                    return
        finally:
            self.n_coming -= 1

    async def _ring(self, persona: Persona, wish: RingsBack, *, number: str) -> bool:
        """Ring once; return whether the wish was confirmed."""
        call = PhoneCall(
            account_sid=self._account_sid,
            request=CallRequest(to=number, from_=persona.number, url=self._voice_url_of(number)),
            created_at=self._clock.now(),
            attempt=1,
            direction="inbound",
            status="ringing",
        )
        self._calls[call.sid] = call
        caller = Caller(wish=wish, pace=self._pace)
        line = IncomingLine(call=call, caller=caller, webhooks=self._webhooks, clock=self._clock)
        self._note(call, persona, "rings us")
        try:
            await line.hold()
        finally:
            self._note(call, persona, f"is off the line again ({call.status})")
            self._ledger.record(
                line.record() | caller.record() | {"persona": persona.name, "number": persona.number}
            )
        return caller.confirmed

    def _note(self, call: PhoneCall, persona: Persona, event: str) -> None:
        self._journal.note("carrier", event, call=call.sid, by=mask(persona.number), persona=persona.name)
