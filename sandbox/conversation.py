"""What happens on an answered call: the customer's TwiML is obeyed, verb by verb, for a person to hear."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from urllib.parse import urljoin

from sandbox.callees import Ear, Persona
from sandbox.carrier_webhooks import CarrierWebhooks, WebhookFailed
from sandbox.journal import Journal
from sandbox.ledger import CalleeLedger
from sandbox.legs import Leg, SipInvite, SipRefused, Switchboard
from sandbox.phone_call import PhoneCall
from sandbox.twiml import (
    SCHEMA_WARNING,
    Dial,
    Gather,
    Hangup,
    InvalidTwiml,
    Pause,
    Redirect,
    Say,
    Unknown,
    Verb,
    parse,
)

_DIAL_STATUS_OF_SIP = {408: "no-answer", 480: "no-answer", 486: "busy", 487: "no-answer", 600: "busy"}
_REQUEST_TIMEOUT = 487


class HungUp(Exception):
    """The person has put the phone down."""


@dataclass(kw_only=True)
class _Line:
    """One person's end of an answered call."""

    call: PhoneCall
    persona: Persona
    attempt: int
    ear: Ear
    answered_at: float = field(default_factory=time.monotonic)
    spoken_to: float = 0.0
    """Seconds in which the person was not in silence: with Alex, or hearing `<Say>`."""
    connected: bool = False
    unheard: int = 0


class Conversation:
    """Holds answered calls. A person speaks only once they are connected to somebody."""

    def __init__(
        self, *, rooms: Switchboard, webhooks: CarrierWebhooks, ledger: CalleeLedger, journal: Journal
    ) -> None:
        self._rooms = rooms
        self._webhooks = webhooks
        self._ledger = ledger
        self._journal = journal

    async def hold(self, call: PhoneCall, *, persona: Persona, attempt: int) -> None:
        """Obey the call's TwiML to its end, and record what the person heard, in silence or not.

        :raises HungUp: when the person ends the call.
        """
        ear = Ear(call_sid=call.sid, number=call.request.to, persona=persona.name)
        line = _Line(call=call, persona=persona, attempt=attempt, ear=ear)
        try:
            document = call.request.twiml or await self._fetch(
                call, call.request.url, call.request.method, call.webhook_params()
            )
            while document:
                document = await self._obey(line, document)
        finally:
            self._record(line)

    def _record(self, line: _Line) -> None:
        silence = max(time.monotonic() - line.answered_at - line.spoken_to, 0.0)
        extra = {
            "attempt": line.attempt,
            "connected": line.connected,
            "silence_seconds": round(silence, 3),
            "unheard": line.unheard,
        }
        self._ledger.record(line.ear.record() | extra)

    async def _fetch(self, call: PhoneCall, url: str, method: str, params: dict[str, str]) -> str:
        """Ask the customer what to do; on failure the call ends, and the debugger says why."""
        try:
            return await self._webhooks.send(url, params, method=method)
        except WebhookFailed as exc:
            call.error_codes.append(exc.code)
            self._journal.note("carrier", "no TwiML", call=call.sid, why=str(exc))
            return ""

    async def _obey(self, line: _Line, document: str) -> str:
        """Obey one document; return the next one, or "" when the call is to end."""
        try:
            verbs = parse(document)
        except InvalidTwiml as exc:
            line.call.error_codes.append(exc.code)
            self._journal.note("carrier", "bad TwiML", call=line.call.sid, why=str(exc))
            return ""
        for verb in verbs:
            if isinstance(verb, Hangup):
                return ""
            if isinstance(verb, Dial):
                outcome = await self._dial(line, verb)
                if verb.action:
                    return await self._after(line, verb, outcome)
                continue
            await self._do(line, verb)
        return ""

    async def _do(self, line: _Line, verb: Verb) -> None:
        match verb:
            case Say(seconds=seconds):
                await asyncio.sleep(seconds)
                line.spoken_to += seconds
            case Pause(seconds=seconds):
                await asyncio.sleep(seconds)
            case Unknown() | Gather() | Redirect():  # the last two are obeyed only for callers
                line.call.error_codes.append(SCHEMA_WARNING)

    async def _after(self, line: _Line, dial: Dial, outcome: dict[str, str]) -> str:
        params = line.call.webhook_params() | outcome
        action = urljoin(line.call.request.url, dial.action)
        return await self._fetch(line.call, action, dial.method, params)

    async def _dial(self, line: _Line, dial: Dial) -> dict[str, str]:
        """Connect the person; return the `Dial…` parameters of its outcome.

        :raises HungUp: when the person ends the call; the customer is told all the same.
        """
        call, address = line.call, dial.address
        twilio = {"X-Twilio-CallSid": call.sid, "X-Twilio-AccountSid": call.account_sid}
        invite = SipInvite(
            user=address.user,
            caller=call.request.from_,
            called=f"{address.user}@{address.host}",
            headers=address.headers | twilio,
            username=address.username,
            password=address.password,
        )
        try:
            async with asyncio.timeout(dial.timeout):
                leg = await self._rooms.invite(invite)
        except TimeoutError:
            return _outcome("no-answer", _REQUEST_TIMEOUT)
        except SipRefused as exc:
            return _outcome(_DIAL_STATUS_OF_SIP.get(exc.status, "failed"), exc.status)
        connected_at = time.monotonic()
        call.leg_to = f"sip:{address.user}@{address.host}"
        await self._bridge(line, leg, time_limit=dial.time_limit)
        call.leg_seconds = math.ceil(time.monotonic() - connected_at)
        outcome = _outcome("completed", 200, seconds=time.monotonic() - connected_at)
        if leg.ended_reason == "CLIENT_INITIATED":
            if dial.action:
                await self._after(line, dial, outcome)
            raise HungUp
        return outcome

    async def _bridge(self, line: _Line, leg: Leg, *, time_limit: float) -> None:
        """Let the person talk until one side has hung up."""
        line.connected, line.ear.room = True, leg.invite.user
        connected_at = time.monotonic()
        talk = asyncio.create_task(line.persona.talk(leg, attempt=line.attempt, ear=line.ear))
        try:
            done, _ = await asyncio.wait({talk}, timeout=time_limit)
            for task in done:
                task.result()
        finally:
            await leg.hang_up()
            talk.cancel()
            await asyncio.gather(talk, return_exceptions=True)
            line.spoken_to += time.monotonic() - connected_at - leg.silence_seconds
            line.unheard += leg.unheard


def _outcome(status: str, sip_code: int, *, seconds: float = 0.0) -> dict[str, str]:
    outcome = {"DialCallStatus": status, "DialSipResponseCode": str(sip_code)}
    if seconds:
        outcome["DialCallDuration"] = str(int(seconds))
    return outcome
