"""How many calls Groq's published limits carry at once, and which limit says so."""

from __future__ import annotations

import pytest

from outreach.domain import defaults
from outreach.domain.model_budget import (
    PLANS,
    Limits,
    Plan,
    Role,
    calls_at_once,
    limits_of,
    own_limits,
    plan_of,
    plan_told_by,
)

pytestmark = pytest.mark.unit

MODELS = {
    Role.CHAT: defaults.LLM_MODEL,
    Role.HEARING: defaults.STT_MODEL,
    Role.SPEECH: defaults.TTS_MODEL,
}


def published(plan: Plan) -> dict[Role, Limits]:
    return {role: PLANS[plan][model] for role, model in MODELS.items()}


class TestCallsAtOnce:
    def test_gives_a_free_key_none_because_its_voice_lasts_minutes_a_day(self) -> None:
        budget = calls_at_once(published(Plan.FREE))
        assert budget.calls == 0
        assert budget.tightest is not None
        assert (budget.tightest.role, budget.tightest.limit) == (Role.SPEECH, "3,600 tokens a day")

    def test_gives_the_developer_plan_a_dozen_because_of_the_tokens_a_minute(self) -> None:
        budget = calls_at_once(published(Plan.DEVELOPER))
        assert budget.calls == 12
        assert budget.tightest is not None
        assert (budget.tightest.role, budget.tightest.limit) == (Role.CHAT, "250,000 tokens a minute")

    def test_counts_the_seconds_of_audio(self) -> None:
        limits = {Role.HEARING: Limits(audio_seconds_an_hour=7_200)}
        budget = calls_at_once(limits)
        assert budget.tightest is not None
        assert budget.tightest.carries == pytest.approx(1.6)
        assert budget.calls == 1

    def test_knows_no_number_where_it_knows_no_limit(self) -> None:
        budget = calls_at_once({Role.CHAT: Limits()})
        assert (budget.calls, budget.tightest) == (0, None)

    def test_has_limits_for_the_models_that_are_used_by_default(self) -> None:
        for plan in Plan:
            assert set(MODELS.values()) <= set(PLANS[plan])


class TestLimitsOf:
    def test_believes_the_headers_more_than_the_plan(self) -> None:
        told = Limits(requests_a_day=1_000_000, tokens_a_minute=500_000)
        limits = limits_of(defaults.LLM_MODEL, told=told, plan=Plan.DEVELOPER)
        assert (limits.tokens_a_minute, limits.requests_a_minute) == (500_000, 1_000)

    def test_believes_the_operator_more_than_the_headers(self) -> None:
        told, own = Limits(tokens_a_minute=250_000), Limits(tokens_a_minute=900_000)
        limits = limits_of(defaults.LLM_MODEL, told=told, plan=Plan.DEVELOPER, own=own)
        assert limits.tokens_a_minute == 900_000

    def test_knows_only_what_the_headers_say_of_a_model_without_published_limits(self) -> None:
        limits = limits_of("someone/new", told=Limits(tokens_a_minute=5), plan=Plan.FREE)
        assert limits == Limits(tokens_a_minute=5)


class TestPlanToldBy:
    @pytest.mark.parametrize(
        ("told", "plan"),
        [
            (Limits(requests_a_day=1_000, tokens_a_minute=8_000), Plan.FREE),
            (Limits(requests_a_day=500_000, tokens_a_minute=250_000), Plan.DEVELOPER),
            (Limits(requests_a_day=900_000, tokens_a_minute=800_000), Plan.DEVELOPER),
            (Limits(requests_a_day=500_000, tokens_a_minute=9_000), Plan.FREE),
            (Limits(), None),
        ],
    )
    def test_reads_the_plan_off_the_headers(self, told: Limits, plan: Plan | None) -> None:
        assert plan_told_by(defaults.LLM_MODEL, told) is plan

    def test_does_not_guess_the_plan_of_an_unknown_model(self) -> None:
        assert plan_told_by("someone/new", Limits(requests_a_day=1_000)) is None


class TestPlanOf:
    def test_lets_one_model_speak_for_those_whose_answers_tell_nothing(self) -> None:
        told = {
            defaults.LLM_MODEL: Limits(requests_a_day=1_000, tokens_a_minute=8_000),
            defaults.STT_MODEL: Limits(),
        }
        assert plan_of(told) is Plan.FREE

    def test_takes_the_smaller_of_two(self) -> None:
        told = {
            defaults.LLM_MODEL: Limits(requests_a_day=500_000, tokens_a_minute=250_000),
            defaults.TTS_MODEL: Limits(requests_a_day=100),
        }
        assert plan_of(told) is Plan.FREE

    def test_is_unknown_when_nobody_tells(self) -> None:
        assert plan_of({defaults.LLM_MODEL: Limits()}) is None


class TestOwnLimits:
    def test_reads_limits_by_model(self) -> None:
        limits = own_limits({"a/model": {"tokens_a_minute": 5}})
        assert limits == {"a/model": Limits(tokens_a_minute=5)}

    @pytest.mark.parametrize("wrong", [{"tokens": 5}, {"tokens_a_minute": "5"}, {"tokens_a_minute": -1}])
    def test_refuses_what_is_no_limit(self, wrong: dict[str, int]) -> None:
        with pytest.raises((TypeError, ValueError)):
            own_limits({"a/model": wrong})
