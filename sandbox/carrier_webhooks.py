"""The carrier's requests to its customer: signed, patient for 15 seconds, repeated only as overridden."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qs, urldefrag, urlencode

import aiohttp
from twilio.request_validator import RequestValidator

HTTP_RETRIEVAL_FAILURE = 11200


class WebhookFailed(Exception):
    """The customer did not answer with a success; `code` is Twilio's error."""

    def __init__(self, message: str, *, code: int = HTTP_RETRIEVAL_FAILURE) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """How patient the carrier is; the customer changes it in the address's fragment.

    https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
    """

    connect_timeout: float = 5.0
    read_timeout: float = 15.0
    total_timeout: float = 15.0
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})
    """What is tried again: a failed connection, a time-out, a 4xx, a 5xx."""


def overrides_of(fragment: str) -> Overrides:
    """Read an address's fragment; what is missing keeps Twilio's default."""
    given = {name: values[-1] for name, values in parse_qs(fragment).items()}
    policy = frozenset(given.get("rp", "ct").split(","))
    return Overrides(
        connect_timeout=int(given.get("ct", 5000)) / 1000,
        read_timeout=int(given.get("rt", 15_000)) / 1000,
        total_timeout=int(given.get("tt", 15_000)) / 1000,
        retries=min(int(given.get("rc", 1)), 5),
        policy=frozenset({"ct", "rt", "4xx", "5xx"}) if "all" in policy else policy,
    )


class CarrierWebhooks:
    """Sends requests as Twilio does: form-encoded, and signed over the address without its fragment."""

    def __init__(self, *, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._http: aiohttp.ClientSession | None = None

    async def send(self, url: str, params: dict[str, str], *, method: str = "POST", token: str = "") -> str:
        """Send one request and return the answer's body; `token` is the same for a repeated event.

        :raises WebhookFailed: when no attempt was answered with a success.
        """
        address, fragment = urldefrag(url)
        overrides = overrides_of(fragment)
        token = token or str(uuid.uuid4())
        try:
            async with asyncio.timeout(overrides.total_timeout):
                for _ in range(overrides.retries):
                    failure = await self._try(address, params, method, token, overrides)
                    if isinstance(failure, str):
                        return failure
                    if failure.kind not in overrides.policy:
                        raise WebhookFailed(failure.message)
                last = await self._try(address, params, method, token, overrides)
        except TimeoutError as exc:
            raise WebhookFailed("timed out") from exc
        if isinstance(last, str):
            return last
        raise WebhookFailed(last.message)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()

    async def _try(
        self, url: str, params: dict[str, str], method: str, token: str, overrides: Overrides
    ) -> str | _Failure:
        if self._http is None:
            self._http = aiohttp.ClientSession(auto_decompress=True)
        if method == "GET" and params:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        signed = params if method == "POST" else {}
        headers = {
            "X-Twilio-Signature": self._validator.compute_signature(url, signed),
            "I-Twilio-Idempotency-Token": token,
            "User-Agent": "TwilioProxy/1.1",
        }
        timeout = aiohttp.ClientTimeout(
            sock_connect=overrides.connect_timeout, sock_read=overrides.read_timeout
        )
        try:
            async with self._http.request(
                method, url, data=signed or None, headers=headers, timeout=timeout, allow_redirects=True
            ) as response:
                text = await response.text()
                if response.status < 300:
                    return text
                return _Failure(f"{response.status // 100}xx", f"HTTP {response.status}")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return _Failure("ct", "no connection")
        except TimeoutError:
            return _Failure("rt", "read timed out")
        except aiohttp.ClientError:
            return _Failure("ct", "connection lost")


@dataclass(frozen=True)
class _Failure:
    kind: str
    message: str
