"""Twilio's webhooks: the call was answered, its dialled leg ended, its status changed."""

from __future__ import annotations

import logging

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from twilio.twiml.voice_response import VoiceResponse

from outreach.domain.call_status import CallStatus
from outreach.integrations.telephony import TelephonyError
from outreach.integrations.twilio import STATUSES, telephony
from outreach.services import progress
from outreach.tasks import close_room
from outreach.webhooks.from_twilio import payload_of, signed, twiml
from outreach.webhooks.hints import hint

logger = logging.getLogger(__name__)

#: Seconds in which Alex's room must take the call. Alex is there already, so more would be dead air.
DIAL_TIMEOUT = 5


@signed
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Say where an answered call goes: into Alex's room, or nowhere when nobody is there for it."""
    sid = request.POST["CallSid"]
    answered = progress.answer_call(
        token=token, sid=sid, event_id=f"{sid}:answer", payload=payload_of(request.POST)
    )
    response = VoiceResponse()
    if isinstance(answered, progress.Connect):
        structlog.contextvars.bind_contextvars(call_id=str(answered.call_id))
        dial = response.dial(
            timeout=DIAL_TIMEOUT,
            action=f"{settings.PUBLIC_BASE_URL}/hooks/twilio/dialed/{token}",
            method="POST",
        )
        dial.sip(
            f"sip:{answered.room}@{_sip_host()};transport=tcp?X-Call-Id={answered.call_id}",
            username=settings.SIP_USERNAME,
            password=settings.SIP_PASSWORD,
        )
    else:
        logger.warning("answered call is hung up", extra={"reason": answered.reason})
        response.hangup()
    return twiml(response)


@signed
def dialed(request: HttpRequest, token: str) -> HttpResponse:
    """Take note of how the leg into the room ended; whatever happened, the call is over."""
    sid = request.POST["CallSid"]
    leg = request.POST.get("DialCallStatus", "")
    result = progress.apply_provider_event(
        token=token,
        event_id=f"{sid}:dialed",
        kind="dialed",
        status=None,
        sid=sid,
        payload=payload_of(request.POST),
        duration=None,
        failure_code="" if leg == "completed" else request.POST.get("DialSipResponseCode", "") or leg,
    )
    _clear_up(result)
    response = VoiceResponse()
    response.hangup()
    return twiml(response)


@signed
def status(request: HttpRequest, token: str) -> HttpResponse:
    """Move the call on. Twilio may repeat this and sends it in no particular order."""
    sid, said = request.POST["CallSid"], request.POST.get("CallStatus", "")
    new = STATUSES.get(said)
    duration = request.POST.get("CallDuration", "")
    result = progress.apply_provider_event(
        token=token,
        event_id=f"{sid}:{request.POST.get('SequenceNumber', '-')}:{said}"[:160],
        kind=(said or "unnamed")[:40],
        status=new,
        sid=sid,
        payload=payload_of(request.POST),
        duration=int(duration) if duration.isascii() and duration.isdigit() else None,
        failure_code=_failure_code(new, request.POST),
    )
    _clear_up(result)
    return HttpResponse(status=204)


def _clear_up(result: progress.ProviderEventResult) -> None:
    """Do what the committed event asks for: close the room, hang up a call that we had closed already.

    A failure is only logged: the event is stored, the answer webhook hangs up too, the sweep looks
    again, and a repeat by Twilio would change nothing.
    """
    if result.ended_call is not None:
        hint(close_room, call_id=result.ended_call)
    if result.hang_up_sid is None:
        return
    try:
        telephony().end_call(result.hang_up_sid)
    except TelephonyError as exc:
        # No traceback: nothing in the code is wrong, the carrier is away.
        details = {"late_sid": result.hang_up_sid, "error": str(exc)}
        logger.error("late call could not be ended", extra=details)  # noqa: TRY400


def _failure_code(new: CallStatus | None, params: QueryDict) -> str:
    """Return Twilio's error code, or else the SIP status, of a call that failed."""
    if new not in (CallStatus.FAILED, CallStatus.BUSY, CallStatus.NO_ANSWER):
        return ""
    return (params.get("ErrorCode") or params.get("SipResponseCode") or "")[:40]


def _sip_host() -> str:
    """Return host and port of LiveKit's SIP address, without scheme, user and parameters."""
    return settings.LIVEKIT_SIP_URI.removeprefix("sip:").split("@")[-1].split(";")[0]
