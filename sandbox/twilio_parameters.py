"""What the carrier's API accepts and how it words its refusals."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from multidict import MultiMapping

from sandbox.phone_call import DEFAULT_RING_TIMEOUT, DEFAULT_TIME_LIMIT, CallRequest

E164 = re.compile(r"\+[1-9]\d{6,14}")
STATUS_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
MAX_RING_TIMEOUT = 600
MAX_TIME_LIMIT = 86_400


class TwilioError(Exception):
    """The request is refused; `code` is Twilio's, `status` the HTTP status."""

    def __init__(self, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def body(self) -> dict[str, Any]:
        """Return the error as Twilio's API words it."""
        return {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def call_request(form: MultiMapping[Any], *, caller_ids: Collection[str] | None) -> CallRequest:
    """Read the parameters of a new call.

    :param caller_ids: numbers that calls may come from; None means that every one is accepted.
    :raises TwilioError: when Twilio would refuse them.
    """
    to, from_ = str(form.get("To", "")), str(form.get("From", ""))
    if not to:
        raise TwilioError(21201, "No 'To' number is specified")
    if not E164.fullmatch(to):
        raise TwilioError(21211, f"The phone number you are attempting to call, {to}, is not valid.")
    if not from_:
        raise TwilioError(21213, "No 'From' number is specified")
    if not E164.fullmatch(from_):
        raise TwilioError(21212, f"The caller ID number {from_} is not a valid phone number.")
    if caller_ids is not None and from_ not in caller_ids:
        raise TwilioError(
            21210, f"The source phone number provided, {from_}, is not yet verified for your account."
        )
    url, twiml = str(form.get("Url", "")), str(form.get("Twiml", ""))
    if not url and not twiml:
        raise TwilioError(21205, "Url parameter is required.")
    return CallRequest(
        to=to,
        from_=from_,
        url=_checked_url(url, 21205, "Url is not a valid URL"),
        method=_method(form.get("Method", "POST")),
        twiml=twiml,
        status_callback=_checked_url(
            str(form.get("StatusCallback", "")), 21609, "Invalid 'StatusCallback' URL"
        ),
        status_callback_method=_method(form.get("StatusCallbackMethod", "POST")),
        status_events=_status_events(form),
        timeout=_whole(form.get("Timeout", ""), DEFAULT_RING_TIMEOUT, MAX_RING_TIMEOUT, "Timeout"),
        time_limit=_whole(form.get("TimeLimit", ""), DEFAULT_TIME_LIMIT, MAX_TIME_LIMIT, "TimeLimit"),
    )


def _status_events(form: MultiMapping[Any]) -> frozenset[str]:
    given = [event for value in form.getall("StatusCallbackEvent", ()) for event in str(value).split()]
    # Unknown events are a debugger warning (21626) to Twilio, no refusal.
    return frozenset(given) & STATUS_EVENTS or frozenset({"completed"})


def _checked_url(url: str, code: int, message: str) -> str:
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it is the check
    except ValueError as exc:
        raise TwilioError(code, f"{message}: {url}") from exc
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TwilioError(code, f"{message}: {url}")
    return url


def _method(value: object) -> str:
    method = str(value).upper()
    if method not in ("GET", "POST"):
        raise TwilioError(20001, f"Invalid HTTP method: {method}")
    return method


def _whole(value: object, default: int, most: int, name: str) -> int:
    if not str(value):
        return default
    if not str(value).isdigit() or not 0 < int(str(value)) <= most:
        raise TwilioError(20001, f"{name} must be an integer between 1 and {most}")
    return int(str(value))
