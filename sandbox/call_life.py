"""The life of one call: through the carrier's queue, ringing, the conversation, to its end."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.callees import Busy, NoAnswer, NotInService, Persona, Pickup
from sandbox.clock import RehearsalClock
from sandbox.conversation import Conversation, HungUp
from sandbox.faults import Faults
from sandbox.journal import Journal, mask
from sandbox.ledger import CallLedger
from sandbox.phone_call import EVENT_OF_STATUS, PhoneCall
from sandbox.status_callbacks import StatusCallbacks

ANSWER_BUFFER = 5.0
"""Seconds that Twilio adds to the ring timeout."""
SETUP_SECONDS = 0.05
"""Between dialling and the far end's first sign of life."""
CARRIER_FAILURE_SIP_CODE = 503
MISSED = frozenset({"no-answer", "busy"})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What every call of a carrier shares."""

    clock: RehearsalClock
    faults: Faults
    journal: Journal
    ledger: CallLedger
    callbacks: StatusCallbacks


class CallLife:
    """Brings one call from the queue to its end; `end` ends it early."""

    def __init__(
        self,
        *,
        call: PhoneCall,
        persona: Persona,
        next_attempt: Callable[[], int],
        exchange: Exchange,
        talk: Conversation,
        missed: Callable[[Persona, PhoneCall], None],
    ) -> None:
        """Prepare; `next_attempt` counts the calls that reach this person; it is asked once this one does.

        `missed` is told when this is the first one that they did not answer.
        """
        self.call = call
        self._persona = persona
        self._next_attempt = next_attempt
        self._attempt = 0
        self._exchange = exchange
        self._talk = talk
        self._missed = missed
        self._answered_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, *, queue_seconds: float) -> None:
        """Begin to live in the background, after `queue_seconds` in the carrier's queue."""
        self._task = asyncio.create_task(self._run(queue_seconds), name=f"call {self.call.sid}")

    def end(self, status: str) -> None:
        """End the call now with a final status, as a request to the API does."""
        self._finish(status)
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Stop living, as a carrier's power cut does: no callback, no final status."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, queue_seconds: float) -> None:
        try:
            await asyncio.sleep(queue_seconds)
            status, sip_code = await self._dial()
            if status == "in-progress":
                await self._converse()
                status = "completed"
            self._finish(status, sip_code=sip_code)
        except asyncio.CancelledError:
            if not self.call.is_over:
                raise
        except Exception:
            logger.exception("a call broke in the sandbox")
            self._finish("failed")

    async def _dial(self) -> tuple[str, int]:
        """Ring the person; return the status that this leads to, and the SIP response code."""
        self.call.started_at = self._exchange.clock.now()
        self._move("initiated")
        await asyncio.sleep(SETUP_SECONDS)
        key = f"{self.call.request.to}/{self.call.attempt}"
        if self._exchange.faults.strikes("twilio.carrier_failure", key=key):
            return "failed", CARRIER_FAILURE_SIP_CODE
        ring_timeout = self.call.request.timeout + ANSWER_BUFFER
        self._attempt = self._next_attempt()
        match self._persona.pickup(self._attempt):
            case Busy(after=after):
                await asyncio.sleep(after)
                return "busy", 486
            case NotInService(after=after):
                await asyncio.sleep(after)
                return "failed", 404
            case NoAnswer(after=after):
                self._move("ringing")
                await asyncio.sleep(min(after, ring_timeout))
                return "no-answer", 487 if after >= ring_timeout else 480
            case Pickup(ring_seconds=seconds) if seconds > ring_timeout:
                self._move("ringing")
                await asyncio.sleep(ring_timeout)
                return "no-answer", 487
            case Pickup(ring_seconds=seconds):
                self._move("ringing")
                await asyncio.sleep(seconds)
                return "in-progress", 200

    async def _converse(self) -> None:
        self._answered_at = time.monotonic()
        self.call.answered_at = self._exchange.clock.now()
        self._move("in-progress")
        try:
            async with asyncio.timeout(self.call.request.time_limit) as limit:
                await self._talk.hold(self.call, persona=self._persona, attempt=self._attempt)
        except HungUp:
            return
        except TimeoutError:
            if not limit.expired():
                raise

    def _move(self, status: str, *, sip_code: int | None = None) -> None:
        call, exchange = self.call, self._exchange
        now = exchange.clock.now()
        call.status, call.updated_at, call.sip_code = status, now, sip_code
        exchange.ledger.reached(call)
        exchange.journal.note(
            "carrier", status, call=call.sid, to=mask(call.request.to), persona=self._persona.name
        )
        params = call.status_params(now)
        event = EVENT_OF_STATUS.get(status, "completed")
        if call.request.status_callback and event in call.request.status_events:
            exchange.callbacks.send(
                url=call.request.status_callback,
                method=call.request.status_callback_method,
                params=params,
                key=f"{call.request.to}/{call.attempt}",
            )

    def _finish(self, status: str, *, sip_code: int | None = None) -> None:
        if self.call.is_over:
            return
        self.call.ended_at = self._exchange.clock.now()
        if self._answered_at is not None:
            self.call.duration = math.ceil(time.monotonic() - self._answered_at)
            sip_code = sip_code or 200
        self._move(status, sip_code=sip_code)
        if status in MISSED and self._attempt == 1:
            self._missed(self._persona, self.call)
