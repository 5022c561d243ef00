"""The line between Alex and a person: wait for them, hear them, speak, find out who answered, hang up.

`Line` is the port. `RoomLine` is the telephone: a LiveKit room that the person's SIP leg joins. Other
lines (`agentworker.written_line`) carry text; everything above the line is the same for all of them.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from importlib import import_module
from typing import ClassVar

from livekit import rtc
from livekit.agents import (
    Agent,
    AgentSession,
    ConversationItemAddedEvent,
    JobContext,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
    room_io,
)
from livekit.agents.voice.io import TextOutput

from agentworker.answering import judge_words
from agentworker.detecting import detect
from agentworker.listener import Listener
from outreach.domain.disposition import AnsweredBy

FIRST_WORDS_WITHIN = 2.5
"""Seconds in which whoever picked up usually says something; then Alex speaks first."""
PERSONS = [rtc.ParticipantKind.PARTICIPANT_KIND_SIP, rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR]
IN_BROWSER = [rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD]
_ROOM_IS_OVER = {
    rtc.DisconnectReason.ROOM_DELETED,
    rtc.DisconnectReason.ROOM_CLOSED,
    rtc.DisconnectReason.SERVER_SHUTDOWN,
}


class LineUnavailable(Exception):
    """The line could not be opened: the room is gone or its server does not answer."""


@dataclass(frozen=True, kw_only=True)
class LineJob:
    """What a line needs to know to be opened."""

    room: str
    url: str = ""
    token: str = field(default="", repr=False)
    api_key: str = ""
    api_secret: str = field(default="", repr=False)
    context: JobContext | None = None
    first_words_within: float = FIRST_WORDS_WITHIN
    """Seconds that whoever picked up gets to say something; never more than a silence of the call."""
    in_browser: bool = False
    """Whether the person comes by a browser and not by telephone."""


class Line(ABC):
    """One end of a line. `has_audio` decides whether voice models are loaded at all."""

    has_audio: ClassVar[bool] = False
    greets_at_once: ClassVar[bool] = False
    """Whether the opening line is said while it is found out who picked up, or only then."""

    def __init__(self, job: LineJob) -> None:
        self._job = job

    @abstractmethod
    async def open(self, *, session: AgentSession[None], agent: Agent, listener: Listener) -> None:
        """Start `session` on the line and be in the room.

        :raises LineUnavailable: when there is no room to be in.
        """

    @abstractmethod
    async def wait_for_person(self) -> None:
        """Return when the person is on the line."""

    @abstractmethod
    async def hang_up(self) -> None:
        """End the call for everybody and hear out what was said until then."""

    @abstractmethod
    async def leave(self) -> None:
        """Go without a word and without touching what belongs to others."""

    async def who_answered(
        self, *, session: AgentSession[None], first_words: asyncio.Future[str]
    ) -> AnsweredBy:
        """Return who picked up, judged from the first words; whoever says nothing is `uncertain`."""
        del session
        done, _ = await asyncio.wait({first_words}, timeout=self._job.first_words_within)
        return judge_words(first_words.result() if done else "")


def line_class(path: str) -> type[Line]:
    """Return the class at a dotted path.

    :raises ImportError: when there is no such line.
    """
    module, _, name = path.rpartition(".")
    found = getattr(import_module(module), name, None) if module else None
    if not (isinstance(found, type) and issubclass(found, Line)):
        raise ImportError(f"{path} is not the path of a line")  # noqa: TRY004
    return found


class RoomLine(Line):
    """A person on the telephone, in a LiveKit room."""

    has_audio = True
    greets_at_once = True
    """By the time that a leg joins, whoever picked up has said hello to nobody, and waits."""

    def __init__(self, job: LineJob) -> None:
        super().__init__(job)
        if job.context is None:
            raise LineUnavailable("a room is joined from a job only")
        self._context = job.context
        self._persons = IN_BROWSER if job.in_browser else PERSONS
        self._person = ""
        self._hanging_up = False
        self._alex_is_heard = False

    async def open(self, *, session: AgentSession[None], agent: Agent, listener: Listener) -> None:
        """Join the room with Alex's track published; a SIP leg is answered only from then on.

        The room is not deleted when the session closes: a second job for the same call must be able to
        leave (410) without ending the call of the first. Every other way out hangs up explicitly.
        """
        self._listen(session, listener)
        try:
            await session.start(
                agent,
                room=self._context.room,
                record=False,
                room_options=room_io.RoomOptions(
                    participant_kinds=self._persons,
                    text_input=False,
                    text_output=room_io.TextOutputOptions(next_in_chain=_Heard(self, listener)),
                    close_on_disconnect=False,
                    delete_room_on_close=False,
                ),
            )
        except rtc.ConnectError as exc:
            raise LineUnavailable("the room cannot be joined") from exc
        if session.output.audio is not None:
            session.output.audio.on("playback_started", lambda _: self.alex_heard(listener, ""))

    async def wait_for_person(self) -> None:
        """Return when the SIP leg, or the browser, is in the room."""
        person = await self._context.wait_for_participant(kind=self._persons)
        self._person = person.identity

    async def who_answered(
        self, *, session: AgentSession[None], first_words: asyncio.Future[str]
    ) -> AnsweredBy:
        """Let LiveKit's detector judge, beside the greeting."""
        del first_words
        return await detect(session=session, person=self._person, speech_within=self._job.first_words_within)

    async def hang_up(self) -> None:
        """Delete the room, which is what ends the SIP leg."""
        self._hanging_up = True
        await self._context.delete_room()

    async def leave(self) -> None:
        """Disconnect; the room and who else is in it stay."""
        self._hanging_up = True
        await self._context.room.disconnect()

    def alex_heard(self, listener: Listener, text: str) -> None:
        """Take a piece of speech that is being played."""
        if not text:
            self._alex_is_heard = True
        if self._alex_is_heard:
            listener.alex_speaking(text)

    def _listen(self, session: AgentSession[None], listener: Listener) -> None:
        def left(participant: rtc.RemoteParticipant) -> None:
            # close_on_disconnect covers only some reasons; a broken trunk ends the call all the same.
            if participant.kind not in self._persons or self._hanging_up:
                return
            # Who deletes a room sends everybody out of it; whose end comes first is chance.
            if participant.disconnect_reason in _ROOM_IS_OVER:
                listener.room_closed()
            else:
                listener.person_left()

        def disconnected(_: object) -> None:
            if not self._hanging_up:
                listener.room_closed()

        def transcribed(event: UserInputTranscribedEvent) -> None:
            if event.is_final and event.transcript.strip():
                listener.person_said(event.transcript.strip())

        def state(event: UserStateChangedEvent) -> None:
            if event.new_state == "speaking":
                listener.person_speaking()
            elif event.old_state == "speaking":
                listener.person_quiet()

        def item(event: ConversationItemAddedEvent) -> None:
            message = event.item
            if message.type == "message" and message.role == "assistant" and self._alex_is_heard:
                self._alex_is_heard = False
                listener.alex_said(message.text_content or "", interrupted=message.interrupted)

        self._context.room.on("participant_disconnected", left)
        self._context.room.on("disconnected", disconnected)
        session.on("user_input_transcribed", transcribed)
        session.on("user_state_changed", state)
        session.on("conversation_item_added", item)


class _Heard(TextOutput):
    """Alex's words, in step with the audio that is played."""

    def __init__(self, line: RoomLine, listener: Listener) -> None:
        super().__init__(label="heard", next_in_chain=None)
        self._line = line
        self._listener = listener

    async def capture_text(self, text: str) -> None:
        """Take words that are being heard now."""
        if text:
            self._line.alex_heard(self._listener, text)

    def flush(self) -> None:
        """Do nothing: an utterance is over when the conversation has its text."""
