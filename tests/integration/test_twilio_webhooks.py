"""Twilio's webhooks: nothing unsigned leaves a trace, and a genuine event counts once."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
import redis
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from twilio.request_validator import RequestValidator

from outreach.domain.call_status import CallStatus
from outreach.models import Call, CallEvent
from outreach.webhooks import twilio as twilio_webhooks
from tests.fakes import FakeTelephony
from tests.integration.calls import make_call
from tests.integration.hooks import SID, Twilio, be_the_hooks_process, hinted, traces

pytestmark = [pytest.mark.integration, pytest.mark.django_db, pytest.mark.urls("config.hooks_urls")]


@pytest.fixture(autouse=True)
def _hooks_process(settings: Settings) -> None:
    be_the_hooks_process(settings)


@pytest.fixture(autouse=True)
def carrier(monkeypatch: pytest.MonkeyPatch) -> FakeTelephony:
    fake = FakeTelephony()
    monkeypatch.setattr(twilio_webhooks, "telephony", lambda: fake)
    return fake


@pytest.fixture
def twilio(client: Client) -> Twilio:
    return Twilio(client)


def verbs(response: HttpResponse) -> list[ElementTree.Element]:
    """Return the verbs of a TwiML document."""
    return list(ElementTree.fromstring(response.content))  # noqa: S314  (our own answer)


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
        self,
        twilio: Twilio,
        valkey: redis.Redis,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        call = make_call()
        with django_capture_on_commit_callbacks(execute=True):
            twilio.send(
                f"/hooks/twilio/status/{call.token}", {"CallStatus": "failed", "SipResponseCode": "404"}
            )
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
