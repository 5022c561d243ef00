"""A call to one of the customer's numbers: their TwiML is obeyed for somebody who has a wish."""

from __future__ import annotations

import asyncio
import math
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from sandbox.carrier_webhooks import CarrierWebhooks, WebhookFailed
from sandbox.clock import RehearsalClock
from sandbox.persona import RingsBack
from sandbox.phone_call import PhoneCall
from sandbox.twiml import SCHEMA_WARNING, Gather, Hangup, InvalidTwiml, Pause, Redirect, Say, Verb, parse

NO_APPLICATION = 11100
"""A number without a voice URL: Twilio has nothing to ask, and the caller hears that."""
_GRANTED = {
    True: re.compile(r"\bnot be called again\b", re.I),
    False: re.compile(r"\bcall you back\b|\bwant to be called\b", re.I),
}
"""What a wish never to be called, or to be called, is granted with."""


@dataclass
class Caller:
    """The person at the other end: listens, then chooses, if what they want is on offer."""

    wish: RingsBack
    pace: float
    heard: list[str] = field(default_factory=list)
    chose: str = ""
    confirmed: bool = False

    async def hears(self, text: str) -> None:
        """Listen to a text to its end."""
        await asyncio.sleep(Say(text).seconds * self.pace)
        self.heard.append(text)
        if self.chose and _GRANTED[self.wish.stops].search(text):
            self.confirmed = True

    async def answers(self, gather: Gather) -> dict[str, str]:
        """Return the parameters of what they enter, none when they stay silent; a key cuts the text off."""
        text = " ".join(prompt.text for prompt in gather.prompts if isinstance(prompt, Say))
        spoken = Say(text).seconds * self.pace
        entered = self._entered(text, gather)
        await asyncio.sleep(spoken / 2 if "Digits" in entered else spoken)
        self.heard.append(text)
        if not entered:
            await asyncio.sleep(gather.timeout * self.pace)
        return entered

    def record(self) -> dict[str, Any]:
        """Return what they wanted, did and heard."""
        return {
            "wish": "stop" if self.wish.stops else "callback",
            "chose": self.chose,
            "confirmed": self.confirmed,
            "heard": self.heard,
        }

    def _entered(self, text: str, gather: Gather) -> dict[str, str]:
        offer = text.lower()
        key, words = self.wish.presses, self.wish.says
        if key and "dtmf" in gather.inputs and f"press {key}" in offer:
            self.chose = key
            return {"Digits": key, "FinishedOnKey": ""}
        if words and "speech" in gather.inputs and words.lower().strip(".! ") in offer:
            self.chose = words
            return {"SpeechResult": words, "Confidence": "0.92"}
        return {}


class IncomingLine:
    """Holds one call from the first ring to its end."""

    def __init__(
        self, *, call: PhoneCall, caller: Caller, webhooks: CarrierWebhooks, clock: RehearsalClock
    ) -> None:
        self._call = call
        self._caller = caller
        self._webhooks = webhooks
        self._clock = clock

    async def hold(self) -> None:
        """Ask the customer what to do, and do it to the end."""
        call = self._call
        call.started_at = self._clock.now()
        began = time.monotonic()
        try:
            document = await self._fetch(call.request.url, call.request.method, {})
            if document:
                call.status, call.answered_at = "in-progress", self._clock.now()
            while document:
                document = await self._obey(document)
        finally:
            call.status = "completed" if call.answered_at else "failed"
            call.ended_at = call.updated_at = self._clock.now()
            call.duration = math.ceil(time.monotonic() - began)

    def record(self) -> dict[str, Any]:
        """Return the ledger's line about this call."""
        call = self._call
        return {
            "call_sid": call.sid,
            "called": call.request.to,
            "placed_at": call.created_at.isoformat(),
            "ended_at": call.ended_at.isoformat() if call.ended_at else None,
            "error_codes": call.error_codes,
        }

    async def _fetch(self, url: str, method: str, more: dict[str, str]) -> str:
        """Ask the customer; on failure Twilio tells the caller of an error and hangs up."""
        if not url:
            self._call.error_codes.append(NO_APPLICATION)
            return ""
        try:
            return await self._webhooks.send(url, self._call.webhook_params() | more, method=method)
        except WebhookFailed as exc:
            self._call.error_codes.append(exc.code)
            return ""

    async def _obey(self, document: str) -> str:
        """Obey one document; return the next one, or "" when the call is to end."""
        try:
            verbs = parse(document)
        except InvalidTwiml as exc:
            self._call.error_codes.append(exc.code)
            return ""
        for verb in verbs:
            if isinstance(verb, Hangup):
                return ""
            if isinstance(verb, Redirect):
                return await self._fetch(self._address(verb.url), verb.method, {})
            if isinstance(verb, Gather):
                entered = await self._caller.answers(verb)
                if entered or verb.asks_in_any_case:
                    return await self._fetch(self._address(verb.action), verb.method, entered)
                continue
            await self._do(verb)
        return ""

    async def _do(self, verb: Verb) -> None:
        match verb:
            case Say(text=text):
                await self._caller.hears(text)
            case Pause(seconds=seconds):
                await asyncio.sleep(seconds * self._caller.pace)
            case _:  # what no caller of ours meets
                self._call.error_codes.append(SCHEMA_WARNING)

    def _address(self, url: str) -> str:
        return urljoin(self._call.request.url, url)
