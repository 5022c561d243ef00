"""Alex's signature is the one that the product checks."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from agentworker.signing import signed_headers
from outreach.domain.contracts import SIGNATURE_HEADER, TIMESTAMP_HEADER

pytestmark = pytest.mark.unit


class TestSignedHeaders:
    def test_covers_time_path_and_body(self) -> None:
        headers = signed_headers(
            secret="s", path="/hooks/agent/1/fact", body=b'{"a":1}', timestamp=1_700_000_000
        )
        expected = hmac.new(b"s", b'1700000000\n/hooks/agent/1/fact\n{"a":1}', hashlib.sha256).hexdigest()
        assert headers[SIGNATURE_HEADER] == expected
        assert headers[TIMESTAMP_HEADER] == "1700000000"

    @pytest.mark.parametrize(
        "change", [{"secret": "t"}, {"path": "/other"}, {"body": b"{}"}, {"timestamp": 1_700_000_001}]
    )
    def test_changes_with_everything_it_covers(self, change: dict[str, object]) -> None:
        values: dict[str, object] = {
            "secret": "s", "path": "/hooks", "body": b"", "timestamp": 1_700_000_000,
        }  # fmt: skip
        signature = signed_headers(**values)[SIGNATURE_HEADER]  # type: ignore[arg-type]
        assert signed_headers(**(values | change))[SIGNATURE_HEADER] != signature  # type: ignore[arg-type]
