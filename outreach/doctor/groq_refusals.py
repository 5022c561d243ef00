"""What a refusal of Groq's means for whoever reads the findings: one sentence, one thing to do, one page."""

from __future__ import annotations

from urllib.parse import quote

from outreach.doctor.finding import Finding, fail
from outreach.domain.model_budget import Role
from outreach.integrations.groq import ModelProblem, ModelRefused

KEYS = "https://console.groq.com/keys"
MODELS = "https://console.groq.com/docs/models"
LIMITS = "https://console.groq.com/settings/limits"
PLANS = "https://console.groq.com/settings/billing/plans"
STATUS = "https://groqstatus.com"
PLAYGROUND = "https://console.groq.com/playground?model="

#: The setting that names the model of a role.
SETTING = {Role.CHAT: "ALEX_LLM", Role.HEARING: "ALEX_STT", Role.SPEECH: "ALEX_TTS"}
_DOES = {Role.CHAT: "thinks", Role.HEARING: "hears", Role.SPEECH: "speaks"}


def finding_of(problem: ModelProblem, *, role: Role) -> Finding:
    """Return the finding for what went wrong with the model of `role`."""
    if not isinstance(problem, ModelRefused):
        return fail(
            f"The model that {_DOES[role]} does not answer: {problem}.",
            remedy="Try again in a minute; if it stays so, look at Groq's own status page.",
            page=STATUS,
        )
    model = problem.model
    if problem.http_status == 401:
        return key_refused()
    if problem.code == "model_terms_required":
        return fail(
            f"Groq wants the terms of {model} accepted before it {_DOES[role]}.",
            remedy="An admin of the Groq organisation opens the model's page and accepts them, once.",
            page=PLAYGROUND + quote(model, safe=""),
        )
    if problem.http_status == 403:
        return fail(
            f"The Groq organisation or project does not allow {model}.",
            remedy="An owner of the organisation allows it under Limits.",
            page=LIMITS,
        )
    if problem.http_status == 404:
        return missing(model, role)
    if problem.http_status == 429:
        return _used_up(problem)
    return fail(
        f"Groq refuses a small request to {model} ({problem.http_status} {problem.code}): {problem}",
        remedy=f"Check {SETTING[role]}"
        + (" and ALEX_VOICE." if role is Role.SPEECH else ": a model that calls tools is needed."),
        page=MODELS,
    )


def key_refused() -> Finding:
    """Return the finding for a key that Groq does not know."""
    return fail(
        "Groq does not know the key in GROQ_API_KEY.",
        remedy="Make a key, put it into GROQ_API_KEY, and restart the agent workers.",
        page=KEYS,
    )


def missing(model: str, role: Role) -> Finding:
    """Return the finding for a model that this key cannot see."""
    return fail(
        f"Groq has no model {model} for this key, so nobody {_DOES[role]}.",
        remedy=f"Choose one that it has and set {SETTING[role]}.",
        page=MODELS,
    )


def _used_up(problem: ModelRefused) -> Finding:
    wait = f" It may be asked again in {problem.retry_after} s." if problem.retry_after else ""
    return fail(
        f"A limit of {problem.model} is used up right now.{wait}",
        remedy="Wait, or move the organisation to the Developer plan: the free one is for trying.",
        page=PLANS,
    )
