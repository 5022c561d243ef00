"""The room service of a rehearsal with real audio: a real livekit-server, and telephones that join it."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.groq_voice import RealVoice
from sandbox.journal import Journal
from sandbox.settings import SandboxSettings
from sandbox.voices import VoiceRooms


@dataclass(frozen=True, kw_only=True)
class VoiceService:
    """What the carrier needs of a server that runs by itself."""

    rooms: VoiceRooms

    def count_rooms(self) -> int:
        """Return how many rooms a telephone is in; the server's others are not ours to count."""
        return self.rooms.open_legs

    def count_workers(self) -> int:
        """Return 0: a real server tells nobody who is registered."""
        return 0


def make_voice_service(*, settings: SandboxSettings, voice: RealVoice, journal: Journal) -> VoiceService:
    """Build the service; `voice` is the one behind the model provider, who hears the same people."""
    return VoiceService(
        rooms=VoiceRooms(
            url=f"ws://{settings.host}:{settings.livekit_port}",
            api_key=settings.livekit_api_key,
            api_secret=settings.livekit_api_secret,
            sip_username=settings.sip_username,
            sip_password=settings.sip_password,
            voice=voice,
            journal=journal,
        )
    )
