"""One call's status callbacks: no order is promised, and faults lose, delay, double and swap them."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from dataclasses import dataclass, field

from sandbox.carrier_webhooks import CarrierWebhooks, WebhookFailed
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.phone_call import OVER

_OVERTAKEN_WAIT = 2.0
"""Seconds that a swapped callback waits for the next one to overtake it."""


@dataclass(kw_only=True)
class _Callback:
    url: str
    method: str
    params: dict[str, str]
    overtakes: asyncio.Event | None
    """The previous callback waits for this one, if it is to be swapped."""
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    overtaken: asyncio.Event = field(default_factory=asyncio.Event)
    delay: float = 0.0
    is_swapped: bool = False


class StatusCallbacks:
    """Sends every callback on its own, so a slow answer to one does not hold up the next."""

    def __init__(self, *, webhooks: CarrierWebhooks, faults: Faults, journal: Journal) -> None:
        self._webhooks = webhooks
        self._faults = faults
        self._journal = journal
        self._tasks: set[asyncio.Task[None]] = set()
        self._previous: dict[str, asyncio.Event] = {}

    def send(self, *, url: str, method: str, params: dict[str, str], key: str) -> None:
        """Send one callback soon; `key` names the call for the dice."""
        sid, status = params["CallSid"], params["CallStatus"]
        die = f"{key}/{status}"
        callback = _Callback(url=url, method=method, params=params, overtakes=self._previous.pop(sid, None))
        if status not in OVER:
            self._previous[sid] = callback.overtaken
            callback.is_swapped = self._faults.strikes("twilio.webhook_reordered", key=die)
        if self._faults.strikes("twilio.webhook_delayed", key=die):
            callback.delay = self._faults.value("twilio.webhook_delay_seconds")
        if self._faults.strikes("twilio.webhook_dropped", key=die):
            self._journal.note("carrier", "webhook lost (fault)", call=sid, status=status)
            return
        for _ in range(2 if self._faults.strikes("twilio.webhook_duplicated", key=die) else 1):
            task = asyncio.create_task(self._send(callback))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop sending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _send(self, callback: _Callback) -> None:
        await asyncio.sleep(callback.delay)
        if callback.is_swapped:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(callback.overtaken.wait(), _OVERTAKEN_WAIT)
        try:
            await self._webhooks.send(
                callback.url, callback.params, method=callback.method, token=callback.token
            )
        except WebhookFailed as exc:
            self._journal.note(
                "carrier",
                "webhook failed",
                call=callback.params["CallSid"],
                status=callback.params["CallStatus"],
                why=str(exc),
            )
        if callback.overtakes is not None:
            callback.overtakes.set()
