"""Telephony over Twilio's REST API: placing calls, asking about them, ending them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.conf import settings
from twilio.base.exceptions import TwilioRestException

from outreach.domain.call_status import TERMINAL, CallStatus
from outreach.integrations.telephony import CallOrder, DialOutcomeUnknown, ProviderCall, Telephony
from outreach.integrations.twilio_client import twilio_client
from outreach.integrations.twilio_errors import INVALID_CALL_STATE, asked, dial_errors

STATUS_EVENTS = ["initiated", "ringing", "answered", "completed"]

#: What Twilio does when a webhook of ours fails: by default it repeats nothing but a failed connection,
#: and a single 500 would lose the event for ever. A fragment is neither sent nor signed.
#: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
CONNECTION_OVERRIDES = "#ct=2000&rt=4000&rc=3&rp=ct,rt,5xx"

#: Twilio's word for a status to ours. Its queue counts as ringing: the phone may ring any moment.
STATUSES: dict[str, CallStatus] = {
    "queued": CallStatus.RINGING,
    "initiated": CallStatus.RINGING,
    "ringing": CallStatus.RINGING,
    "in-progress": CallStatus.IN_PROGRESS,
    "completed": CallStatus.COMPLETED,
    "busy": CallStatus.BUSY,
    "no-answer": CallStatus.NO_ANSWER,
    "failed": CallStatus.FAILED,
    "canceled": CallStatus.CANCELED,
}


class TwilioTelephony:
    """The carrier, over Twilio's Programmable Voice."""

    def __init__(self, *, account_sid: str, auth_token: str, api_url: str, hooks_url: str) -> None:
        """Prepare a client; nothing is sent yet.

        :param hooks_url: the public address under which Twilio reaches `/hooks/`.
        """
        self._client = twilio_client(account_sid=account_sid, auth_token=auth_token, api_url=api_url)
        self._hooks_url = hooks_url

    def place_call(self, order: CallOrder) -> ProviderCall:
        """Place exactly one call; never repeats a request.

        :raises TelephonyRefused: when Twilio definitely placed nothing.
        :raises TelephonyUnavailable: when no connection came about, so nothing was sent.
        :raises DialOutcomeUnknown: on a time-out, a reset, a 5xx or an answer that cannot be read.
        """
        with dial_errors():
            placed = self._client.calls.create(
                to=order.to,
                from_=order.from_,
                url=self._hook("answer", order.token),
                method="POST",
                status_callback=self._hook("status", order.token),
                status_callback_event=STATUS_EVENTS,
                status_callback_method="POST",
                timeout=order.ring_timeout,
                time_limit=order.max_duration,
            )
        if not placed.sid:
            raise DialOutcomeUnknown("Twilio's answer names no call")
        return _provider_call(placed)

    def fetch_call(self, sid: str) -> ProviderCall | None:
        """Return what Twilio knows of `sid`, or None when it knows no such call.

        :raises TelephonyUnavailable: when Twilio could not be asked.
        """
        return asked(lambda: _provider_call(self._client.calls(sid).fetch()))

    def find_calls(self, *, to: str, from_: str, created_after: datetime) -> list[ProviderCall]:
        """Return our outbound calls between the two numbers created at or after a time.

        Twilio's own time filter looks at the start time, which a queued call does not have, so all
        of the pair's calls are listed and filtered here. One without a date is kept.

        :raises TelephonyUnavailable: when Twilio could not be asked.
        """
        listed = asked(lambda: self._client.calls.list(to=to, from_=from_, page_size=100)) or []
        ours = [_provider_call(call) for call in listed if call.direction in (None, "", "outbound-api")]
        return [call for call in ours if call.created_at is None or call.created_at >= created_after]

    def end_call(self, sid: str) -> None:
        """Cancel a call that has not been answered, or hang up one that has; done twice is fine.

        :raises TelephonyUnavailable: when Twilio could not be asked.
        """
        for wanted in ("canceled", "completed"):
            ended = asked(partial(self._end, sid, wanted))
            if ended is not False:  # over, or None: there is no such call
                return

    def _end(self, sid: str, wanted: str) -> bool:
        """Ask for `wanted`; return whether the call is over."""
        try:
            call = self._client.calls(sid).update(status=wanted)
        except TwilioRestException as exc:
            if exc.code == INVALID_CALL_STATE:
                return False
            raise
        return STATUSES.get(str(call.status)) in TERMINAL

    def _hook(self, name: str, token: str) -> str:
        return f"{self._hooks_url}/hooks/twilio/{name}/{token}{CONNECTION_OVERRIDES}"


def telephony() -> Telephony:
    """Return the carrier that the settings name."""
    return TwilioTelephony(
        account_sid=settings.TWILIO_ACCOUNT_SID,
        auth_token=settings.TWILIO_AUTH_TOKEN,
        api_url=settings.TWILIO_API_URL,
        hooks_url=settings.PUBLIC_BASE_URL,
    )


def _provider_call(call: Any) -> ProviderCall:
    """Translate Twilio's call; a status that we do not know counts as open, so nobody is redialled."""
    return ProviderCall(
        sid=str(call.sid),
        status=STATUSES.get(str(call.status), CallStatus.RINGING),
        created_at=call.date_created.astimezone(UTC) if call.date_created else None,
        duration=int(call.duration) if str(call.duration or "").isdigit() else None,
    )
