"""Addresses of ours and of vendors as somebody outside sees them: what they answer, and their clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from outreach.domain.dialing_mode import is_loopback

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 8.0
#: Bytes of an answer that are looked at.
LOOKED_AT = 4096


class Unreachable(Exception):
    """The address does not answer; the message says in a few words why."""


class Untrusted(Unreachable):
    """The address answers under a certificate that is not valid for it."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What an address answered."""

    status: int
    body: str
    """Its beginning."""
    content_type: str
    location: str
    """Where it sends whoever asks; empty when it does not."""


def fetch(url: str, *, user_agent: str = "outreach-doctor") -> Seen:
    """Return what `url` answers to a GET; follows no redirect.

    :raises Untrusted: when its certificate is not valid.
    :raises Unreachable: when there is no answer.
    """
    response = _get(url, user_agent=user_agent)
    return Seen(
        status=response.status_code,
        body=response.content[:LOOKED_AT].decode(errors="replace"),
        content_type=response.headers.get("Content-Type", "").split(";")[0].strip(),
        location=response.headers.get("Location", ""),
    )


def clock_ahead(url: str) -> float | None:
    """Return by how many seconds the clock behind `url` is ahead of this machine's; None if it tells none.

    Known to a second: the Date header has no fractions.

    :raises Unreachable: when there is no answer.
    """
    before = time.time()
    response = _get(url, user_agent="outreach-doctor")
    middle = (before + time.time()) / 2
    try:
        told = parsedate_to_datetime(response.headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return told.timestamp() + 0.5 - datetime.fromtimestamp(middle, tz=UTC).timestamp()


def _get(url: str, *, user_agent: str) -> requests.Response:
    try:
        with requests.Session() as session:
            # A proxy from the environment cannot reach this machine's own loopback.
            session.trust_env = not is_loopback(url)
            return session.get(
                url,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False,
                headers={"User-Agent": user_agent, "Accept": "*/*"},
            )
    except requests.exceptions.SSLError:
        raise Untrusted("its certificate is not valid") from None
    except requests.Timeout:
        raise Unreachable("no answer in time") from None
    except requests.RequestException as exc:
        raise Unreachable(type(exc).__name__) from None
