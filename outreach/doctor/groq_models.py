"""Groq: the key, the models, one real request of each kind, and how many calls at once the limits carry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from django.conf import settings

from outreach.doctor.finding import Check, Finding, Surroundings, fail, ok, warn
from outreach.doctor.groq_refusals import (
    PLANS,
    STATUS,
    finding_of,
    key_refused,
    missing,
)
from outreach.domain.model_budget import Limits, Role, calls_at_once, limits_of, plan_of
from outreach.domain.model_refusals import KEYS, LIMITS
from outreach.integrations import groq
from outreach.services.model_limits import keep_budget

#: A request of each kind takes a second or two; a cold model may take more.
SECONDS = 30.0

#: What the last answer of each kind said of the limits, so that the budget costs no second request.
_told: dict[Role, Limits] = {}


def model_of(role: Role) -> str:
    """Return the model that the settings name for a role."""
    named = {Role.CHAT: settings.ALEX_LLM, Role.HEARING: settings.ALEX_STT, Role.SPEECH: settings.ALEX_TTS}
    return str(named[role])


def key(_about: Surroundings) -> Finding:
    """Tell whether Groq knows the key and has every model that is set."""
    if not settings.GROQ_API_KEY:
        return fail(
            "GROQ_API_KEY is not set, so Alex can neither hear nor think nor speak.",
            remedy="Make a key and put it into GROQ_API_KEY.",
            page=KEYS,
        )
    try:
        with closing(groq.models()) as account:
            names = account.names()
    except groq.ModelRefused as problem:
        return key_refused() if problem.http_status in (401, 403) else finding_of(problem, role=Role.CHAT)
    except groq.ModelsUnavailable as problem:
        return fail(
            f"Groq cannot be asked: {problem}.",
            remedy="Check the network and GROQ_BASE_URL; then Groq's own status page.",
            page=STATUS,
        )
    for role in Role:
        if model_of(role) not in names:
            return missing(model_of(role), role)
    return ok(f"Groq knows the key and has {', '.join(model_of(role) for role in Role)}.")


def chat(_about: Surroundings) -> Finding:
    """Tell whether the model that thinks answers with a tool at hand."""
    return _tried(Role.CHAT, "answers")


def hearing(_about: Surroundings) -> Finding:
    """Tell whether the model that hears transcribes."""
    return _tried(Role.HEARING, "hears")


def speech(_about: Surroundings) -> Finding:
    """Tell whether the model that speaks does, with the voice that is set."""
    return _tried(Role.SPEECH, f"speaks as {settings.ALEX_VOICE}")


def budget(_about: Surroundings) -> Finding:
    """Tell how many calls at once the limits carry, and keep the number for the gate."""
    if problem := _ask_the_rest():
        return problem
    told = {model_of(role): _told[role] for role in Role}
    plan = settings.GROQ_PLAN or plan_of(told)
    found = calls_at_once(
        {
            role: limits_of(model, told=told[model], plan=plan, own=settings.GROQ_LIMITS.get(model))
            for role in Role
            for model in (model_of(role),)
        }
    )
    if found.tightest is None:
        keep_budget(None)
        return warn(
            "Groq's answers tell no limits, and none are published for these models.",
            remedy="Set GROQ_LIMITS to what your limits page shows, or MODEL_BUDGET to a number of calls.",
            page=LIMITS,
        )
    keep_budget(found.calls)
    return _carried(found.calls, f"{found.tightest.limit} of {model_of(found.tightest.role)}")


def _carried(calls: int, tightest: str) -> Finding:
    if settings.MODEL_BUDGET:
        return ok(
            f"MODEL_BUDGET allows {settings.MODEL_BUDGET} calls at once; "
            f"this key carries {calls} ({tightest})."
        )
    if calls < 1:
        return fail(
            f"This key carries 0 calls at once: {tightest} do not last for one campaign call.",
            remedy="Move the Groq organisation to the Developer plan (the free one is for trying), then run "
            "this again: what it finds is how many are called at once.",
            page=PLANS,
        )
    return ok(f"This key carries {calls} calls at once; {tightest} are the limit.")


def _ask_the_rest() -> Finding | None:
    """Ask the models that no check of this run has asked; return the finding of one that fails."""
    with closing(groq.models()) as account:
        for role in Role:
            try:
                if role not in _told:
                    _ask(account, role)
            except groq.ModelProblem as problem:
                return finding_of(problem, role=role)
    return None


def why_refused(role: Role) -> str:
    """Ask one model; return what to do when it refuses for what only a person can remove, else ""."""
    if not settings.GROQ_API_KEY:
        return _in_one(key(Surroundings()))
    try:
        with closing(groq.models()) as account:
            _ask(account, role)
    except groq.ModelRefused as problem:
        passing = problem.http_status == 429 or problem.code == "tool_use_failed"
        return "" if passing else _in_one(finding_of(problem, role=role))
    except groq.ModelsUnavailable:
        return ""
    return ""


def _in_one(finding: Finding) -> str:
    return f"{finding.says} {finding.remedy} {finding.page} Then resume.".replace("  ", " ")


def _tried(role: Role, does: str) -> Finding:
    _told.pop(role, None)
    try:
        with closing(groq.models()) as account:
            _ask(account, role)
    except groq.ModelProblem as problem:
        if isinstance(problem, groq.ModelRefused) and problem.code == "tool_use_failed":
            return ok(f"{model_of(role)} answers, though it failed to call the tool this time.")
        return finding_of(problem, role=role)
    return ok(f"{model_of(role)} {does}.")


def _ask(account: groq.GroqModels, role: Role) -> None:
    """Send one small request and keep what its answer says of the limits."""
    model = model_of(role)
    ask: dict[Role, Callable[[], Limits]] = {
        Role.CHAT: lambda: account.think(model),
        Role.HEARING: lambda: account.hear(model),
        Role.SPEECH: lambda: account.speak(model, voice=settings.ALEX_VOICE),
    }
    _told[role] = ask[role]()


CHECKS = (
    Check(name="groq.key", examine=key),
    Check(name="groq.chat", examine=chat, after="groq.key", seconds=SECONDS),
    Check(name="groq.hearing", examine=hearing, after="groq.key", seconds=SECONDS),
    Check(name="groq.speech", examine=speech, after="groq.key", seconds=SECONDS),
    Check(name="groq.budget", examine=budget, after="groq.speech", seconds=SECONDS),
)
