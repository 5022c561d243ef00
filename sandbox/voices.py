"""People with a real voice in a real LiveKit room, who join as livekit/sip lets a telephone join.

livekit/sip itself comes as a container image only. What an agent can see of a telephone is a participant of
kind SIP with its attributes and an audio track, and that is what joins here: ringing until somebody in
the room listens to it, active from then on.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Coroutine
from typing import Any

from livekit import api, rtc

from sandbox.earpiece import Earpiece
from sandbox.groq_voice import RealVoice
from sandbox.journal import Journal
from sandbox.legs import Leg, SipInvite, SipRefused, check_credentials
from sandbox.microphone import Microphone
from sandbox.rooms import ANSWER_DELAY, SIP_RINGING_TIMEOUT, SIP_STATUS_OF_END
from sandbox.voice_box import PERSON, speak

CONNECT_WITHIN = 10.0
TOKEN_LIFETIME = datetime.timedelta(hours=1)


class VoiceLeg(Leg):
    """A telephone with somebody's voice in a room."""

    def __init__(self, *, invite: SipInvite, voice: RealVoice) -> None:
        super().__init__(
            sid="",
            identity=f"sip_{invite.caller}",
            invite=invite,
            to_alex=lambda _: True,
            leave=_nobody_leaves,
        )
        self.room = rtc.Room()
        self.microphone = Microphone()
        self.earpiece = Earpiece(ears=voice.alex, tell=self.hear)
        self.connected_at = 0.0
        """When the leg had joined the room, on the monotonic clock."""
        self._voice = voice
        self._tasks: set[asyncio.Task[None]] = set()
        self.room.on("track_subscribed", self._hear_track)
        self.room.on("participant_disconnected", self._somebody_left)
        self.room.on("disconnected", self._thrown_out)

    async def ring(self, *, url: str, token: str) -> None:
        """Join the room and return when somebody there listens.

        :raises SipRefused: when the room cannot be joined.
        """
        try:
            await asyncio.wait_for(self.room.connect(url, token), CONNECT_WITHIN)
        except (rtc.ConnectError, TimeoutError):
            raise SipRefused(503) from None
        self.connected_at = time.monotonic()
        self.sid = self.room.local_participant.sid
        self._start(self.microphone.run())
        track = rtc.LocalAudioTrack.create_audio_track("phone", self.microphone.source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        published = await self.room.local_participant.publish_track(track, options)
        await published.wait_for_subscription()

    async def pick_up_now(self) -> None:
        """Answer: the call is active from now on."""
        await self.room.local_participant.set_attributes({"sip.callStatus": "active"})
        self.pick_up()

    async def send_speaking(self) -> None:
        """Do nothing: whoever speaks is heard."""

    async def say(self, text: str) -> bool:
        """Speak; return whether the line was there until the last word."""
        speech = await asyncio.to_thread(speak, text, voice=PERSON)
        self._voice.people.learn(speech)
        if self.ended_reason is None:
            await self.microphone.say(speech)
        heard = self.ended_reason is None
        self.unheard += not heard
        return heard

    async def hang_up(self) -> None:
        """Put the phone down, in the middle of a word if need be."""
        if self.ended_reason is None:
            await self.close("CLIENT_INITIATED")

    async def close(self, reason: str) -> None:
        """Leave the room for `reason`."""
        self._over(reason)
        await self.room.disconnect()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _over(self, reason: str) -> None:
        self.microphone.cut()
        self.earpiece.finish()
        self.end(reason=reason, sip_status=SIP_STATUS_OF_END.get(reason, 480))
        for task in self._tasks:
            task.cancel()

    def _hear_track(self, track: rtc.Track, *_: object) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._start(self.earpiece.listen(track))

    def _somebody_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            self.fall_silent()

    def _thrown_out(self, reason: rtc.DisconnectReason.ValueType) -> None:
        self._over(rtc.DisconnectReason.Name(reason))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class VoiceRooms:
    """Brings telephones into the rooms of a real LiveKit server."""

    def __init__(
        self,
        *,
        url: str,
        api_key: str,
        api_secret: str,
        sip_username: str,
        sip_password: str,
        voice: RealVoice,
        journal: Journal,
    ) -> None:
        self._url = url
        self._key, self._secret = api_key, api_secret
        self._sip_username, self._sip_password = sip_username, sip_password
        self._voice = voice
        self._journal = journal
        self._legs: set[VoiceLeg] = set()

    @property
    def open_legs(self) -> int:
        """Return how many telephones are in a room."""
        self._legs = {leg for leg in self._legs if leg.ended_reason is None}
        return len(self._legs)

    async def invite(self, invite: SipInvite) -> VoiceLeg:
        """Bring a phone into the room that its user part names, and wait until it is answered.

        :raises SipRefused: with the SIP status, when it is not answered.
        """
        check_credentials(invite, username=self._sip_username, password=self._sip_password)
        leg = VoiceLeg(invite=invite, voice=self._voice)
        self._legs.add(leg)
        try:
            async with asyncio.timeout(SIP_RINGING_TIMEOUT):
                await leg.ring(url=self._url, token=self._token(leg))
                await asyncio.sleep(ANSWER_DELAY)
            await leg.pick_up_now()
        except TimeoutError:
            await leg.close("USER_UNAVAILABLE")
            raise SipRefused(480) from None
        except (asyncio.CancelledError, SipRefused):
            await leg.close("CLIENT_INITIATED")
            raise
        if leg.ended_reason is not None:
            raise SipRefused(SIP_STATUS_OF_END.get(leg.ended_reason, 480))
        self._journal.note("voices", "answered", room=invite.user)
        return leg

    def _token(self, leg: VoiceLeg) -> str:
        """Return what lets a leg join, with the attributes that livekit/sip gives a call."""
        invite = leg.invite
        attributes = {
            "sip.callID": f"SCL_{id(leg):x}",
            "sip.callStatus": "ringing",
            "sip.phoneNumber": invite.caller,
            "sip.trunkPhoneNumber": invite.user,
            "sip.ruleID": "SDR_sandbox",
            "sip.trunkID": "ST_sandbox",
        }
        if "X-Twilio-CallSid" in invite.headers:
            attributes["sip.twilio.callSid"] = invite.headers["X-Twilio-CallSid"]
        grants = api.VideoGrants(room_join=True, room=invite.user, can_update_own_metadata=True)
        token = api.AccessToken(self._key, self._secret).with_identity(leg.identity).with_kind("sip")
        token = token.with_name(f"Phone {invite.caller}").with_attributes(attributes).with_grants(grants)
        return token.with_ttl(TOKEN_LIFETIME).to_jwt()


def _nobody_leaves(_leg: Leg, _reason: str) -> None:
    """Do nothing: a voice leg leaves by itself."""
