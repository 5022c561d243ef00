"""Groq's API on this machine: chat completions by a scripted mind, speech, transcriptions, refusals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.accounts import GroqStanding
from sandbox.groq_account import (
    ACCOUNT,
    FaultKnobs,
    GroqAccount,
    GroqFaults,
    GroqRefused,
)
from sandbox.groq_chat import create_completion
from sandbox.humming import Humming, Voice
from sandbox.speech import AUDIO_LIMIT, create_speech, create_transcription

__all__ = ["ACCOUNT", "FaultKnobs", "GroqAccount", "GroqFaults", "make_app"]

PREFIX = "/openai/v1"
CREATED = 1_754_408_000

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(
    *,
    api_key: str,
    faults: FaultKnobs,
    mind_seed: int = 0,
    voice: Voice | None = None,
    standing: GroqStanding | None = None,
) -> web.Application:
    """Return Groq's API below `/openai/v1`; `app[ACCOUNT].transcripts` is what its ear will have heard.

    :param voice: who speaks and hears; by default nobody, who hums.
    :param standing: what the organisation may use; by default all that the Developer plan allows.
    """
    app = web.Application(middlewares=[refusals_as_groq_words_them], client_max_size=AUDIO_LIMIT)
    app[ACCOUNT] = GroqAccount(
        api_key=api_key,
        faults=faults,
        mind_seed=mind_seed,
        voice=voice or Humming(),
        standing=standing or GroqStanding(),
    )
    app.add_routes(
        [
            web.get(f"{PREFIX}/models", list_models),
            web.post(f"{PREFIX}/chat/completions", create_completion),
            web.post(f"{PREFIX}/audio/speech", create_speech),
            web.post(f"{PREFIX}/audio/transcriptions", create_transcription),
        ]
    )
    return app


async def list_models(request: web.Request) -> web.Response:
    """GET /models."""
    account = request.app[ACCOUNT]
    account.admit(request)
    models = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": owner, "active": True}
        for name, owner in account.models().items()
    ]
    return web.json_response({"object": "list", "data": models})


@web.middleware
async def refusals_as_groq_words_them(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Turn refusals, malformed JSON and unknown addresses into Groq's error body."""
    try:
        return await handler(request)
    except GroqRefused as refused:
        return web.json_response({"error": refused.error}, status=refused.status, headers=refused.headers)
    except (json.JSONDecodeError, UnicodeDecodeError):
        error = {"message": "invalid JSON in the request body", "type": "invalid_request_error"}
        return web.json_response({"error": error}, status=400)
    except web.HTTPNotFound:
        error = {
            "message": f"Unknown request URL: {request.method} {request.path}. Please check for typos.",
            "type": "invalid_request_error",
            "code": "unknown_url",
        }
        return web.json_response({"error": error}, status=404)
