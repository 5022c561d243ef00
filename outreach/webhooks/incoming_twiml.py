"""What somebody hears who rings one of our numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from twilio.twiml.voice_response import Gather, VoiceResponse

from outreach.services.calling_back import AskedForAPerson, WillCall
from outreach.services.incoming import Answer, Greeting, NeverAgain

PROMPTS = 2
"""How often the choice is offered; then goodbye."""
LISTENS_FOR = 6
"""Seconds without a key or a word until the choice counts as not made."""
LANGUAGE = "en-US"
HINTS = "stop, call me back, one, nine"
SOON = timedelta(minutes=10)
"""A call that comes within this comes "in a few minutes"."""

_AGAIN = "Sorry, I did not understand. Press 1 to be called back. Press 9 never to be called again."
_OFFER = (
    "To be called back by Alex, our A.I. assistant, press 1, or say: call me back. "
    "If you never want to be called again, press 9, or say: stop."
)


def menu(greeting: Greeting | None, *, action: str) -> VoiceResponse:
    """Return the offer: who we are, why we may have called, and the choice.

    :param greeting: None when the offer is only repeated.
    :param action: where the choice goes, whether or not one is made.
    """
    response = VoiceResponse()
    gather = Gather(
        input="dtmf speech",
        num_digits=1,
        timeout=LISTENS_FOR,
        speech_timeout="auto",
        hints=HINTS,
        language=LANGUAGE,
        action=action,
        method="POST",
        action_on_empty_result=True,
    )
    gather.say(_AGAIN if greeting is None else f"{_introduction(greeting)} {_OFFER}", language=LANGUAGE)
    response.append(gather)
    return response


def hidden(greeting: Greeting) -> VoiceResponse:
    """Return what somebody hears whose number is withheld: for whom could we do anything?"""
    return _last_words(
        f"{_introduction(greeting)} Your number is withheld, so we cannot tell which number you mean. "
        "Please call again with your number shown. Or say: stop, when we call you. Goodbye."
    )


def confirmation(answer: Answer) -> VoiceResponse:
    """Return the words that confirm what was done already, and hang up."""
    if isinstance(answer, NeverAgain):
        return _last_words("You will not be called again. Goodbye.")
    if isinstance(answer, WillCall):
        return _last_words(f"Thank you. Alex will call you back {_when(answer)}. Goodbye.")
    if isinstance(answer, AskedForAPerson):
        never = (
            "This number is on our list of numbers that are never called, so our assistant will not call it. "
        )
        return _last_words(
            f"{never if answer.suppressed else ''}We have noted that you want to be called, "
            "and a person will look at it. Goodbye."
        )
    return _last_words("Nothing was changed. You can call this number again at any time. Goodbye.")


def unavailable() -> VoiceResponse:
    """Return what is said while nothing can be stored: nothing that we could not keep."""
    return _last_words(
        "Sorry, we cannot take your request at this moment. Please call again in a few minutes. Goodbye."
    )


def _introduction(greeting: Greeting) -> str:
    if not greeting.company:
        return "Hello. This is an automated line. Somebody may have called you from this number."
    return (
        f"Hello. This is the automated line of {greeting.company}. We call people to invite them to join "
        f"{greeting.platform}, and we may have tried to reach you."
    )


def _when(answer: WillCall) -> str:
    if answer.at - answer.now <= SOON:
        return "in a few minutes"
    if not answer.time_zone:
        return "as soon as our calling hours allow"
    zone = ZoneInfo(answer.time_zone)
    return f"{_day(answer.at.astimezone(zone), answer.now.astimezone(zone))} your time"


def _day(local: datetime, today: datetime) -> str:
    """Return a local moment in spoken words: "today at 2:05 PM", "on Tuesday, March 3, at 9:00 AM"."""
    clock = f"{local:%I:%M %p}".lstrip("0")
    if local.date() == today.date():
        return f"today at {clock}"
    return f"on {local:%A}, {local:%B} {local.day}, at {clock}"


def _last_words(text: str) -> VoiceResponse:
    response = VoiceResponse()
    response.say(text, language=LANGUAGE)
    response.hangup()
    return response
