"""Speech really leaves in pieces that the voice accepts: Orpheus answers 400 above 200 characters."""

from __future__ import annotations

import asyncio
import io
import wave

import aiohttp
import pytest
from aiohttp import web
from livekit import rtc
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities
from livekit.plugins import groq

from agentworker.actions import CallActions
from agentworker.alex import Alex
from agentworker.call_clock import CallClock
from agentworker.session import Models, build_models, build_session
from agentworker.transcript import Transcript
from tests.agent_kit import MemoryReporter, a_brief, model_settings, serving

pytestmark = pytest.mark.integration

LONG = (
    "We bring together people who lead groups, workshops and courses, and we take over what costs them "
    "their evenings, which is to say the bookings, the invoices, the reminders and the search for rooms, "
    "while they keep full control over prices and dates. Nothing is charged before the first paid session "
    "has taken place, and you can leave whenever you like. Would it help if I sent you the details by "
    "email today, or not at all?"
)


class Loudspeaker(AudioOutput):
    """Takes audio and says at once that it was played."""

    def __init__(self) -> None:
        super().__init__(label="loudspeaker", capabilities=AudioOutputCapabilities(pause=False))
        self.seconds = 0.0

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take a frame."""
        await super().capture_frame(frame)
        if not self.seconds:
            self.on_playback_started(created_at=0.0)
        self.seconds += frame.duration

    def flush(self) -> None:
        """Say that it was played."""
        super().flush()
        self.on_playback_finished(playback_position=self.seconds, interrupted=False)

    def clear_buffer(self) -> None:
        """Do nothing: everything is played already."""


class Orpheus:
    """Answers as Groq's voice does."""

    def __init__(self) -> None:
        self.inputs: list[str] = []
        self.refused = 0

    async def speech(self, request: web.Request) -> web.Response:
        """Return silence of a tenth of a second, or refuse."""
        text = (await request.json())["input"]
        self.inputs.append(text)
        if len(text) > 200:
            self.refused += 1
            return web.json_response({"error": {"message": "input too long"}}, status=400)
        sound = io.BytesIO()
        with wave.open(sound, "wb") as file:
            file.setparams((1, 2, 24000, 0, "NONE", ""))
            file.writeframes(b"\0\0" * 2400)
        return web.Response(body=sound.getvalue(), content_type="audio/wav")


class Talk:
    """A conversation that lets Alex speak."""

    may_reply = True

    def turn_taken(self, text: str) -> None:
        """Do nothing."""

    def opt_out_understood(self) -> None:
        """Do nothing."""

    def wants_to_hang_up(self) -> None:
        """Do nothing."""


async def speak(text: str) -> tuple[Orpheus, Loudspeaker]:
    """Let the real agent say `text` through the real plugin."""
    orpheus, loudspeaker, brief, reporter = Orpheus(), Loudspeaker(), a_brief(), MemoryReporter()
    clock = CallClock(now_at=brief.now_at)
    transcript = Transcript(call_id=brief.call_id, clock=clock, reporter=reporter)
    actions = CallActions(brief=brief, clock=clock, reporter=reporter, transcript=transcript)
    app = web.Application()
    app.router.add_post("/openai/v1/audio/speech", orpheus.speech)
    async with serving(app) as url, aiohttp.ClientSession() as http:
        settings = model_settings(url + "/openai/v1")
        thinks = build_models(settings, audio=False).llm
        voice = groq.TTS(base_url=settings.base_url, api_key="gsk_x", voice="hannah", http_session=http)
        session = build_session(Models(llm=thinks, tts=voice), audio=False)
        session._tts = voice  # the session of a written line has no voice of its own
        session.output.audio = loudspeaker
        await session.start(Alex(instructions="", actions=actions, talk=Talk()), record=False)
        await asyncio.wait_for(session.say(text).wait_for_playout(), 10)
        await session.aclose()
        await thinks.aclose()
    return orpheus, loudspeaker


class TestVoice:
    async def test_says_four_hundred_characters_in_requests_that_are_accepted(self) -> None:
        assert len(LONG) > 400
        orpheus, loudspeaker = await speak(LONG)
        assert orpheus.refused == 0
        assert max(map(len, orpheus.inputs)) <= 190
        assert " ".join(orpheus.inputs).split() == LONG.split()
        assert loudspeaker.seconds == pytest.approx(0.1 * len(orpheus.inputs), rel=0.1)

    async def test_says_one_sentence_of_four_hundred_characters(self) -> None:
        sentence = "word " * 79 + "last."
        orpheus, _ = await speak(sentence)
        assert orpheus.refused == 0
        assert " ".join(orpheus.inputs).split() == sentence.split()
