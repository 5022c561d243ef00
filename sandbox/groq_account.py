"""One Groq account as the emulator sees it: its key, its budget, its accepted terms, and its faults.

Error bodies are `{"error": {"message", "type", "code"}}` as on https://console.groq.com/docs/errors.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from aiohttp import web

from outreach.domain import defaults
from sandbox.accounts import GroqStanding
from sandbox.groq_usage import Exceeded, GroqUsage
from sandbox.humming import Humming, Voice

RETRY_AFTER_SECONDS = 2

MODELS: dict[str, str] = {
    defaults.LLM_MODEL: "OpenAI",
    "openai/gpt-oss-20b": "OpenAI",
    defaults.STT_MODEL: "OpenAI",
    "whisper-large-v3": "OpenAI",
    defaults.TTS_MODEL: "Canopy Labs",
}
"""Model and owner, as `GET /models` lists them."""


class FaultKnobs(Protocol):
    """Seeded faults, asked by a knob's name (`sandbox.faults.Faults` is one)."""

    def value(self, name: str) -> float:
        """Return a knob's value; raise KeyError when there is none of that name."""

    def strikes(self, name: str) -> bool:
        """Tell whether a fault happens now; raise KeyError when there is none of that name."""


@dataclass
class GroqFaults:
    """Knobs of its own for an emulator that runs alone: `groq.<fault>` to a share, `…_seconds` to seconds."""

    knobs: dict[str, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        self._dice = Random(self.seed)

    def value(self, name: str) -> float:
        """Return a knob's value."""
        return self.knobs[name]

    def strikes(self, name: str) -> bool:
        """Tell whether a fault happens now."""
        return self._dice.random() < self.knobs[name]


class GroqRefused(Exception):
    """A request that Groq would refuse; carries what the answer says."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.error: dict[str, Any] = {"message": message, "type": kind}
        if code is not None:
            self.error["code"] = code
        self.error |= details


@dataclass
class GroqAccount:
    """What one API key may do, and what goes wrong for it."""

    api_key: str
    faults: FaultKnobs
    mind_seed: int = 0
    transcripts: deque[str] = field(default_factory=deque)
    """What the next transcriptions say, registered by whoever plays the audio; then `voice` is asked."""
    voice: Voice = field(default_factory=Humming)
    standing: GroqStanding = field(default_factory=GroqStanding)

    def __post_init__(self) -> None:
        self.usage = GroqUsage(standing=self.standing)

    def admit(self, request: web.Request) -> None:
        """Check the key. Raises GroqRefused (401 invalid_api_key)."""
        given = request.headers.get("Authorization", "")
        known = hmac.compare_digest(given.encode(), f"Bearer {self.api_key}".encode())
        if not known or self.standing.key_revoked:
            raise GroqRefused(401, "Invalid API Key", code="invalid_api_key")

    def check_model(self, model: object) -> str:
        """Return the model's name. Raises GroqRefused (404, or 400 while its terms are not accepted)."""
        if not isinstance(model, str) or model not in self.models():
            raise GroqRefused(
                404,
                f"The model `{model}` does not exist or you do not have access to it.",
                code="model_not_found",
            )
        if model in self.standing.terms_wanted or self.strikes("groq.terms_missing"):
            raise GroqRefused(
                400,
                f"The model `{model}` requires terms acceptance. Please have the org admin accept the terms "
                f"at https://console.groq.com/playground?model={model}",
                code="model_terms_required",
            )
        return model

    async def meet_faults(self, service: str, *, model: str) -> None:
        """Wait as long as the service is slow; raise GroqRefused when it is over its limit (429, 503)."""
        await asyncio.sleep(self.value(f"groq.{service}_latency_seconds"))
        exceeded = self.usage.spend(model)
        if exceeded is None and self.strikes(f"groq.{service}_429"):
            limit = self.usage.limits(model).tokens_a_minute or 0
            exceeded = Exceeded(words="tokens per minute (TPM)", limit=limit, retry_after=RETRY_AFTER_SECONDS)
        if exceeded is not None:
            raise self._over_limit(model, exceeded)
        if self.strikes(f"groq.{service}_5xx"):
            raise GroqRefused(
                503,
                f"{model} is currently over capacity. Please try again and back off exponentially.",
                kind="internal_server_error",
            )

    def models(self) -> dict[str, str]:
        """Return model and owner of those that the organisation may use."""
        return {name: owner for name, owner in MODELS.items() if name not in self.standing.withdrawn}

    def limit_headers(self, model: str, *, spent: bool = False) -> dict[str, str]:
        """Return the `x-ratelimit-*` headers; requests count by day, tokens by minute."""
        limits = self.usage.limits(model)
        headers: dict[str, str] = {}
        if (requests := limits.requests_a_day) is not None:
            headers |= {
                "x-ratelimit-limit-requests": str(requests),
                "x-ratelimit-remaining-requests": str(max(0, requests - self.usage.today(model))),
                "x-ratelimit-reset-requests": "172ms",
            }
        if (tokens := limits.tokens_a_minute) is not None:
            headers |= {
                "x-ratelimit-limit-tokens": str(tokens),
                "x-ratelimit-remaining-tokens": "0" if spent else str(max(0, tokens - 900)),
                "x-ratelimit-reset-tokens": f"{RETRY_AFTER_SECONDS}s" if spent else "216ms",
            }
        return headers

    def _over_limit(self, model: str, exceeded: Exceeded) -> GroqRefused:
        by_tokens = "TPM" in exceeded.words
        return GroqRefused(
            429,
            f"Rate limit reached for model `{model}` in organization `org_sandbox` service tier "
            f"`on_demand` on {exceeded.words}: Limit {exceeded.limit}, Used {exceeded.limit}, "
            f"Requested {900 if by_tokens else 1}. Please try again in {exceeded.retry_after}s.",
            kind="tokens" if by_tokens else "requests",
            code="rate_limit_exceeded",
            headers={"retry-after": str(exceeded.retry_after)} | self.limit_headers(model, spent=by_tokens),
        )

    def strikes(self, name: str) -> bool:
        """Tell whether a fault happens now; a knob that nobody has never strikes."""
        try:
            return self.faults.strikes(name)
        except KeyError:
            return False

    def value(self, name: str) -> float:
        """Return a knob's value, 0 for one that nobody has."""
        try:
            return self.faults.value(name)
        except KeyError:
            return 0.0


ACCOUNT: web.AppKey[GroqAccount] = web.AppKey("groq_account", GroqAccount)
