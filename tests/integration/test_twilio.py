"""The carrier: one contract, kept by the fake and by Twilio's client; and what exactly Twilio is sent."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from outreach.domain.call_status import CallStatus
from outreach.integrations import twilio_client
from outreach.integrations.telephony import (
    CallOrder,
    DialOutcomeUnknown,
    Fault,
    Telephony,
    TelephonyRefused,
    TelephonyUnavailable,
)
from outreach.integrations.twilio import TwilioTelephony
from tests.fakes import FakeTelephony
from tests.integration.carrier_stub import Answer, CarrierStub

pytestmark = pytest.mark.integration

ORDER = CallOrder(
    call_id=UUID("11111111-1111-4111-8111-111111111111"),
    token="tok-en_1",
    to="+12125550123",
    from_="+12125550100",
    ring_timeout=25,
    max_duration=600,
)
SID = "AC" + "0" * 32
TWILIO_WORDS = {
    CallStatus.IN_PROGRESS: "in-progress",
    CallStatus.COMPLETED: "completed",
    CallStatus.BUSY: "busy",
    CallStatus.NO_ANSWER: "no-answer",
    CallStatus.FAILED: "failed",
    CallStatus.CANCELED: "canceled",
}


@dataclass(kw_only=True)
class Carrier:
    """One implementation, and how a test moves the network behind it."""

    telephony: Telephony
    becomes: Callable[[str, CallStatus, int | None], None]
    set_time: Callable[[datetime], None]
    now: datetime
    lose_next_answer: Callable[[], None]
    refuse_next: Callable[[], None]
    n_calls: Callable[[], int]


def twilio_at(url: str) -> TwilioTelephony:
    return TwilioTelephony(
        account_sid=SID, auth_token="secret", api_url=url, hooks_url="https://hooks.example.com"
    )


def refusal(code: int, status: int = 400) -> Answer:
    return Answer(
        status=status,
        body=json.dumps({"code": code, "message": f"no +1212 {code}", "status": status}).encode(),
    )


@pytest.fixture
def stub() -> Iterator[CarrierStub]:
    with CarrierStub() as carrier:
        yield carrier


def fake_carrier() -> Carrier:
    fake = FakeTelephony()
    return Carrier(
        telephony=fake,
        becomes=lambda sid, status, duration: fake.becomes(sid, status, duration=duration),
        set_time=lambda moment: setattr(fake, "now", moment),
        now=fake.now,
        lose_next_answer=fake.lose_next_answer,
        refuse_next=lambda: fake.fail_next_dial(
            TelephonyRefused("no", code="21211", fault=Fault.NUMBER, http_status=400)
        ),
        n_calls=lambda: len(fake.calls),
    )


def twilio_carrier(stub: CarrierStub) -> Carrier:
    def becomes(sid: str, status: CallStatus, duration: int | None) -> None:
        stub.calls[sid] |= {"status": TWILIO_WORDS[status], "duration": duration and str(duration)}

    return Carrier(
        telephony=twilio_at(stub.url),
        becomes=becomes,
        set_time=lambda moment: setattr(stub, "now", moment),
        now=stub.now,
        lose_next_answer=lambda: setattr(stub, "next_answer", Answer(places=True, hang_up=True)),
        refuse_next=lambda: setattr(stub, "next_answer", refusal(21211)),
        n_calls=lambda: len(stub.calls),
    )


@pytest.fixture(params=["fake", "twilio"])
def carrier(request: pytest.FixtureRequest) -> Carrier:
    if request.param == "fake":
        return fake_carrier()
    return twilio_carrier(request.getfixturevalue("stub"))


class TestTheContract:
    def test_places_one_call_that_may_ring(self, carrier: Carrier) -> None:
        placed = carrier.telephony.place_call(ORDER)
        assert (placed.status, placed.created_at, placed.duration) == (CallStatus.RINGING, carrier.now, None)
        assert carrier.n_calls() == 1

    @pytest.mark.parametrize("status", TWILIO_WORDS)
    def test_tells_what_became_of_a_call(self, carrier: Carrier, status: CallStatus) -> None:
        sid = carrier.telephony.place_call(ORDER).sid
        carrier.becomes(sid, status, 42)
        found = carrier.telephony.fetch_call(sid)
        assert found is not None
        assert (found.sid, found.status, found.duration) == (sid, status, 42)

    def test_knows_no_call_that_was_never_placed(self, carrier: Carrier) -> None:
        assert carrier.telephony.fetch_call("CA" + "f" * 32) is None

    def test_finds_the_calls_of_a_pair_since_a_moment_over_all_pages(self, carrier: Carrier) -> None:
        carrier.telephony.place_call(ORDER)
        carrier.set_time(carrier.now + timedelta(minutes=10))
        since = [carrier.telephony.place_call(ORDER).sid for _ in range(5)]
        found = carrier.telephony.find_calls(
            to=ORDER.to, from_=ORDER.from_, created_after=carrier.now + timedelta(minutes=10)
        )
        assert sorted(call.sid for call in found) == sorted(since)

    def test_finds_nothing_between_other_numbers(self, carrier: Carrier) -> None:
        carrier.telephony.place_call(ORDER)
        assert (
            carrier.telephony.find_calls(to="+12125550199", from_=ORDER.from_, created_after=carrier.now)
            == []
        )

    def test_cancels_a_call_that_rings(self, carrier: Carrier) -> None:
        sid = carrier.telephony.place_call(ORDER).sid
        carrier.telephony.end_call(sid)
        found = carrier.telephony.fetch_call(sid)
        assert found is not None
        assert found.status is CallStatus.CANCELED

    def test_hangs_up_a_call_that_was_answered(self, carrier: Carrier) -> None:
        sid = carrier.telephony.place_call(ORDER).sid
        carrier.becomes(sid, CallStatus.IN_PROGRESS, None)
        carrier.telephony.end_call(sid)
        found = carrier.telephony.fetch_call(sid)
        assert found is not None
        assert found.status is CallStatus.COMPLETED

    def test_leaves_a_call_alone_that_is_over(self, carrier: Carrier) -> None:
        sid = carrier.telephony.place_call(ORDER).sid
        carrier.becomes(sid, CallStatus.BUSY, None)
        carrier.telephony.end_call(sid)
        found = carrier.telephony.fetch_call(sid)
        assert found is not None
        assert found.status is CallStatus.BUSY

    def test_does_not_mind_ending_a_call_that_nobody_knows(self, carrier: Carrier) -> None:
        carrier.telephony.end_call("CA" + "f" * 32)

    def test_says_that_a_refused_call_was_not_placed(self, carrier: Carrier) -> None:
        carrier.refuse_next()
        with pytest.raises(TelephonyRefused) as refused:
            carrier.telephony.place_call(ORDER)
        assert (refused.value.code, refused.value.fault) == ("21211", Fault.NUMBER)
        assert carrier.n_calls() == 0

    def test_does_not_know_when_the_answer_is_lost_and_does_not_repeat(self, carrier: Carrier) -> None:
        carrier.lose_next_answer()
        with pytest.raises(DialOutcomeUnknown):
            carrier.telephony.place_call(ORDER)
        found = carrier.telephony.find_calls(to=ORDER.to, from_=ORDER.from_, created_after=carrier.now)
        assert (len(found), carrier.n_calls()) == (1, 1)


class TestWhatTwilioIsSent:
    def test_sends_exactly_these_fields(self, stub: CarrierStub) -> None:
        twilio_at(stub.url).place_call(ORDER)
        [seen] = stub.seen
        assert (seen.method, seen.path) == ("POST", f"/2010-04-01/Accounts/{SID}/Calls.json")
        assert seen.authorization == "Basic " + base64.b64encode(f"{SID}:secret".encode()).decode()
        retries = "#ct=2000&rt=4000&rc=3&rp=ct,rt,5xx"
        assert seen.form == {
            "To": ["+12125550123"],
            "From": ["+12125550100"],
            "Url": [f"https://hooks.example.com/hooks/twilio/answer/tok-en_1{retries}"],
            "Method": ["POST"],
            "StatusCallback": [f"https://hooks.example.com/hooks/twilio/status/tok-en_1{retries}"],
            "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
            "StatusCallbackMethod": ["POST"],
            "Timeout": ["25"],
            "TimeLimit": ["600"],
        }

    def test_lists_without_a_time_filter(self, stub: CarrierStub) -> None:
        twilio_at(stub.url).find_calls(to=ORDER.to, from_=ORDER.from_, created_after=stub.now)
        assert stub.seen[0].query == {"To": [ORDER.to], "From": [ORDER.from_], "PageSize": ["100"]}

    def test_counts_no_inbound_call_and_no_dialled_leg(self, stub: CarrierStub) -> None:
        for direction in ("inbound", "outbound-dial"):
            stub.place(to=ORDER.to, from_=ORDER.from_, direction=direction)
        assert twilio_at(stub.url).find_calls(to=ORDER.to, from_=ORDER.from_, created_after=stub.now) == []

    @pytest.mark.parametrize("word", ["queued", "ringing", "a status of tomorrow"])
    def test_counts_whatever_is_not_over_as_open(self, stub: CarrierStub, word: str) -> None:
        call = stub.place(to=ORDER.to, from_=ORDER.from_)
        call["status"] = word
        found = twilio_at(stub.url).fetch_call(call["sid"])
        assert found is not None
        assert found.status is CallStatus.RINGING

    def test_ignores_the_edge_and_region_of_the_environment(
        self, stub: CarrierStub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TWILIO_EDGE", "sydney")
        monkeypatch.setenv("TWILIO_REGION", "au1")
        twilio_at(stub.url).place_call(ORDER)
        assert len(stub.calls) == 1

    def test_sends_nothing_for_this_machine_through_a_proxy(
        self, stub: CarrierStub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        twilio_at(stub.url).place_call(ORDER)
        assert len(stub.calls) == 1


class TestHowADialGoesWrong:
    @pytest.mark.parametrize(
        ("code", "status", "fault"),
        [
            (21211, 400, Fault.NUMBER),
            (21214, 400, Fault.NUMBER),
            (21217, 400, Fault.NUMBER),
            (13224, 400, Fault.NUMBER),
            (21215, 400, Fault.ACCOUNT),
            (20003, 401, Fault.ACCOUNT),
            (21210, 400, Fault.ACCOUNT),
            (21212, 400, Fault.ACCOUNT),
            (32203, 403, Fault.ACCOUNT),
            (10004, 400, Fault.ACCOUNT),
            (10004, 429, Fault.ACCOUNT),
            (99999, 418, Fault.ACCOUNT),
            (20429, 429, Fault.PACE),
            (20429, 400, Fault.PACE),
        ],
    )
    def test_names_whose_fault_a_refusal_is(
        self, stub: CarrierStub, code: int, status: int, fault: Fault
    ) -> None:
        stub.next_answer = refusal(code, status)
        with pytest.raises(TelephonyRefused) as refused:
            twilio_at(stub.url).place_call(ORDER)
        assert (refused.value.code, refused.value.fault, refused.value.http_status) == (
            str(code),
            fault,
            status,
        )

    def test_takes_the_http_status_for_the_code_of_a_page(self, stub: CarrierStub) -> None:
        stub.next_answer = Answer(status=403, body=b"<html>forbidden</html>")
        with pytest.raises(TelephonyRefused, match="code 403"):
            twilio_at(stub.url).place_call(ORDER)

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(status=500),
            Answer(status=503, body=b""),
            refusal(20500, 500),
            refusal(20408, 408),
            Answer(status=307, body=b""),
            Answer(status=201, body=b"<html>placed, I think</html>"),
            Answer(status=201, body=b"{}"),
            Answer(status=201, body=b"[]"),
            Answer(hang_up=True),
        ],
    )
    def test_does_not_know_and_asks_once(self, stub: CarrierStub, answer: Answer) -> None:
        stub.next_answer = answer
        with pytest.raises(DialOutcomeUnknown):
            twilio_at(stub.url).place_call(ORDER)
        assert len(stub.seen) == 1

    def test_does_not_know_after_a_time_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(twilio_client, "READ_TIMEOUT", 0.05)
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(DialOutcomeUnknown):
            twilio_at(f"http://127.0.0.1:{silent.getsockname()[1]}").place_call(ORDER)

    def test_knows_that_nothing_was_sent_without_a_connection(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        with pytest.raises(TelephonyUnavailable):
            twilio_at(f"http://127.0.0.1:{port}").place_call(ORDER)

    def test_knows_that_nothing_was_sent_to_a_name_that_does_not_exist(self) -> None:
        with pytest.raises(TelephonyUnavailable):
            twilio_at("http://no-such-host.invalid").place_call(ORDER)

    @pytest.mark.parametrize("answer", [refusal(21211), Answer(hang_up=True), Answer(status=500)])
    def test_names_no_number_in_any_error(self, stub: CarrierStub, answer: Answer) -> None:
        stub.next_answer = answer
        with pytest.raises((TelephonyRefused, DialOutcomeUnknown)) as error:
            twilio_at(stub.url).place_call(ORDER)
        assert "1212" not in str(error.value)
        assert error.value.__suppress_context__


class TestHowAQuestionGoesWrong:
    @pytest.mark.parametrize(
        "answer",
        [
            Answer(status=500),
            Answer(hang_up=True),
            Answer(status=200),
            refusal(20003, 401),
            refusal(20429, 429),
        ],
    )
    def test_could_not_be_asked(self, stub: CarrierStub, answer: Answer) -> None:
        sid = stub.place(to=ORDER.to, from_=ORDER.from_)["sid"]
        for ask in (
            lambda carrier: carrier.fetch_call(sid),
            lambda carrier: carrier.find_calls(to=ORDER.to, from_=ORDER.from_, created_after=stub.now),
            lambda carrier: carrier.end_call(sid),
        ):
            stub.next_answer = answer
            with pytest.raises(TelephonyUnavailable):
                ask(twilio_at(stub.url))
