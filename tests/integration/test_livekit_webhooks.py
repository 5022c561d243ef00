"""LiveKit's webhooks: nothing forged leaves a trace, and a genuine event counts once."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from outreach.models import CallEvent
from tests.integration.calls import make_call
from tests.integration.hooks import be_the_hooks_process, traces

pytestmark = [pytest.mark.integration, pytest.mark.django_db, pytest.mark.urls("config.hooks_urls")]


@pytest.fixture(autouse=True)
def _hooks_process(settings: Settings) -> None:
    be_the_hooks_process(settings)


def livekit_event(**changed: Any) -> bytes:
    call = changed.pop("call", None)
    name = f"call-{call.pk}" if call else "call-unknown"
    event = {
        "event": "participant_joined",
        "id": "EV_1",
        "room": {"name": name},
        "participant": {"kind": "AGENT"},
    }
    return json.dumps(event | changed).encode()


class TestLiveKit:
    def send(self, client: Client, body: bytes, *, signed: bytes | None = None, **request: Any) -> int:
        digest = base64.b64encode(hashlib.sha256(body if signed is None else signed).digest()).decode()
        claims = {"iss": settings.LIVEKIT_API_KEY, "exp": int(time.time()) + 60, "sha256": digest}
        headers = {"Authorization": jwt.encode(claims, settings.LIVEKIT_API_SECRET, "HS256")}
        request = {"content_type": "application/webhook+json", "headers": headers} | request
        return client.post("/hooks/livekit", body, **request).status_code

    def test_stores_an_event_once(self, client: Client) -> None:
        call = make_call()
        body = livekit_event(call=call)
        assert [self.send(client, body), self.send(client, body)] == [204, 204]
        event = CallEvent.objects.get()
        assert (event.source, event.call_id, event.payload["id"]) == ("livekit", call.pk, "EV_1")

    def test_stores_an_event_of_another_room_without_a_call(self, client: Client) -> None:
        assert self.send(client, livekit_event()) == 204
        assert CallEvent.objects.get().call is None

    def test_refuses_a_forger_without_a_trace(self, client: Client) -> None:
        body = livekit_event(call=make_call())
        assert self.send(client, body, signed=b"another body") == 403
        assert self.send(client, body, headers={}) == 403
        assert traces() == 0

    def test_refuses_other_content_and_megabytes(self, client: Client) -> None:
        assert self.send(client, livekit_event(), content_type="application/json") == 415
        assert self.send(client, livekit_event(padding="x" * 1_000_000)) == 413
        assert traces() == 0

    def test_says_when_a_genuine_body_is_no_event(self, client: Client) -> None:
        assert self.send(client, b"{}") == 400
