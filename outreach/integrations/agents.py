"""The signature under everything that our own agents report: HMAC over time, path and body."""

from __future__ import annotations

import hashlib
import hmac

#: Seconds that a signature is good for, either way: clocks differ, and a spool repeats with a new one.
TOLERANCE = 300


def signature(*, secret: str, timestamp: str, path: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of a report."""
    message = f"{timestamp}\n{path}\n".encode() + body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def is_genuine(*, secret: str, timestamp: str, given: str, path: str, body: bytes, now: float) -> bool:
    """Tell whether a report was signed with our secret, for this path and body, about now.

    :param timestamp: the header's value, Unix seconds.
    :param given: the signature header's value.
    :param now: Unix seconds of the wall clock; a rehearsal's clock has no say here.
    """
    if not secret or not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        return False
    expected = signature(secret=secret, timestamp=timestamp, path=path, body=body)
    genuine = hmac.compare_digest(expected.encode(), given.encode())
    return genuine and abs(now - int(timestamp)) <= TOLERANCE
