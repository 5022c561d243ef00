"""The models of a conversation: the only module that names who hears, thinks and speaks."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import httpx2
from livekit.agents import (
    NOT_GIVEN,
    AgentSession,
    APIConnectOptions,
    TurnHandlingOptions,
    inference,
    llm,
    stt,
    tts,
)
from livekit.agents.utils import http_context
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.plugins import groq

from agentworker.settings import ModelSettings

# What the libraries import on first use: a process's first call would wait up to half a second for each.
import_module("anyio._backends._asyncio")
import_module("numpy.fft")
import_module("openai.resources.audio.transcriptions")
import_module("openai.resources.chat.completions.completions")

_REPLY_TOKENS = 300
_TEMPERATURE = 0.3
SPOKEN_LANGUAGE = "en"
"""Orpheus speaks English, and a detector guesses wrong on a mere "hello"."""
_CONNECTIONS = SessionConnectOptions(
    stt_conn_options=APIConnectOptions(max_retry=1, timeout=6.0),
    llm_conn_options=APIConnectOptions(max_retry=1, timeout=8.0),
    tts_conn_options=APIConnectOptions(max_retry=1, timeout=8.0),
    max_unrecoverable_errors=5,
)
"""A few errors in a row are tolerated by the session, since the conversation acts on the first."""


@dataclass(frozen=True, kw_only=True)
class Models:
    """Clients that are built once per job process, before there is a job to keep waiting."""

    llm: llm.LLM[Any]
    stt: stt.STT[Any] | None = None
    tts: tts.TTS[Any] | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        for model in (self.llm, self.stt, self.tts):
            if model is not None:
                await model.aclose()


def build_models(settings: ModelSettings, *, audio: bool) -> Models:
    """Return the models; those of the voice only for a line with `audio`."""
    thinks = groq.LLM(
        model=settings.llm,
        base_url=settings.base_url,
        api_key=settings.api_key,
        timeout=httpx2.Timeout(10.0, connect=4.0),
        temperature=_TEMPERATURE,
        max_completion_tokens=_REPLY_TOKENS,
    )
    if not audio:
        return Models(llm=thinks)
    # The voice's connections share one context per process; its first sentence would wait 0.2 s for it.
    http_context._create_ssl_context()
    return Models(
        llm=thinks,
        stt=groq.STT(
            model=settings.stt, base_url=settings.base_url, api_key=settings.api_key, language=SPOKEN_LANGUAGE
        ),
        tts=groq.TTS(
            model=settings.tts, base_url=settings.base_url, api_key=settings.api_key, voice=settings.voice
        ),
    )


def build_session(models: Models, *, audio: bool) -> AgentSession[None]:
    """Return a session that asks nobody but the given models: no gateway and no cloud detector.

    Silence and length are timed by the conversation itself: LiveKit's user-away is edge-triggered and
    re-armed by noise.
    """
    if not audio:
        return AgentSession(
            llm=models.llm,
            vad=None,
            turn_handling=TurnHandlingOptions(turn_detection="manual"),
            max_tool_steps=4,
            user_away_timeout=None,
            aec_warmup_duration=None,
            conn_options=_CONNECTIONS,
        )
    return AgentSession(
        llm=models.llm,
        stt=models.stt or NOT_GIVEN,
        tts=models.tts or NOT_GIVEN,
        vad=inference.VAD(model="silero", min_silence_duration=0.25, activation_threshold=0.5),
        turn_handling=TurnHandlingOptions(
            turn_detection=inference.TurnDetector(version="v1-mini"),
            endpointing={"min_delay": 0.3, "max_delay": 1.5},
            interruption={
                "mode": "vad",
                "min_duration": 0.6,
                "resume_false_interruption": True,
                "false_interruption_timeout": 1.5,
                # A "stop calling me" over a sentence that Alex finishes is heard all the same.
                "discard_audio_if_uninterruptible": False,
            },
            preemptive_generation={"enabled": True, "preemptive_tts": False, "max_retries": 2},
        ),
        max_tool_steps=4,
        user_away_timeout=None,
        aec_warmup_duration=None,
        conn_options=_CONNECTIONS,
    )
