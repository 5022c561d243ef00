"""The signature under what our agents report."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from outreach.integrations.agents import TOLERANCE, is_genuine, signature

pytestmark = pytest.mark.unit

SECRET = "shared"
NOW = 1_800_000_000
PATH = "/hooks/agent/worker"
BODY = b'{"free": 3}'


def signed(**changed: object) -> dict[str, object]:
    good = {
        "secret": SECRET,
        "timestamp": str(NOW),
        "given": signature(secret=SECRET, timestamp=str(NOW), path=PATH, body=BODY),
        "path": PATH,
        "body": BODY,
        "now": float(NOW),
    }
    return good | changed


class TestSignature:
    def test_is_the_hmac_of_time_path_and_body(self) -> None:
        expected = hmac.new(
            b"shared", b'1800000000\n/hooks/agent/worker\n{"free": 3}', hashlib.sha256
        ).hexdigest()
        assert signed()["given"] == expected


class TestIsGenuine:
    def test_takes_what_was_signed(self) -> None:
        assert is_genuine(**signed())  # type: ignore[arg-type]

    @pytest.mark.parametrize("seconds", [-TOLERANCE, TOLERANCE])
    def test_bears_with_clocks_that_differ(self, seconds: int) -> None:
        assert is_genuine(**signed(now=float(NOW + seconds)))  # type: ignore[arg-type]

    @pytest.mark.parametrize("seconds", [-TOLERANCE - 1, TOLERANCE + 1])
    def test_refuses_what_was_signed_long_ago_or_ahead(self, seconds: int) -> None:
        assert not is_genuine(**signed(now=float(NOW + seconds)))  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "changed",
        [
            {"secret": "other"},
            {"path": "/hooks/agent/11111111-1111-4111-8111-111111111111/fact"},
            {"body": b'{"free": 4}'},
            {"timestamp": str(NOW + 1)},
            {"timestamp": ""},
            {"timestamp": "soon"},
            {"timestamp": "-1800000000"},
            {"timestamp": "１８０００００００"},
            {"timestamp": "9" * 5000},
            {"given": ""},
            {"given": "0" * 64},
            {"given": "é" * 64},
        ],
    )
    def test_refuses_whatever_differs(self, changed: dict[str, object]) -> None:
        assert not is_genuine(**signed(**changed))  # type: ignore[arg-type]

    def test_trusts_nobody_without_a_secret(self) -> None:
        given = signature(secret="", timestamp=str(NOW), path=PATH, body=BODY)
        assert not is_genuine(**signed(secret="", given=given))  # type: ignore[arg-type]
