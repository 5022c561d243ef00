"""One call of the product's, up to a person with a voice who has picked up."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from outreach.domain.call_status import CallStatus
from outreach.models import Call, PacingBucket
from outreach.services import dialing
from sandbox.clock import RehearsalClock
from sandbox.journal import Journal
from sandbox.legs import AlexSaid, AlexSpeaking, LegEnded, LegEvent, SipInvite
from sandbox.voices import VoiceLeg, VoiceRooms
from tests.factories import a_campaign, a_person, claim, provider_says
from tests.fakes import FakeTelephony
from tests.voice.conftest import Production, eventually, in_database

CALLER = "+12025550199"


async def prepared_call(production: Production) -> UUID:
    """Return a call in whose room Alex waits, with its intent to dial committed."""

    def claimed() -> UUID:
        call = claim(a_person(a_campaign()))
        dialing.prepare_call(call_id=call.pk, rooms=production.rooms)
        return call.pk

    call_id = await in_database(claimed)
    await eventually(lambda: Call.objects.get(pk=call_id).ready_at)
    return call_id


async def answered_call(production: Production) -> tuple[UUID, Person]:
    """Return a call and the person who has picked it up."""
    call_id = await prepared_call(production)

    def picked_up() -> None:
        PacingBucket.objects.update(tokens=1.0)
        dialing.dial_call(call_id=call_id, telephony=FakeTelephony())
        call = Call.objects.get(pk=call_id)
        provider_says(call, CallStatus.RINGING)
        provider_says(call, CallStatus.IN_PROGRESS)

    await in_database(picked_up)
    return call_id, await Person.connected(production, call_id)


@dataclass
class Person:
    """Somebody on the telephone, and what they heard."""

    leg: VoiceLeg
    events: asyncio.Queue[LegEvent] = field(default_factory=asyncio.Queue)

    @classmethod
    async def connected(cls, production: Production, call_id: UUID) -> Person:
        """Bring a telephone into a call's room; return when it is answered."""
        invite = SipInvite(
            user=f"call-{call_id}",
            caller=CALLER,
            called="",
            username=settings.SIP_USERNAME,
            password=settings.SIP_PASSWORD,
        )
        rooms = VoiceRooms(
            url=production.livekit_url,
            api_key=settings.LIVEKIT_API_KEY,
            api_secret=settings.LIVEKIT_API_SECRET,
            sip_username=settings.SIP_USERNAME,
            sip_password=settings.SIP_PASSWORD,
            voice=production.voice,
            journal=Journal(clock=RehearsalClock(), stream=io.StringIO()),
        )
        person = cls(await rooms.invite(invite))
        person._reading = asyncio.create_task(person._read())
        return person

    async def hear(self, *, seconds: float = 20.0) -> str:
        """Return what Alex says until he pauses."""
        async with asyncio.timeout(seconds):
            while True:
                event = await self.events.get()
                assert not isinstance(event, LegEnded), "the line is dead"
                if isinstance(event, AlexSaid):
                    return event.text

    async def hear_word(self, *, seconds: float = 20.0) -> str:
        """Return the first words of what Alex says."""
        async with asyncio.timeout(seconds):
            while not isinstance(event := await self.events.get(), AlexSpeaking):
                assert not isinstance(event, LegEnded), "the line is dead"
            return event.text

    async def say(self, text: str) -> None:
        """Say something."""
        await self.leg.say(text)

    async def is_answered(self) -> float:
        """Return how many seconds after the person's last word Alex was to be heard."""
        quiet = self.leg.microphone.quiet_since
        async with asyncio.timeout(10.0):
            while not (sounds := [at for at in self.leg.earpiece.sounds_at if at > quiet]):
                await asyncio.sleep(0.02)
        return sounds[0] - quiet

    @property
    def greeted_after(self) -> float:
        """Return how many seconds after joining the person heard the first sound."""
        return self.leg.earpiece.sounds_at[0] - self.leg.connected_at

    async def hang_up(self) -> None:
        """Put the phone down."""
        await self.leg.hang_up()
        self._reading.cancel()

    async def until_ended(self, *, seconds: float = 20.0) -> str:
        """Return why the line is dead, once it is."""
        async with asyncio.timeout(seconds):
            await self._reading
        await self.leg.close("")
        return self.leg.ended_reason or ""

    async def _read(self) -> None:
        async for event in self.leg:
            self.events.put_nowait(event)

    _reading: asyncio.Task[None] = field(init=False)
