"""The webhooks: nothing unsigned leaves a trace, and a genuine event counts once."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import jwt
import pytest
import redis
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from kombu.exceptions import OperationalError
from pytest_django import Settings
from twilio.request_validator import RequestValidator

from config.settings import _HOOKS_MIDDLEWARE
from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import SIGNATURE_HEADER, TIMESTAMP_HEADER
from outreach.integrations import agents
from outreach.models import AgentWorker, Call, CallEvent, Note, Suppression, Turn
from outreach.tasks import dial_call
from outreach.webhooks import twilio as twilio_webhooks
from tests.fakes import FakeTelephony
from tests.integration.calls import make_call

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("config.hooks_urls"),
    pytest.mark.usefixtures("valkey"),
]

SID = "CA" + "1" * 32
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _hooks_process(settings: Settings) -> None:
    """Stand in the process that serves the webhooks."""
    settings.MIDDLEWARE = _HOOKS_MIDDLEWARE
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024


@pytest.fixture(autouse=True)
def carrier(monkeypatch: pytest.MonkeyPatch) -> FakeTelephony:
    fake = FakeTelephony()
    monkeypatch.setattr(twilio_webhooks, "telephony", lambda: fake)
    return fake


def traces() -> int:
    return CallEvent.objects.count()


def hinted(valkey: redis.Redis, queue: str) -> list[tuple[str, dict[str, str]]]:
    """Return the tasks in a queue, with their arguments."""
    found = []
    for raw in valkey.lrange(queue, 0, -1):  # type: ignore[union-attr]
        message = json.loads(raw)
        _args, kwargs, _embed = json.loads(base64.b64decode(message["body"]))
        found.append((message["headers"]["task"], kwargs))
    return found


def verbs(response: HttpResponse) -> list[ElementTree.Element]:
    """Return the verbs of a TwiML document."""
    return list(ElementTree.fromstring(response.content))  # noqa: S314  (our own answer)


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


@pytest.fixture
def twilio(client: Client) -> Twilio:
    return Twilio(client)


FORGERIES = [
    "missing",
    "wrong",
    "not-ascii",
    "https-for-http",
    "another-host",
    "changed-param",
    "added-param",
    "none-signed",
    "repeated-param-before",
    "repeated-param-after",
]


class TestWhoMaySpeakForTwilio:
    @pytest.mark.parametrize(
        "forged",
        [
            {"signature": ""},
            {"signature": "bm90IGEgc2lnbmF0dXJl"},
            {"signature": "ümlaut"},
            {"signed_base": "https://127.0.0.1:8001"},
            {"signed_base": "http://elsewhere.example.com"},
            {"signed_params": {"CallSid": SID, "CallStatus": "completed", "SequenceNumber": "1"}},
            {"signed_params": {"CallSid": SID, "CallStatus": "ringing"}},
            {"signed_params": {}},
            {
                "params": {"CallStatus": ["completed", "ringing"]},
                "signed_params": {"CallSid": SID, "CallStatus": "ringing", "SequenceNumber": "1"},
            },
            {
                "params": {"CallStatus": ["ringing", "completed"]},
                "signed_params": {"CallSid": SID, "CallStatus": "ringing", "SequenceNumber": "1"},
            },
        ],
        ids=FORGERIES,
    )
    @pytest.mark.parametrize("hook", ["answer", "dialed", "status"])
    def test_refuses_a_forger_without_a_trace(
        self, twilio: Twilio, hook: str, forged: dict[str, Any]
    ) -> None:
        call = make_call()
        response = twilio.send(f"/hooks/twilio/{hook}/{call.token}", **forged)
        call.refresh_from_db()
        assert (response.status_code, traces(), call.status) == (403, 0, CallStatus.DIALING)

    def test_refuses_a_signature_for_another_call(self, twilio: Twilio) -> None:
        call = make_call()
        path = f"/hooks/twilio/status/{call.token}"
        other = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(
            f"{settings.PUBLIC_BASE_URL}/hooks/twilio/status/other", {"CallSid": SID}
        )
        assert twilio.send(path, signature=other).status_code == 403

    def test_believes_the_settings_rather_than_the_host_header(
        self, twilio: Twilio, settings: Settings
    ) -> None:
        settings.PUBLIC_BASE_URL = "https://hooks.example.com"
        call = make_call()
        assert twilio.send(f"/hooks/twilio/status/{call.token}").status_code == 204

    @pytest.mark.parametrize(
        "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain"]
    )
    def test_reads_forms_only(self, twilio: Twilio, content_type: str) -> None:
        response = twilio.send("/hooks/twilio/status/x", content_type=content_type)
        assert (response.status_code, traces()) == (415, 0)

    def test_reads_no_megabyte(self, twilio: Twilio) -> None:
        response = twilio.send("/hooks/twilio/status/x", {"Padding": "x" * 1_000_000})
        assert (response.status_code, traces()) == (413, 0)

    def test_takes_posts_only(self, client: Client) -> None:
        assert client.get("/hooks/twilio/status/x").status_code == 405

    def test_refuses_a_genuine_event_that_names_no_call(self, twilio: Twilio) -> None:
        assert twilio.send("/hooks/twilio/status/x", {"CallSid": ""}).status_code == 400


class TestStatus:
    def test_moves_the_call(self, twilio: Twilio) -> None:
        call = make_call()
        response = twilio.send(f"/hooks/twilio/status/{call.token}", {"From": "+1", "To": "+2"})
        call.refresh_from_db()
        assert (response.status_code, response.content) == (204, b"")
        assert (call.status, call.twilio_sid) == (CallStatus.RINGING, SID)
        event = CallEvent.objects.get(call=call)
        assert (event.source, event.kind, event.event_id) == ("twilio", "ringing", f"{SID}:1:ringing")

    def test_counts_a_replay_once(self, twilio: Twilio) -> None:
        call = make_call()
        answers = [twilio.send(f"/hooks/twilio/status/{call.token}").status_code for _ in range(3)]
        assert (answers, traces()) == ([204, 204, 204], 1)

    def test_takes_events_in_any_order(self, twilio: Twilio) -> None:
        call = make_call()
        for number, word in (("3", "in-progress"), ("1", "initiated"), ("2", "ringing")):
            twilio.send(f"/hooks/twilio/status/{call.token}", {"CallStatus": word, "SequenceNumber": number})
        call.refresh_from_db()
        assert (call.status, traces()) == (CallStatus.IN_PROGRESS, 3)

    def test_stores_why_a_call_failed_and_lets_its_room_be_closed(
        self, twilio: Twilio, valkey: redis.Redis
    ) -> None:
        call = make_call()
        twilio.send(f"/hooks/twilio/status/{call.token}", {"CallStatus": "failed", "SipResponseCode": "404"})
        call.refresh_from_db()
        assert (call.status, call.failure_code) == (CallStatus.FAILED, "404")
        assert hinted(valkey, "ops") == [("outreach.close_room", {"call_id": str(call.pk)})]

    def test_stores_how_long_a_call_took(self, twilio: Twilio) -> None:
        call = make_call(CallStatus.IN_PROGRESS, twilio_sid=SID)
        twilio.send(f"/hooks/twilio/status/{call.token}", {"CallStatus": "completed", "CallDuration": "61"})
        call.refresh_from_db()
        assert (call.status, call.duration_seconds, call.failure_code) == (CallStatus.COMPLETED, 61, "")

    def test_stores_a_status_that_it_does_not_know_and_moves_nothing(self, twilio: Twilio) -> None:
        call = make_call()
        response = twilio.send(
            f"/hooks/twilio/status/{call.token}", {"CallStatus": "x" * 500, "Nul": "a\x00b"}
        )
        call.refresh_from_db()
        assert (response.status_code, call.status, traces()) == (204, CallStatus.DIALING, 1)

    def test_stores_an_event_of_an_unknown_token_without_a_call(self, twilio: Twilio) -> None:
        assert twilio.send("/hooks/twilio/status/nobody-knows").status_code == 204
        assert CallEvent.objects.get().call is None

    def test_ends_a_call_that_rings_after_we_had_closed_it(
        self, twilio: Twilio, carrier: FakeTelephony
    ) -> None:
        now = make_call().queued_at
        Call.objects.update(status="canceled", ended_at=now, settled_at=now)
        response = twilio.send(f"/hooks/twilio/status/{Call.objects.get().token}")
        assert (response.status_code, carrier.ended) == (204, [SID])
        assert CallEvent.objects.filter(incident=True).exists()

    def test_answers_even_when_the_late_call_cannot_be_ended(
        self, twilio: Twilio, carrier: FakeTelephony
    ) -> None:
        now = make_call().queued_at
        Call.objects.update(status="canceled", ended_at=now, settled_at=now)
        carrier.unavailable = True
        assert twilio.send(f"/hooks/twilio/status/{Call.objects.get().token}").status_code == 204


class TestAnswer:
    def test_connects_a_person_to_the_room_in_which_alex_is(self, twilio: Twilio) -> None:
        call = make_call()
        response = twilio.send(f"/hooks/twilio/answer/{call.token}", {"CallStatus": "in-progress"})
        assert (response.status_code, response["Content-Type"]) == (200, "text/xml")
        [dial] = verbs(response)
        assert dial.attrib == {
            "timeout": "5",
            "action": f"{settings.PUBLIC_BASE_URL}/hooks/twilio/dialed/{call.token}",
            "method": "POST",
        }
        [sip] = dial
        assert sip.attrib == {"username": settings.SIP_USERNAME, "password": settings.SIP_PASSWORD}
        assert sip.text == f"sip:call-{call.pk}@127.0.0.1:5060;transport=tcp?X-Call-Id={call.pk}"
        call.refresh_from_db()
        assert call.status == CallStatus.IN_PROGRESS

    def test_says_the_same_when_asked_again(self, twilio: Twilio) -> None:
        call = make_call()
        first, second = (twilio.send(f"/hooks/twilio/answer/{call.token}").content for _ in range(2))
        assert (first, traces()) == (second, 1)

    @pytest.mark.parametrize(
        "address",
        [
            "sip:abc.sip.livekit.cloud",
            "sip:user@abc.sip.livekit.cloud;transport=tls",
            "abc.sip.livekit.cloud",
        ],
    )
    def test_needs_only_the_host_of_the_sip_address(
        self, twilio: Twilio, settings: Settings, address: str
    ) -> None:
        settings.LIVEKIT_SIP_URI = address
        call = make_call()
        content = twilio.send(f"/hooks/twilio/answer/{call.token}").content.decode()
        assert f"sip:call-{call.pk}@abc.sip.livekit.cloud;transport=tcp?X-Call-Id=" in content

    def test_hangs_up_when_alex_is_not_there(self, twilio: Twilio) -> None:
        call = make_call(agent_seen_at=None)
        response = twilio.send(f"/hooks/twilio/answer/{call.token}")
        assert [verb.tag for verb in verbs(response)] == ["Hangup"]

    def test_hangs_up_on_an_unknown_token(self, twilio: Twilio) -> None:
        response = twilio.send("/hooks/twilio/answer/nobody-knows")
        assert [verb.tag for verb in verbs(response)] == ["Hangup"]
        assert CallEvent.objects.get().call is None


class TestDialed:
    def test_takes_note_and_hangs_up(self, twilio: Twilio) -> None:
        call = make_call(CallStatus.IN_PROGRESS, twilio_sid=SID)
        response = twilio.send(
            f"/hooks/twilio/dialed/{call.token}", {"DialCallStatus": "failed", "DialSipResponseCode": "480"}
        )
        assert [verb.tag for verb in verbs(response)] == ["Hangup"]
        assert CallEvent.objects.get(kind="dialed").payload["DialSipResponseCode"] == "480"


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


@pytest.fixture
def agent(client: Client) -> Agent:
    return Agent(client)


def fact(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "fact_id": str(uuid.uuid4()), "at": "2026-11-24T10:00:00Z"} | fields


READY = {"worker_id": "w1", "job_id": "AJ_1"}


class TestFacts:
    def test_lets_alex_stay_and_hints_at_the_dial(self, agent: Agent, valkey: redis.Redis) -> None:
        call = make_call(CallStatus.PREPARING, agent_job="", agent_worker="")
        response = agent.send(f"/hooks/agent/{call.pk}/fact", fact("ready", **READY))
        assert (response.status_code, json.loads(response.content)) == (200, {"stay": True})
        assert hinted(valkey, "dial") == [("outreach.dial_call", {"call_id": str(call.pk)})]

    def test_lets_alex_stay_when_the_broker_is_away(
        self, agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(**_: object) -> None:
            raise OperationalError("no broker")

        monkeypatch.setattr(dial_call, "apply_async", away)
        call = make_call(CallStatus.PREPARING, agent_job="", agent_worker="")
        assert agent.send(f"/hooks/agent/{call.pk}/fact", fact("ready", **READY)).status_code == 200

    def test_sends_a_second_alex_away(self, agent: Agent, valkey: redis.Redis) -> None:
        call = make_call(CallStatus.PREPARING)
        response = agent.send(f"/hooks/agent/{call.pk}/fact", fact("ready", worker_id="w2", job_id="AJ_2"))
        assert (response.status_code, hinted(valkey, "dial")) == (410, [])

    def test_stores_an_opt_out_once_whatever_its_words_are(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS)
        report = fact("opt_out", evidence_seq=2, reason="stop \x00 \ud800 now")
        answers = [agent.send(f"/hooks/agent/{call.pk}/fact", report) for _ in range(2)]
        assert [json.loads(answer.content) for answer in answers] == [{"stored": True}] * 2
        assert Suppression.objects.count() == 1
        assert CallEvent.objects.filter(kind="opt_out").count() == 1

    def test_knows_no_call_of_that_id(self, agent: Agent) -> None:
        assert agent.send(f"/hooks/agent/{uuid.uuid4()}/fact", fact("ready", **READY)).status_code == 404

    @pytest.mark.parametrize(
        "report",
        [
            b"{",
            b"[]",
            b"null",
            b"[" * 60_000,
            {"kind": "ready"},
            {"kind": "unheard of"},
            fact("end", n_turns=-1),
        ],
    )
    def test_refuses_what_is_no_fact_for_good(self, agent: Agent, report: Any) -> None:
        call = make_call()
        response = agent.send(f"/hooks/agent/{call.pk}/fact", report)
        assert (response.status_code, traces()) == (400, 0)

    def test_does_not_repeat_what_a_malformed_report_says(self, agent: Agent) -> None:
        response = agent.send(
            f"/hooks/agent/{make_call().pk}/fact",
            fact("outcome", disposition="my secret words", reason="private"),
        )
        assert b"secret" not in response.content
        assert b"private" not in response.content


class TestWhoMaySpeakForAlex:
    @pytest.mark.parametrize(
        "forged",
        [{"age": 301}, {"age": -302}, {"secret": "another"}, {"signed_path": "/hooks/agent/worker"}],
        ids=["too-old", "from-the-future", "another-secret", "another-path"],
    )
    def test_refuses_a_forger_without_a_trace(self, agent: Agent, forged: dict[str, Any]) -> None:
        call = make_call(CallStatus.IN_PROGRESS)
        response = agent.send(f"/hooks/agent/{call.pk}/fact", fact("opt_out"), **forged)
        assert (response.status_code, traces(), Suppression.objects.count()) == (403, 0, 0)

    def test_refuses_what_is_not_signed(self, client: Client) -> None:
        response = client.post("/hooks/agent/worker", b"{}", content_type="application/json")
        assert response.status_code == 403

    def test_refuses_other_content_and_megabytes(self, agent: Agent) -> None:
        assert agent.send("/hooks/agent/worker", {}, content_type=FORM).status_code == 415
        assert agent.send("/hooks/agent/worker", b"x" * 1_000_000).status_code == 413


class TestWords:
    def turn(self, call: Call, seq: int, **changed: Any) -> dict[str, Any]:
        word = {"kind": "turn", "call_id": str(call.pk), "at": "2026-11-24T10:00:00Z", "seq": seq}
        return word | {"speaker": "alex", "text": "Hello.\x00"} | changed

    def test_stores_left_over_words_once_and_says_what_is_missing(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS, n_turns=3, n_notes=0)
        words = {"words": [self.turn(call, 1), self.turn(call, 3)]}
        answers = [agent.send(f"/hooks/agent/{call.pk}/words", words).content for _ in range(2)]
        assert json.loads(answers[1]) == {"complete": False, "missing_turns": [2], "missing_notes": []}
        assert list(Turn.objects.order_by("seq").values_list("seq", "text")) == [(1, "Hello."), (3, "Hello.")]

    def test_only_asks_with_an_empty_batch(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS, n_turns=0, n_notes=0)
        response = agent.send(f"/hooks/agent/{call.pk}/words", {"words": []})
        assert json.loads(response.content)["complete"] is True

    def test_refuses_words_of_another_call(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS)
        words = {"words": [self.turn(call, 1, call_id=str(uuid.uuid4()))]}
        assert agent.send(f"/hooks/agent/{call.pk}/words", words).status_code == 400
        assert not Turn.objects.exists()
        assert not Note.objects.exists()

    def test_knows_no_call_of_that_id(self, agent: Agent) -> None:
        assert agent.send(f"/hooks/agent/{uuid.uuid4()}/words", {"words": []}).status_code == 404

    def test_refuses_what_are_no_words(self, agent: Agent) -> None:
        assert agent.send(f"/hooks/agent/{make_call().pk}/words", {"words": [{"seq": 0}]}).status_code == 400


class TestWorker:
    def test_takes_note_of_places_and_of_calls_that_are_alive(self, agent: Agent) -> None:
        call = make_call(CallStatus.IN_PROGRESS, agent_seen_at=None)
        report = {"worker_id": "w1", "places": 8, "free": 7, "calls": [str(call.pk)]}
        assert agent.send("/hooks/agent/worker", report).status_code == 204
        call.refresh_from_db()
        assert AgentWorker.objects.get().free == 7
        assert call.agent_seen_at is not None

    def test_refuses_what_is_no_report(self, agent: Agent) -> None:
        assert agent.send("/hooks/agent/worker", {"worker_id": "w1"}).status_code == 400


class TestHealth:
    def test_lives(self, client: Client) -> None:
        response = client.get("/hooks/livez")
        assert (response.status_code, response.content) == (200, b"ok")

    @pytest.mark.urls("config.urls")
    def test_is_ready_while_postgresql_and_redis_answer(self, client: Client) -> None:
        assert client.get("/livez").content == b"ok"
        assert client.get("/readyz?format=json").status_code == 200

    @pytest.mark.urls("config.urls")
    def test_is_not_ready_without_redis(self, client: Client, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        assert client.get("/readyz?format=json").status_code == 500
