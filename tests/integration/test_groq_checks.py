"""Doctor's questions to Groq: what the client sends, what a refusal means, how many calls a key carries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from pytest_django import Settings

from outreach.doctor import groq_models
from outreach.doctor.finding import Finding, Surroundings
from outreach.domain import defaults
from outreach.domain.model_budget import Limits, Plan
from outreach.integrations.groq import GroqModels, ModelRefused, ModelsUnavailable
from outreach.models import DialingControl
from sandbox.groq_account import GroqAccount
from sandbox.groq_api import ACCOUNT, GroqFaults, make_app
from tests.served import Loop, a_loop

pytestmark = [
    pytest.mark.integration,
    # aiohttp, of its own reading of a form.
    pytest.mark.filterwarnings("ignore:unread_data:DeprecationWarning"),
]

KEY = "gsk_rehearsal"
EVERYTHING = Surroundings()


@dataclass
class Emulated:
    """The emulated Groq, what it was sent, and its switches."""

    account: GroqAccount
    base_url: str
    knobs: dict[str, float]
    bodies: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    with a_loop() as running:
        yield running


@pytest.fixture
def groq(loop: Loop, settings: Settings) -> Emulated:
    knobs: dict[str, float] = {}
    bodies: list[tuple[str, dict[str, Any]]] = []

    @web.middleware
    async def remembering(request: web.Request, handler: Any) -> web.StreamResponse:
        fields = await request.post() if "multipart" in request.content_type else None
        sent = dict(fields) if fields is not None else json.loads(await request.read() or b"{}")
        bodies.append((f"{request.method} {request.path}", sent))
        answer: web.StreamResponse = await handler(request)
        return answer

    app = make_app(api_key=KEY, faults=GroqFaults(knobs))
    app.middlewares.append(remembering)
    base_url = loop.serve(lambda: app) + "/openai/v1"
    settings.GROQ_BASE_URL, settings.GROQ_API_KEY = base_url, KEY
    settings.GROQ_PLAN, settings.GROQ_LIMITS, settings.MODEL_BUDGET = None, {}, 0
    groq_models._told.clear()
    return Emulated(app[ACCOUNT], base_url, knobs, bodies)


@pytest.fixture
def models(groq: Emulated) -> Iterator[GroqModels]:
    with closing(GroqModels(api_key=KEY, base_url=groq.base_url)) as account:
        yield account


def found(check: str) -> Finding:
    (examine,) = [each.examine for each in groq_models.CHECKS if each.name == check]
    return examine(EVERYTHING)


class TestRequests:
    def test_lists_the_models(self, models: GroqModels, groq: Emulated) -> None:
        assert defaults.LLM_MODEL in models.names()
        assert groq.bodies == [("GET /openai/v1/models", {})]

    def test_asks_for_an_answer_with_a_tool_at_hand(self, models: GroqModels, groq: Emulated) -> None:
        told = models.think(defaults.LLM_MODEL)
        assert told == Limits(requests_a_day=500_000, tokens_a_minute=250_000)
        ((path, body),) = groq.bodies
        assert path == "POST /openai/v1/chat/completions"
        assert body["model"] == defaults.LLM_MODEL
        assert body["messages"][0]["role"] == "user"
        assert body["max_completion_tokens"] == 200
        (tool,) = body["tools"]
        assert (tool["type"], tool["function"]["parameters"]["type"]) == ("function", "object")

    def test_has_half_a_second_transcribed(self, models: GroqModels, groq: Emulated) -> None:
        assert models.hear(defaults.STT_MODEL).requests_a_day == 200_000
        ((path, form),) = groq.bodies
        assert path == "POST /openai/v1/audio/transcriptions"
        assert (form["model"], form["language"]) == (defaults.STT_MODEL, "en")
        assert form["file"].content_type == "audio/wav"

    def test_has_one_word_spoken(self, models: GroqModels, groq: Emulated) -> None:
        told = models.speak(defaults.TTS_MODEL, voice=defaults.TTS_VOICE)
        assert told == Limits(requests_a_day=100_000, tokens_a_minute=50_000)
        ((path, body),) = groq.bodies
        assert path == "POST /openai/v1/audio/speech"
        assert body == {
            "model": defaults.TTS_MODEL,
            "voice": defaults.TTS_VOICE,
            "input": "Hello.",
            "response_format": "wav",
        }

    def test_says_when_it_may_ask_again(self, models: GroqModels, groq: Emulated) -> None:
        groq.knobs["groq.llm_429"] = 1
        with pytest.raises(ModelRefused) as refused:
            models.think(defaults.LLM_MODEL)
        assert (refused.value.code, refused.value.http_status) == ("rate_limit_exceeded", 429)
        assert refused.value.retry_after == 2

    def test_asks_once_and_calls_a_server_that_is_not_well_unavailable(
        self, models: GroqModels, groq: Emulated
    ) -> None:
        groq.knobs["groq.speech_5xx"] = 1
        with pytest.raises(ModelsUnavailable, match="503"):
            models.hear(defaults.STT_MODEL)
        assert len(groq.bodies) == 1

    def test_calls_a_closed_port_unavailable(self) -> None:
        with (
            closing(GroqModels(api_key=KEY, base_url="http://127.0.0.1:9/openai/v1")) as nobody,
            pytest.raises(ModelsUnavailable, match="APIConnectionError"),
        ):
            nobody.names()


class TestFindings:
    def test_finds_all_in_order(self, groq: Emulated) -> None:
        assert [found(f"groq.{what}").status for what in ("key", "chat", "hearing", "speech")] == ["ok"] * 4

    def test_wants_a_key(self, groq: Emulated, settings: Settings) -> None:
        settings.GROQ_API_KEY = ""
        assert "GROQ_API_KEY is not set" in found("groq.key").says
        settings.GROQ_API_KEY = "gsk_of_somebody_else"
        refused = found("groq.key")
        assert (refused.status, refused.page) == ("fail", "https://console.groq.com/keys")

    def test_names_a_model_that_is_not_there(self, groq: Emulated, settings: Settings) -> None:
        settings.ALEX_LLM = "llama-of-yesterday"
        refused = found("groq.key")
        assert "no model llama-of-yesterday" in refused.says
        assert "ALEX_LLM" in refused.remedy

    def test_opens_the_playground_where_terms_are_to_be_accepted(self, groq: Emulated) -> None:
        groq.account.standing.terms_wanted.append(defaults.TTS_MODEL)
        refused = found("groq.speech")
        assert refused.page == "https://console.groq.com/playground?model=canopylabs%2Forpheus-v1-english"
        assert "accepts them, once" in refused.remedy
        assert found("groq.chat").status == "ok"

    def test_says_that_a_limit_is_used_up(self, groq: Emulated) -> None:
        groq.account.standing.plan = Plan.FREE.value
        findings = [found("groq.speech") for _ in range(11)]
        assert [each.status for each in findings] == ["ok"] * 10 + ["fail"]
        assert "used up right now. It may be asked again in" in findings[-1].says

    def test_lets_a_model_off_that_fumbled_its_tool(self, groq: Emulated) -> None:
        groq.knobs["groq.llm_tool_use_failed"] = 1
        assert found("groq.chat").status == "ok"

    def test_says_that_groq_is_not_well(self, groq: Emulated) -> None:
        groq.knobs["groq.llm_5xx"] = 1
        assert found("groq.chat").page == "https://groqstatus.com"


@pytest.mark.django_db
class TestBudget:
    def kept(self) -> int | None:
        return DialingControl.objects.get(pk=1).model_budget

    def test_tells_and_keeps_what_a_developer_key_carries(self, groq: Emulated) -> None:
        finding = found("groq.budget")
        assert finding.says.startswith(
            "This key carries 12 calls at once; 250,000 tokens a minute of openai/"
        )
        assert self.kept() == 12
        assert DialingControl.objects.get(pk=1).model_budget_at is not None

    def test_asks_nothing_twice_in_one_run(self, groq: Emulated) -> None:
        for what in ("chat", "hearing", "speech", "budget"):
            found(f"groq.{what}")
        assert len(groq.bodies) == 3

    def test_fails_a_free_key_and_sends_it_to_the_plans(self, groq: Emulated) -> None:
        groq.account.standing.plan = Plan.FREE.value
        finding = found("groq.budget")
        assert finding.status == "fail"
        assert finding.says.startswith("This key carries 0 calls at once: 3,600 tokens a day of canopylabs/")
        assert finding.page == "https://console.groq.com/settings/billing/plans"
        assert self.kept() == 0

    def test_takes_the_limits_that_an_operator_has_read(self, groq: Emulated, settings: Settings) -> None:
        settings.GROQ_LIMITS = {defaults.LLM_MODEL: Limits(tokens_a_minute=1_000_000)}
        assert "22 calls at once; 250 requests a minute of canopylabs/" in found("groq.budget").says
        assert self.kept() == 22

    def test_lets_model_budget_have_the_last_word(self, groq: Emulated, settings: Settings) -> None:
        settings.MODEL_BUDGET = 3
        assert found("groq.budget").says.startswith("MODEL_BUDGET allows 3 calls at once")

    def test_warns_where_no_limit_is_known(self, groq: Emulated) -> None:
        groq_models._told.update(dict.fromkeys(groq_models.Role, Limits()))
        assert found("groq.budget").status == "warn"
        assert self.kept() is None

    def test_repeats_what_is_wrong_with_a_model(self, groq: Emulated) -> None:
        groq.account.standing.terms_wanted.append(defaults.TTS_MODEL)
        assert "wants the terms" in found("groq.budget").says
