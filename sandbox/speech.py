"""Groq's speech endpoints: the account's voice, and its ear, which a script goes before."""

from __future__ import annotations

import asyncio
import io
import uuid
import wave
from typing import Any

from aiohttp import web

from sandbox.groq_account import ACCOUNT, GroqRefused

MAX_INPUT = 200
"""Characters that Orpheus takes in one request; above it Groq answers 400."""
VOICES = ("autumn", "diana", "hannah", "austin", "daniel", "troy")
AUDIO_LIMIT = 25 * 1024 * 1024
"""Bytes of an upload that Groq's free tier takes."""


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
    sound = await asyncio.to_thread(account.voice.speak, text)
    return web.Response(body=sound, content_type="audio/wav", headers=account.limit_headers(model))


async def create_transcription(request: web.Request) -> web.Response:
    """POST /audio/transcriptions. Answer with the script's next line, else with what the ear hears."""
    account = request.app[ACCOUNT]
    account.admit(request)
    form = await request.post()
    model = account.check_model(form.get("model"))
    audio = form.get("file")
    if not isinstance(audio, web.FileField):
        raise GroqRefused(400, "`file` or `url` is required")
    sound = audio.file.read()
    seconds = _seconds_of(sound)
    await account.meet_faults("speech", model=model)
    if account.transcripts:
        text = account.transcripts.popleft()
    else:
        text = await asyncio.to_thread(account.voice.transcribe, sound)
    if form.get("response_format") == "text":
        return web.Response(text=text)
    answer: dict[str, Any] = {"text": text, "x_groq": {"id": f"req_{uuid.uuid4().hex[:26]}"}}
    if form.get("response_format") == "verbose_json":
        language = str(form.get("language", "en"))
        answer |= {"task": "transcribe", "language": language, "duration": seconds, "segments": []}
    return web.json_response(answer, headers=account.limit_headers(model))


def _seconds_of(audio: bytes) -> float:
    try:
        with wave.open(io.BytesIO(audio)) as wav:
            return wav.getnframes() / wav.getframerate()
    except (wave.Error, EOFError):
        raise GroqRefused(400, "could not process file - is it a valid media file?") from None
