"""The signature under everything that Alex posts, so that nobody else can speak for him."""

from __future__ import annotations

import hashlib
import hmac

from outreach.domain.contracts import SIGNATURE_HEADER, TIMESTAMP_HEADER


def signed_headers(*, secret: str, path: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the headers of a POST of `body` to `path`; `timestamp` is unix seconds of the real clock."""
    message = f"{timestamp}\n{path}\n".encode() + body
    signature = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return {
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: signature,
        "Content-Type": "application/json",
    }
