"""What a refusal of Groq's means for whoever reads the findings: one sentence, one thing to do, one page."""

from __future__ import annotations

from outreach.doctor.finding import Finding, fail
from outreach.domain.model_budget import Role
from outreach.domain.model_refusals import MODELS, advice_on
from outreach.integrations.groq import ModelProblem, ModelRefused

PLANS = "https://console.groq.com/settings/billing/plans"
STATUS = "https://groqstatus.com"

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
    advice = advice_on(http_status=problem.http_status, code=problem.code, model=model, setting=SETTING[role])
    if advice is not None:
        return fail(advice.finding, remedy=advice.remedy, page=advice.page)
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
    return _advised(http_status=401, model="", role=Role.CHAT)


def missing(model: str, role: Role) -> Finding:
    """Return the finding for a model that this key cannot see."""
    return _advised(http_status=404, model=model, role=role)


def _advised(*, http_status: int, model: str, role: Role) -> Finding:
    advice = advice_on(http_status=http_status, code="", model=model, setting=SETTING[role])
    if advice is None:
        raise ValueError(f"There is no advice on {http_status}.")
    return fail(advice.finding, remedy=advice.remedy, page=advice.page)


def _used_up(problem: ModelRefused) -> Finding:
    wait = f" It may be asked again in {problem.retry_after} s." if problem.retry_after else ""
    return fail(
        f"A limit of {problem.model} is used up right now.{wait}",
        remedy="Wait, or move the organisation to the Developer plan: the free one is for trying.",
        page=PLANS,
    )
