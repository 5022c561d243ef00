"""Groq's speech endpoints: a voice that hums for as long as speaking would take, and an ear with a script."""

from __future__ import annotations

import io
import math
import struct
import uuid
import wave
from typing import Any

from aiohttp import web

from sandbox.groq_account import ACCOUNT, GroqRefused

MAX_INPUT = 200
"""Characters that Orpheus takes in one request; above it Groq answers 400."""
VOICES = ("autumn", "diana", "hannah", "austin", "daniel", "troy")
SAMPLE_RATE = 24_000
CHARACTERS_PER_SECOND = 15.0
LEAST_SECONDS = 0.3
AUDIO_LIMIT = 25 * 1024 * 1024
"""Bytes of an upload that Groq's free tier takes."""


def _tone(*, seconds: float, hertz: float = 200.0, loudness: int = 3000) -> bytes:
    samples = [
        int(loudness * math.sin(2 * math.pi * hertz * n / SAMPLE_RATE)) for n in range(SAMPLE_RATE // 10)
    ]
    tenth = struct.pack(f"<{len(samples)}h", *samples)
    return tenth * max(1, round(seconds * 10))


def speak(text: str) -> bytes:
    """Return a WAV (24 kHz, mono, 16 bit) as long as saying `text` would take."""
    out = io.BytesIO()
    with wave.open(out, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        wav.writeframes(_tone(seconds=max(LEAST_SECONDS, len(text) / CHARACTERS_PER_SECOND)))
    return out.getvalue()


async def create_speech(request: web.Request) -> web.Response:
    """POST /audio/speech. Refuse what Orpheus refuses: long input, unknown voices, other formats."""
    account = request.app[ACCOUNT]
    account.admit(request)
    body: dict[str, Any] = await request.json()
    model = account.check_model(body.get("model"))
    text, voice = str(body.get("input", "")), body.get("voice")
    if not text:
        raise GroqRefused(400, "'input' : minimum length is 1")
    if len(text) > MAX_INPUT:
        raise GroqRefused(
            400, f"Input text is too long. Max length is {MAX_INPUT} characters, got {len(text)}."
        )
    if voice not in VOICES:
        raise GroqRefused(400, f"`voice` must be one of {list(VOICES)}")
    if body.get("response_format", "wav") != "wav":
        raise GroqRefused(400, "`response_format` must be one of [wav]")
    await account.meet_faults("speech", model=model)
    return web.Response(body=speak(text), content_type="audio/wav", headers=account.limit_headers())


async def create_transcription(request: web.Request) -> web.Response:
    """POST /audio/transcriptions. The text is the next one of the account's script."""
    account = request.app[ACCOUNT]
    account.admit(request)
    form = await request.post()
    model = account.check_model(form.get("model"))
    audio = form.get("file")
    if not isinstance(audio, web.FileField):
        raise GroqRefused(400, "`file` or `url` is required")
    seconds = _seconds_of(audio.file.read())
    await account.meet_faults("speech", model=model)
    text = account.transcripts.popleft() if account.transcripts else ""
    if form.get("response_format") == "text":
        return web.Response(text=text)
    answer: dict[str, Any] = {"text": text, "x_groq": {"id": f"req_{uuid.uuid4().hex[:26]}"}}
    if form.get("response_format") == "verbose_json":
        language = str(form.get("language", "en"))
        answer |= {"task": "transcribe", "language": language, "duration": seconds, "segments": []}
    return web.json_response(answer, headers=account.limit_headers())


def _seconds_of(audio: bytes) -> float:
    try:
        with wave.open(io.BytesIO(audio)) as wav:
            return wav.getnframes() / wav.getframerate()
    except (wave.Error, EOFError):
        raise GroqRefused(400, "could not process file - is it a valid media file?") from None
