"""The way to the product: signed POSTs to the hooks process.

`HooksUnreachable` means that nobody knows whether it arrived: it is sent again, every receiver is idempotent.
"""

from __future__ import annotations

import time
from enum import Enum
from uuid import UUID

import aiohttp
from pydantic import ValidationError
from yarl import URL

from agentworker.signing import signed_headers
from outreach.domain.contracts import AnyFact, WordsBatch, WordsStored, WorkerReport

TIMEOUT = 5.0
"""Seconds that one POST may take."""
_LATER = frozenset({401, 403, 408, 429})
"""Refusals that say nothing about the message: a wrong secret or clock is mended by an operator."""


class HooksUnreachable(Exception):
    """The product did not answer, or answered that it could not; ask again later."""


class Answer(Enum):
    """What the product made of a fact."""

    TAKEN = "taken"
    LEAVE = "leave"
    REFUSED = "refused"


class Hooks:
    """Posts facts, words and reports; one instance per event loop."""

    def __init__(self, *, base_url: str, secret: str) -> None:
        self._base = base_url.rstrip("/")
        self._secret = secret
        self._session: aiohttp.ClientSession | None = None

    async def post_fact(self, *, call_id: UUID, fact: AnyFact) -> Answer:
        """Post one fact.

        :raises HooksUnreachable: when it must be sent again.
        """
        status, _ = await self._post(f"/hooks/agent/{call_id}/fact", fact.model_dump_json().encode())
        if status == 410:
            return Answer.LEAVE
        return Answer.TAKEN if status < 300 else Answer.REFUSED

    async def post_words(self, *, call_id: UUID, batch: WordsBatch) -> WordsStored | None:
        """Post words, or ask with an empty batch; return what is stored, None when they are unwanted.

        :raises HooksUnreachable: when it must be sent again.
        """
        status, body = await self._post(f"/hooks/agent/{call_id}/words", batch.model_dump_json().encode())
        if status >= 300:
            return None
        try:
            return WordsStored.model_validate_json(body)
        except ValidationError as exc:
            raise HooksUnreachable("the answer about words is not understood") from exc

    async def post_report(self, report: WorkerReport) -> None:
        """Post what the worker says of itself.

        :raises HooksUnreachable: when it did not arrive.
        """
        await self._post("/hooks/agent/worker", report.model_dump_json().encode())

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        url = URL(self._base + path)
        headers = signed_headers(secret=self._secret, path=url.path, body=body, timestamp=int(time.time()))
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        try:
            async with self._session.post(url, data=body, headers=headers) as response:
                answer = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise HooksUnreachable(type(exc).__name__) from exc
        if response.status >= 500 or response.status in _LATER:
            raise HooksUnreachable(f"status {response.status}")
        return response.status, answer
