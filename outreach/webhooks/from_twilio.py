"""What every webhook of Twilio's shares: only what Twilio signed gets in, and TwiML goes out."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

from outreach.integrations.storable import storable
from outreach.webhooks.admission import admits

FORM = frozenset({"application/x-www-form-urlencoded"})

P = ParamSpec("P")


def signed(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse what Twilio did not sign for exactly this address and these parameters.

    The address is built from the settings, never from headers that a forger chooses, and all values of
    a repeated parameter are part of what is checked. Without an auth token nothing is genuine: a signature
    with an empty key is one that anybody can make.
    """

    @admits(FORM)
    @wraps(view)
    def verified(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        address = settings.PUBLIC_BASE_URL + request.get_full_path()
        given = request.headers.get("X-Twilio-Signature", "")
        token = settings.TWILIO_AUTH_TOKEN
        if not given or not token or not RequestValidator(token).validate(address, request.POST, given):
            return HttpResponse(status=403)
        if not request.POST.get("CallSid"):
            return HttpResponse(status=400)
        structlog.contextvars.bind_contextvars(call_sid=request.POST["CallSid"])
        return view(request, *args, **kwargs)

    return verified


def payload_of(params: QueryDict) -> dict[str, str]:
    """Return the parameters as they came, for the inbox."""
    payload: dict[str, str] = storable(params.dict())
    return payload


def twiml(response: VoiceResponse) -> HttpResponse:
    """Return an answer that Twilio obeys."""
    return HttpResponse(str(response), content_type="text/xml")
