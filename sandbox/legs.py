"""A phone's leg into a room: what a person says there, and what they hear of Alex."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class SipInvite:
    """What a carrier's INVITE asks of the room server."""

    user: str
    """The user part of the SIP address; the dispatch rule takes it as the room's name."""
    caller: str
    called: str
    headers: dict[str, str] = field(default_factory=dict)
    username: str = ""
    password: str = ""


class SipRefused(Exception):
    """The INVITE was not answered; `status` is the SIP response."""

    def __init__(self, status: int) -> None:
        super().__init__(f"SIP {status}")
        self.status = status


class Switchboard(Protocol):
    """Where a carrier's INVITE goes: rooms of text, or rooms of a real server."""

    async def invite(self, invite: SipInvite) -> Leg:
        """Bring a phone into the room that its user part names, and wait until it is answered.

        :raises SipRefused: with the SIP status, when it is not answered.
        """


def check_credentials(invite: SipInvite, *, username: str, password: str) -> None:
    """Let an INVITE in that knows the trunk's user and password.

    :raises SipRefused: with 407 when it brings none, with 403 when they are wrong.
    """
    if not invite.username:
        raise SipRefused(407)
    known_user = hmac.compare_digest(invite.username.encode(), username.encode())
    known_password = hmac.compare_digest(invite.password.encode(), password.encode())
    if not (known_user and known_password):
        raise SipRefused(403)


@dataclass(frozen=True)
class AlexSpeaking:
    """A piece of an utterance of Alex's reached the ear."""

    utterance: int
    text: str


@dataclass(frozen=True)
class AlexSaid:
    """An utterance of Alex's is over."""

    utterance: int
    text: str
    interrupted: bool


@dataclass(frozen=True)
class LegEnded:
    """The line is dead; `reason` is LiveKit's disconnect reason."""

    reason: str


LegEvent = AlexSpeaking | AlexSaid | LegEnded


def words_of(frame: dict[str, Any]) -> AlexSpeaking | AlexSaid:
    """Return what a frame from Alex's text line lets an ear hear.

    :raises ValueError: when the frame is none that the text line knows.
    """
    match frame:
        case {"type": "speaking", "utterance": int(utterance), "text": str(text)}:
            return AlexSpeaking(utterance, text)
        case {
            "type": "said",
            "utterance": int(utterance),
            "text": str(text),
            "interrupted": bool(interrupted),
        }:
            return AlexSaid(utterance, text, interrupted)
    raise ValueError("unknown frame on the text line")


class Leg:
    """One phone in one room. It rings until Alex can be heard; then the person may speak."""

    def __init__(
        self,
        *,
        sid: str,
        identity: str,
        invite: SipInvite,
        to_alex: Callable[[dict[str, Any]], bool],
        leave: Callable[[Leg, str], None],
    ) -> None:
        self.sid = sid
        self.identity = identity
        self.invite = invite
        self.joined_at = time.time()
        self.ended_reason: str | None = None
        self.silence_seconds = 0.0
        """Seconds in which the person was connected and nobody was there."""
        self.unheard = 0
        """Utterances of the person's that nobody could hear."""
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._to_alex = to_alex
        self._leave = leave
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self._silent_since: float | None = None

    async def send_speaking(self) -> None:
        """Let Alex know that the person has begun to speak."""
        if self.ended_reason is None:
            self._to_alex({"type": "speaking"})

    async def say(self, text: str) -> bool:
        """Say one utterance; return whether anybody was there to hear it."""
        heard = self.ended_reason is None and self._to_alex({"type": "said", "text": text})
        self.unheard += not heard
        return heard

    async def hang_up(self) -> None:
        """Put the phone down; a leg that has ended already stays as it is."""
        if self.ended_reason is None:
            self._leave(self, "CLIENT_INITIATED")

    async def __aiter__(self) -> AsyncIterator[LegEvent]:
        """Yield what reaches the ear; the last event is always the end, however often it is asked for."""
        while True:
            event = await self._events.get()
            if isinstance(event, LegEnded):
                self._events.put_nowait(event)
                yield event
                return
            yield event

    @property
    def is_answered(self) -> bool:
        """Tell whether the room server has answered the phone."""
        return self.answer.done() and self.answer.exception() is None

    def pick_up(self) -> None:
        """Answer the phone: somebody in the room listens now."""
        if not self.answer.done():
            self.answer.set_result(None)
        if self._silent_since is not None:
            self.silence_seconds += time.monotonic() - self._silent_since
            self._silent_since = None

    def hear(self, event: AlexSpeaking | AlexSaid) -> None:
        """Deliver Alex's words to the ear."""
        if self.ended_reason is None and self.is_answered:
            self._events.put_nowait(event)

    def fall_silent(self) -> None:
        """Note that nobody is in the room any more; the phone stays connected all the same."""
        if self.is_answered and self.ended_reason is None and self._silent_since is None:
            self._silent_since = time.monotonic()

    def end(self, *, reason: str, sip_status: int) -> None:
        """End the leg; before it was answered, the INVITE fails with `sip_status`."""
        if self.ended_reason is not None:
            return
        self.ended_reason = reason
        if not self.answer.done():
            self.answer.set_exception(SipRefused(sip_status))
            # Whoever sent the INVITE may have given up already.
            self.answer.exception()
        if self._silent_since is not None:
            self.silence_seconds += time.monotonic() - self._silent_since
            self._silent_since = None
        self._events.put_nowait(LegEnded(reason))
