"""Twilio's account, asked with Twilio's own client: what is sent, and what its answers mean.

Addresses and fields are those of Twilio's reference: /docs/iam/api/account, /docs/phone-numbers/api,
/docs/voice/api/outgoing-caller-ids, /docs/voice/api/dialingpermissions-country-resource,
/docs/trust-hub/trusthub-rest-api/customer-profiles.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from outreach.integrations.telephony import AccountState, TelephonyRefused, TelephonyUnavailable
from outreach.integrations.twilio_account import Balance, OwnedNumber, TwilioAccount
from outreach.integrations.twilio_client import product_url
from tests.integration.carrier_stub import Answer, CarrierStub

pytestmark = pytest.mark.integration

SID = "AC" + "0" * 32
BASE = f"/2010-04-01/Accounts/{SID}"
NUMBER = {
    "sid": "PN" + "1" * 32,
    "phone_number": "+12025550199",
    "capabilities": {"voice": True, "sms": False},
    "voice_url": "https://demo.twilio.com/welcome",
}


@pytest.fixture
def stub() -> Iterator[CarrierStub]:
    with CarrierStub() as carrier:
        yield carrier


@pytest.fixture
def account(stub: CarrierStub) -> TwilioAccount:
    return TwilioAccount(account_sid=SID, auth_token="secret", api_url=stub.url)


def answering(stub: CarrierStub, body: dict[str, Any], *, status: int = 200) -> None:
    stub.next_answer = Answer(status=status, body=json.dumps(body).encode())


def a_page(**records: Any) -> dict[str, Any]:
    return records | {"page": 0, "page_size": 200, "next_page_uri": None, "uri": "/"}


class TestWhatIsSent:
    @pytest.mark.parametrize(
        ("ask", "answer", "path", "query"),
        [
            (TwilioAccount.state, {"type": "Full", "status": "active"}, f"{BASE}.json", {}),
            (TwilioAccount.balance, {"balance": "1", "currency": "USD"}, f"{BASE}/Balance.json", {}),
            (
                TwilioAccount.owned_numbers,
                a_page(incoming_phone_numbers=[NUMBER]),
                f"{BASE}/IncomingPhoneNumbers.json",
                {"PageSize": ["200"]},
            ),
            (
                TwilioAccount.verified_numbers,
                a_page(outgoing_caller_ids=[]),
                f"{BASE}/OutgoingCallerIds.json",
                {"PageSize": ["200"]},
            ),
            (
                lambda account: account.may_call("ES"),
                {"iso_code": "ES", "low_risk_numbers_enabled": True},
                "/v1/DialingPermissions/Countries/ES",
                {},
            ),
            (
                TwilioAccount.has_approved_profile,
                {"results": [], "meta": {"key": "results", "next_page_url": None}},
                "/v1/CustomerProfiles",
                {"Status": ["twilio-approved"], "PageSize": ["1"]},
            ),
        ],
    )
    def test_is_one_documented_question_with_the_auth_token(
        self,
        stub: CarrierStub,
        account: TwilioAccount,
        ask: Callable[[TwilioAccount], Any],
        answer: dict[str, Any],
        path: str,
        query: dict[str, list[str]],
    ) -> None:
        answering(stub, answer)
        ask(account)
        (seen,) = stub.seen
        credentials = base64.b64encode(f"{SID}:secret".encode()).decode()
        assert (seen.method, seen.path, seen.query, seen.form) == ("GET", path, query, {})
        assert seen.authorization == f"Basic {credentials}"

    @pytest.mark.parametrize(
        ("api_url", "expected"),
        [
            ("https://api.twilio.com", "https://voice.twilio.com"),
            ("https://api.dublin.ie1.twilio.com", "https://voice.dublin.ie1.twilio.com"),
            ("http://127.0.0.1:9101", "http://127.0.0.1:9101"),
        ],
    )
    def test_goes_to_the_products_own_host(self, api_url: str, expected: str) -> None:
        assert product_url(api_url, "voice") == expected


class TestWhatIsUnderstood:
    @pytest.mark.parametrize(
        ("answer", "state"),
        [
            ({"type": "Full", "status": "active"}, AccountState(trial=False, active=True)),
            ({"type": "Trial", "status": "active"}, AccountState(trial=True, active=True)),
            ({"type": "Full", "status": "suspended"}, AccountState(trial=False, active=False)),
        ],
    )
    def test_the_kind_of_the_account(
        self, stub: CarrierStub, account: TwilioAccount, answer: dict[str, str], state: AccountState
    ) -> None:
        answering(stub, answer)
        assert account.state() == state

    def test_money_to_the_last_digit(self, stub: CarrierStub, account: TwilioAccount) -> None:
        answering(stub, {"balance": "12.34500", "currency": "EUR"})
        assert account.balance() == Balance(amount=Decimal("12.345"), currency="EUR")

    def test_a_number_and_what_it_can(self, stub: CarrierStub, account: TwilioAccount) -> None:
        answering(stub, a_page(incoming_phone_numbers=[NUMBER | {"voice_url": None}]))
        assert account.owned_numbers() == [
            OwnedNumber(sid="PN" + "1" * 32, number="+12025550199", voice=True, voice_url="")
        ]

    def test_a_country_that_twilio_does_not_know(self, stub: CarrierStub, account: TwilioAccount) -> None:
        answering(stub, {"code": 20404, "message": "not found", "status": 404}, status=404)
        assert account.may_call("XX") is None

    def test_a_refusal_by_its_code(self, stub: CarrierStub, account: TwilioAccount) -> None:
        answering(stub, {"code": 20003, "message": "Authenticate", "status": 401}, status=401)
        with pytest.raises(TelephonyRefused) as refused:
            account.state()
        assert (refused.value.code, refused.value.http_status) == ("20003", 401)

    @pytest.mark.parametrize(
        "answer", [Answer(status=503), Answer(hang_up=True), Answer(status=200, body=b"<html>")]
    )
    def test_nothing_from_an_answer_that_is_none(
        self, stub: CarrierStub, account: TwilioAccount, answer: Answer
    ) -> None:
        stub.next_answer = answer
        with pytest.raises(TelephonyUnavailable):
            account.state()
