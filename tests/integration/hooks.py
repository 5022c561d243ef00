"""How tests speak to the webhooks: as Twilio or as one of our workers, genuine or forged."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import urlencode

import redis
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from config.settings import _HOOKS_MIDDLEWARE
from outreach.domain.contracts import SIGNATURE_HEADER, TIMESTAMP_HEADER
from outreach.integrations import agents
from outreach.models import CallEvent

SID = "CA" + "1" * 32
FORM = "application/x-www-form-urlencoded"


def be_the_hooks_process(settings: Settings) -> None:
    """Stand in the process that serves the webhooks."""
    settings.MIDDLEWARE = _HOOKS_MIDDLEWARE
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024


def traces() -> int:
    """Return how many events are stored."""
    return CallEvent.objects.count()


def hinted(valkey: redis.Redis, queue: str) -> list[tuple[str, dict[str, str]]]:
    """Return the tasks in a queue, with their arguments."""
    found = []
    for raw in valkey.lrange(queue, 0, -1):
        message = json.loads(raw)
        _args, kwargs, _embed = json.loads(base64.b64decode(message["body"]))
        found.append((message["headers"]["task"], kwargs))
    return found


class Twilio:
    """Signs and sends as Twilio does; tests change one thing at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(
        self,
        path: str,
        params: dict[str, Any] | None = None,
        *,
        signed_params: dict[str, Any] | None = None,
        signed_base: str | None = None,
        signature: str | None = None,
        content_type: str = FORM,
    ) -> HttpResponse:
        params = {"CallSid": SID, "CallStatus": "ringing", "SequenceNumber": "1"} | (params or {})
        signed = params if signed_params is None else signed_params
        address = (settings.PUBLIC_BASE_URL if signed_base is None else signed_base) + path
        if signature is None:
            signature = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(address, signed)
        headers = {"X-Twilio-Signature": signature} if signature else {}
        return self._client.post(  # type: ignore[return-value]
            path, urlencode(params, doseq=True), content_type=content_type, headers=headers
        )


class Agent:
    """Signs and sends as our workers do."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(
        self,
        path: str,
        report: Any,
        *,
        age: float = 0,
        signed_path: str | None = None,
        secret: str | None = None,
        content_type: str = "application/json",
    ) -> HttpResponse:
        body = report if isinstance(report, bytes) else json.dumps(report).encode()
        timestamp = str(int(time.time() - age))
        given = agents.signature(
            secret=settings.AGENT_SECRET if secret is None else secret,
            timestamp=timestamp,
            path=signed_path or path,
            body=body,
        )
        headers = {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: given}
        return self._client.post(path, body, content_type=content_type, headers=headers)  # type: ignore[return-value]
