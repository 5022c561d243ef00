"""Somebody rings one of our numbers: who we are, and two keys, one to be called back and one never again.

Only this process and PostgreSQL are needed for it. What is asked for is stored before it is confirmed; while
nothing can be stored, the caller hears that, with status 200: Twilio's own "application error" would tell
them less, and it does not ask again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.db import Error as DatabaseFailed
from django.http import HttpRequest, HttpResponse

from outreach.domain.caller_id import visible_number
from outreach.domain.caller_wish import wish_of
from outreach.services import incoming
from outreach.services.incoming import Caller, NeverAgain, NothingChosen
from outreach.tasks import hang_up
from outreach.webhooks import incoming_twiml
from outreach.webhooks.from_twilio import payload_of, signed, twiml
from outreach.webhooks.hints import hint

logger = logging.getLogger(__name__)

P = ParamSpec("P")


def _sorry_without_database(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Ask the caller to ring again where their wish could not be stored; it is never confirmed then."""

    @wraps(view)
    def careful(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except DatabaseFailed:
            logger.exception("caller could not be served")
            return twiml(incoming_twiml.unavailable())

    return careful


@signed
@_sorry_without_database
def ring(request: HttpRequest) -> HttpResponse:
    """Greet a caller and offer the choice, or say that we cannot see who they are."""
    caller = _caller(request)
    greeting = incoming.receive(
        caller=caller, event_id=f"{caller.sid}:incoming", payload=payload_of(request.POST)
    )
    if not caller.number:
        return twiml(incoming_twiml.hidden(greeting))
    return twiml(incoming_twiml.menu(greeting, action=_action(1)))


@signed
@_sorry_without_database
def choice(request: HttpRequest, prompt: int) -> HttpResponse:
    """Do what was asked for and confirm it; what was not understood is offered once more."""
    caller = _caller(request)
    answer = incoming.choose(
        caller=caller,
        wish=wish_of(digits=request.POST.get("Digits", ""), speech=request.POST.get("SpeechResult", "")),
        event_id=f"{caller.sid}:incoming:choice:{prompt}",
        payload=payload_of(request.POST),
    )
    if isinstance(answer, NothingChosen) and caller.number and prompt < incoming_twiml.PROMPTS:
        return twiml(incoming_twiml.menu(None, action=_action(prompt + 1)))
    if isinstance(answer, NeverAgain) and answer.ringing is not None:
        hint(hang_up, call_id=answer.ringing)
    return twiml(incoming_twiml.confirmation(answer))


@signed
def status(request: HttpRequest) -> HttpResponse:
    """Take note of how a caller's call ended."""
    said = request.POST.get("CallStatus", "") or "unnamed"
    incoming.note_status(sid=request.POST["CallSid"], status=said[:20], payload=payload_of(request.POST))
    return HttpResponse(status=204)


def _caller(request: HttpRequest) -> Caller:
    return Caller(
        sid=request.POST["CallSid"],
        number=visible_number(request.POST.get("From", "")),
        called=request.POST.get("To", "")[:16],
    )


def _action(prompt: int) -> str:
    return f"{settings.PUBLIC_BASE_URL}/hooks/twilio/incoming/choice/{prompt}"
