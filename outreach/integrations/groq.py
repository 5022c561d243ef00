"""Groq's models over its own client: which there are, and one small request of each kind.

ModelProblem
├── ModelsUnavailable   Groq could not be asked, or is down; asking again is safe
└── ModelRefused        a definite no: Groq's `code`, the HTTP status, and the model that was asked
"""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import groq
import httpx
from django.conf import settings
from groq.types.chat import ChatCompletionToolParam

from outreach.domain.dialing_mode import is_loopback
from outreach.domain.model_budget import Limits

CONNECT_TIMEOUT = 4.0
READ_TIMEOUT = 12.0

#: The client adds this itself to every path.
API_PATH = "/openai/v1"

_SILENCE_SECONDS = 0.5
_SAMPLE_RATE = 16_000
_TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "take_note",
        "description": "Keep something worth knowing.",
        "parameters": {
            "type": "object",
            "properties": {"text": {"type": "string"}},
            "required": ["text"],
        },
    },
}


class ModelProblem(Exception):
    """A model did not do what it was asked."""


class ModelsUnavailable(ModelProblem):
    """Groq could not be asked, or is not well; asking again is safe."""


class ModelRefused(ModelProblem):
    """A definite no, which stays so until somebody does something."""

    def __init__(
        self, message: str, *, code: str, http_status: int, model: str, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.http_status = http_status
        self.model = model
        self.retry_after = retry_after
        """Seconds until it may be asked again, where Groq says so (429)."""


class GroqModels:
    """The models of one account. Each method sends one request, once."""

    def __init__(self, *, api_key: str, base_url: str) -> None:
        """Prepare a client; nothing is sent yet.

        :param base_url: as the agents use it, with `/openai/v1` at its end.
        """
        # A proxy from the environment cannot reach this machine's own loopback.
        http_client = httpx.Client(trust_env=not is_loopback(base_url))
        self._client = groq.Groq(
            api_key=api_key,
            base_url=base_url.rstrip("/").removesuffix(API_PATH),
            timeout=httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
            max_retries=0,
            http_client=http_client,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def names(self) -> frozenset[str]:
        """Return the models that this key can see.

        :raises ModelProblem: when Groq refuses or cannot be asked.
        """
        with model_problems(model=""):
            return frozenset(model.id for model in self._client.models.list().data)

    def think(self, model: str) -> Limits:
        """Ask for a short answer with a tool at hand; return what the answer says of the limits.

        :raises ModelProblem: when Groq refuses or cannot be asked.
        """
        with model_problems(model=model):
            answer = self._client.chat.completions.with_raw_response.create(
                model=model,
                messages=[{"role": "user", "content": "Note that the line works, or say: ready."}],
                tools=[_TOOL],
                max_completion_tokens=200,
            )
            answer.parse()
        return limits_in(answer.headers)

    def hear(self, model: str) -> Limits:
        """Have half a second of silence transcribed; return what the answer says of the limits.

        :raises ModelProblem: when Groq refuses or cannot be asked.
        """
        with model_problems(model=model):
            answer = self._client.audio.transcriptions.with_raw_response.create(
                model=model, file=("silence.wav", _silence(), "audio/wav"), language="en"
            )
            answer.parse()
        return limits_in(answer.headers)

    def speak(self, model: str, *, voice: str) -> Limits:
        """Have one word spoken; return what the answer says of the limits.

        :raises ModelProblem: when Groq refuses, cannot be asked, or answers with something that is no sound.
        """
        with model_problems(model=model):
            answer = self._client.audio.speech.with_raw_response.create(
                model=model, voice=voice, input="Hello.", response_format="wav"
            )
            sound = answer.read()
        if not sound.startswith(b"RIFF"):
            raise ModelsUnavailable("the answer is no sound")
        return limits_in(answer.headers)


def models() -> GroqModels:
    """Return the account that the settings name."""
    return GroqModels(api_key=settings.GROQ_API_KEY or "none", base_url=settings.GROQ_BASE_URL)


def limits_in(headers: Mapping[str, str]) -> Limits:
    """Return what an answer's headers say: requests a day, tokens a minute.

    https://console.groq.com/docs/rate-limits#rate-limit-headers
    """
    return Limits(
        requests_a_day=_whole(headers.get("x-ratelimit-limit-requests")),
        tokens_a_minute=_whole(headers.get("x-ratelimit-limit-tokens")),
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _silence() -> bytes:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(_SAMPLE_RATE)
        wav.writeframes(bytes(2 * int(_SAMPLE_RATE * _SILENCE_SECONDS)))
    return sound.getvalue()


@contextmanager
def model_problems(*, model: str) -> Iterator[None]:
    """Translate what may go wrong with a request."""
    try:
        yield
    except groq.APIStatusError as exc:
        if exc.status_code >= 500:
            raise ModelsUnavailable(f"Groq answered {exc.status_code}") from exc
        raise _refused(exc, model) from exc
    except groq.GroqError as exc:
        raise ModelsUnavailable(f"Groq could not be asked ({type(exc).__name__})") from exc


def _refused(exc: groq.APIStatusError, model: str) -> ModelRefused:
    body: Any = exc.body
    error = body.get("error", body) if isinstance(body, dict) else {}
    told = error if isinstance(error, dict) else {}
    return ModelRefused(
        str(told.get("message", ""))[:300],
        code=str(told.get("code", "")),
        http_status=exc.status_code,
        model=model,
        retry_after=_whole(exc.response.headers.get("retry-after")),
    )
