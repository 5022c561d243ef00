"""A model that fails in a call: nobody's attempt, and the campaign is held with what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from outreach.doctor import groq_models
from outreach.domain.contracts import End
from outreach.domain.disposition import EndedBy
from outreach.domain.model_budget import Role
from outreach.integrations import groq
from outreach.models import Call, Campaign, CampaignState, DialingControl
from outreach.services import capacity, clock, facts, model_trouble
from tests.factories import (
    a_campaign,
    a_dialled_call,
    a_person,
    an_agent_worker,
    claim,
    prepare,
    talk_to_the_end,
)

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

TERMS = "Groq wants the terms of a model accepted. Open its page. Then resume."


def nothing_wrong(_role: Role) -> str:
    return ""


def a_failed_call(campaign: Campaign, ended_by: EndedBy = EndedBy.LLM_FAILURE) -> Call:
    """Return a call that was answered, and ended by a failing model."""
    call = a_dialled_call(a_person(campaign, number=f"+1212555{Call.objects.count():04d}"))
    talk_to_the_end(call, ended_by=ended_by)
    return call


def judged(call: Call, *, why: Callable[[Role], str] = nothing_wrong) -> Campaign:
    model_trouble.judge(call_id=call.pk, why_refused=why)
    return Campaign.objects.get(pk=call.campaign_id)


class TestJudge:
    def test_holds_every_campaign_when_a_model_refuses_for_good(self) -> None:
        ours, other = a_campaign(), a_campaign(name="Another")
        asked: list[Role] = []

        def why(role: Role) -> str:
            asked.append(role)
            return TERMS

        held = judged(a_failed_call(ours, EndedBy.TTS_FAILURE), why=why)
        other.refresh_from_db()
        assert asked == [Role.SPEECH]
        for campaign in (held, other):
            assert (campaign.state, campaign.state_reason) == (CampaignState.HELD, TERMS)
            assert campaign.release_at is None

    def test_lets_one_failure_that_passes_be(self) -> None:
        campaign = a_campaign()
        call = a_failed_call(campaign)
        assert judged(call).state == CampaignState.RUNNING
        call.refresh_from_db()
        assert (call.our_fault, call.counts) == (True, False)

    def test_holds_for_a_while_after_three_in_a_row(self) -> None:
        campaign = a_campaign()
        calls = [
            a_failed_call(campaign, by)
            for by in (EndedBy.LLM_FAILURE, EndedBy.STT_FAILURE, EndedBy.TTS_FAILURE)
        ]
        held = judged(calls[-1])
        assert held.state == CampaignState.HELD
        assert "manage.py doctor" in held.state_reason
        assert held.release_at is not None
        assert timedelta(minutes=4, seconds=50) < held.release_at - clock.now() < timedelta(minutes=5)

    def test_counts_no_streak_through_a_talk_that_went_well(self) -> None:
        campaign = a_campaign()
        for by in (EndedBy.LLM_FAILURE, EndedBy.ALEX, EndedBy.LLM_FAILURE):
            call = a_failed_call(campaign, by)
        assert judged(call).state == CampaignState.RUNNING

    def test_asks_nobody_about_another_ending(self) -> None:
        campaign = a_campaign()
        call = a_failed_call(campaign, EndedBy.CALLEE)
        assert judged(call, why=lambda _: TERMS).state == CampaignState.RUNNING

    def test_hears_of_a_voice_that_failed_before_the_dial(self) -> None:
        call = prepare(claim(a_person(a_campaign())))
        end = End(fact_id=uuid4(), at=timezone.now(), n_turns=0, ended_by=EndedBy.TTS_FAILURE)
        facts.apply_fact(call_id=call.pk, fact=end)
        assert judged(call, why=lambda _: TERMS).state == CampaignState.HELD


class TestWhyRefused:
    class Refusing:
        """An account whose every model refuses."""

        def __init__(self, problem: groq.ModelProblem) -> None:
            self._problem = problem

        def think(self, _model: str) -> None:
            raise self._problem

        def close(self) -> None:
            """Close nothing."""

    @pytest.mark.parametrize(
        ("problem", "says"),
        [
            (
                groq.ModelRefused("", code="invalid_api_key", http_status=401, model="m"),
                "Groq does not know the key in GROQ_API_KEY. Make a key, put it into GROQ_API_KEY, and "
                "restart the agent workers. https://console.groq.com/keys Then resume.",
            ),
            (groq.ModelRefused("", code="rate_limit_exceeded", http_status=429, model="m"), ""),
            (groq.ModelRefused("", code="tool_use_failed", http_status=400, model="m"), ""),
            (groq.ModelsUnavailable("Groq answered 503"), ""),
        ],
    )
    def test_names_only_what_a_person_can_remove(
        self, problem: groq.ModelProblem, says: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.GROQ_API_KEY = "gsk_any"
        monkeypatch.setattr(groq, "models", lambda: self.Refusing(problem))
        assert groq_models.why_refused(Role.CHAT) == says

    def test_misses_a_key(self, settings: Settings) -> None:
        settings.GROQ_API_KEY = ""
        assert groq_models.why_refused(Role.CHAT).startswith("GROQ_API_KEY is not set")


class TestModelBudget:
    def free(self, campaign: Campaign) -> int:
        return capacity.capacity_of(campaign, DialingControl.objects.get(pk=1), now=clock.now()).free

    @pytest.mark.parametrize(
        ("own", "found", "free"), [(0, None, 5), (0, 2, 2), (0, 0, 0), (3, 0, 3), (1, 2, 1)]
    )
    def test_limits_what_is_claimed(self, own: int, found: int | None, free: int, settings: Settings) -> None:
        settings.MODEL_BUDGET = own
        DialingControl.objects.filter(pk=1).update(model_budget=found, calls_per_second=100)
        an_agent_worker(free=50)
        assert self.free(a_campaign(max_open_calls=5, calls_per_second=100)) == free
