"""One call as the carrier keeps it, and as it shows it to its customer."""

from __future__ import annotations

import hashlib
import math
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from sandbox.tariff import PRICED_AFTER, price_of

API_VERSION = "2010-04-01"
DEFAULT_RING_TIMEOUT = 60
DEFAULT_TIME_LIMIT = 14_400

OVER: frozenset[str] = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
"""Statuses that a call never leaves."""

#: The word that a customer subscribes to, per status that the callback then carries.
EVENT_OF_STATUS = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}


@dataclass(frozen=True, kw_only=True)
class CallRequest:
    """What the customer asked for; times in seconds."""

    to: str
    from_: str
    url: str = ""
    method: str = "POST"
    twiml: str = ""
    status_callback: str = ""
    status_callback_method: str = "POST"
    status_events: frozenset[str] = frozenset({"completed"})
    timeout: float = DEFAULT_RING_TIMEOUT
    time_limit: float = DEFAULT_TIME_LIMIT


@dataclass(eq=False, kw_only=True)
class PhoneCall:
    """One call, from being accepted until it is over."""

    account_sid: str
    request: CallRequest
    created_at: datetime
    attempt: int
    """1 for the first call that was accepted to this number."""
    direction: str = "outbound-api"
    """`inbound` where somebody rings the customer."""
    sid: str = field(default_factory=lambda: f"CA{uuid.uuid4().hex}")
    status: str = "queued"
    updated_at: datetime | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    queue_time_ms: int = 0
    duration: int | None = None
    sip_code: int | None = None
    error_codes: list[int] = field(default_factory=list)
    """Twilio's debugger entries about this call."""
    parent_sid: str | None = None
    leg_to: str = ""
    """The SIP address that the person was connected to; "" while there is none."""
    leg_seconds: int | None = None
    """How long that leg lasted, once it is over."""
    sequence: int = 0
    """The next status callback's SequenceNumber."""

    @property
    def is_over(self) -> bool:
        """Tell whether the call has ended."""
        return self.status in OVER

    def legs(self) -> list[PhoneCall]:
        """Return the further leg that the call has, if any: a call of its own, whose parent this one is."""
        if not self.leg_to:
            return []
        digest = hashlib.sha256(self.sid.encode()).hexdigest()
        return [
            PhoneCall(
                account_sid=self.account_sid,
                request=CallRequest(to=self.leg_to, from_=self.request.from_),
                created_at=self.answered_at or self.created_at,
                attempt=1,
                sid=f"CA{digest[:32]}",
                parent_sid=self.sid,
                status=self.status,
                started_at=self.answered_at,
                ended_at=self.ended_at,
                duration=self.duration if self.leg_seconds is None else self.leg_seconds,
            )
        ]

    def resource(self, *, fresh: bool = False, now: datetime | None = None) -> dict[str, Any]:
        """Return the call as the REST API shows it; `fresh` as the answer to its creation.

        A queued call has no start; the answer to a creation has no dates at all yet. A price is there some
        time after the end of a call that was answered, if `now` is told.
        """
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "parent_call_sid": self.parent_sid,
            "date_created": None if fresh else format_datetime(self.created_at),
            "date_updated": None if fresh else format_datetime(self.updated_at or self.created_at),
            "to": self.request.to,
            "to_formatted": self.request.to,
            "from": self.request.from_,
            "from_formatted": self.request.from_,
            "phone_number_sid": "",
            "status": "queued" if self.status == "initiated" else self.status,
            "start_time": _formatted(self.started_at),
            "end_time": _formatted(self.ended_at),
            "duration": None if self.duration is None else str(self.duration),
            "price": self._price(now),
            "price_unit": "USD",
            "direction": "outbound-dial" if self.parent_sid else self.direction,
            "answered_by": None,
            "annotation": None,
            "api_version": API_VERSION,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": str(self.queue_time_ms),
            "trunk_sid": None,
            "uri": f"{uri}.json",
            "subresource_uris": {"notifications": f"{uri}/Notifications.json"},
        }

    def _price(self, now: datetime | None) -> str | None:
        if now is None or self.ended_at is None or not self.duration or now < self.ended_at + PRICED_AFTER:
            return None
        return price_of(to=self.request.to, seconds=self.duration)

    def webhook_params(self) -> dict[str, str]:
        """Return what every request to the customer says about the call."""
        return {
            "AccountSid": self.account_sid,
            "ApiVersion": API_VERSION,
            "CallSid": self.sid,
            "CallStatus": self.status,
            "Called": self.request.to,
            "Caller": self.request.from_,
            "Direction": self.direction,
            "From": self.request.from_,
            "To": self.request.to,
        }

    def status_params(self, at: datetime) -> dict[str, str]:
        """Return a status callback's parameters and count it."""
        params = self.webhook_params() | {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self.sequence),
            "Timestamp": format_datetime(at),
        }
        self.sequence += 1
        if self.is_over:
            params["CallDuration"] = str(self.duration or 0)
            params["Duration"] = str(math.ceil((self.duration or 0) / 60))
        if self.is_over and self.sip_code is not None:
            params["SipResponseCode"] = str(self.sip_code)
        return params


def _formatted(at: datetime | None) -> str | None:
    return None if at is None else format_datetime(at)
