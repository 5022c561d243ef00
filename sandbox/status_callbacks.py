"""One call's status callbacks: no order is promised, and faults lose, delay, double and swap them."""

from __future__ import annotations

import asyncio
import uuid

from sandbox.carrier_webhooks import CarrierWebhooks, WebhookFailed
from sandbox.faults import Faults
from sandbox.journal import Journal

_OVERTAKEN_WAIT = 2.0
"""Seconds that a swapped callback waits for the next one to overtake it."""


class StatusCallbacks:
    """Sends every callback on its own, so a slow answer to one does not hold up the next."""

    def __init__(self, *, webhooks: CarrierWebhooks, faults: Faults, journal: Journal) -> None:
        self._webhooks = webhooks
        self._faults = faults
        self._journal = journal
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent: dict[str, asyncio.Event] = {}

    def send(self, *, url: str, method: str, params: dict[str, str], key: str) -> None:
        """Send one callback soon; `key` names the call for the dice."""
        sid = params["CallSid"]
        die = f"{key}/{params['CallStatus']}"
        overtaken = self._sent.setdefault(sid, asyncio.Event())
        overtaken.set()
        self._sent[sid] = next_sent = asyncio.Event()
        if params["CallStatus"] not in ("initiated", "ringing", "in-progress"):
            del self._sent[sid]
        if self._faults.strikes("twilio.webhook_dropped", key=die):
            self._journal.note("carrier", "webhook lost (fault)", call=sid, status=params["CallStatus"])
            return
        token = str(uuid.uuid4())
        wait_for = next_sent if self._faults.strikes("twilio.webhook_reordered", key=die) else None
        delay = 0.0
        if self._faults.strikes("twilio.webhook_delayed", key=die):
            delay = self._faults.value("twilio.webhook_delay_seconds")
        copies = 2 if self._faults.strikes("twilio.webhook_duplicated", key=die) else 1
        for _ in range(copies):
            self._start(url, method, params, token, delay, wait_for)

    async def close(self) -> None:
        """Stop sending."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(
        self,
        url: str,
        method: str,
        params: dict[str, str],
        token: str,
        delay: float,
        wait_for: asyncio.Event | None,
    ) -> None:
        task = asyncio.create_task(self._send(url, method, params, token, delay, wait_for))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(
        self,
        url: str,
        method: str,
        params: dict[str, str],
        token: str,
        delay: float,
        wait_for: asyncio.Event | None,
    ) -> None:
        await asyncio.sleep(delay)
        if wait_for is not None:
            await asyncio.wait({asyncio.ensure_future(wait_for.wait())}, timeout=_OVERTAKEN_WAIT)
        try:
            await self._webhooks.send(url, params, method=method, token=token)
        except WebhookFailed as exc:
            self._journal.note(
                "carrier", "webhook failed", call=params["CallSid"], status=params["CallStatus"], why=str(exc)
            )
