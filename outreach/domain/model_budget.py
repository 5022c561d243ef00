"""How many calls the models' rate limits carry at once: what one call uses, against what an account may.

Groq limits an organisation, per model, by requests, tokens and seconds of audio; whichever is reached first
answers 429. The headers of every answer tell two of the limits, the requests a day and the tokens a minute;
the others are in the plan's table. https://console.groq.com/docs/rate-limits (both plans, read 2026-10)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum

HEADROOM = 0.8
"""Share of a limit by the minute that is planned with: calls do not speak evenly."""
CALLING_MINUTES = 8 * 60
"""Minutes of a day over which a limit by the day is spread: 10:00 to 13:00 and 14:00 to 19:00."""


class Role(StrEnum):
    """What a model does in a call."""

    CHAT = "chat"
    HEARING = "hearing"
    SPEECH = "speech"


class Plan(StrEnum):
    """Groq's plans with limits that are published."""

    FREE = "free"
    DEVELOPER = "developer"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an account may use of one model; None: not limited, or not known."""

    requests_a_minute: int | None = None
    requests_a_day: int | None = None
    tokens_a_minute: int | None = None
    tokens_a_day: int | None = None
    audio_seconds_an_hour: int | None = None
    audio_seconds_a_day: int | None = None

    def updated(self, told: Limits) -> Limits:
        """Return these limits with those that `told` knows in their place."""
        told_of = {field.name: getattr(told, field.name) for field in fields(told)}
        return replace(self, **{name: value for name, value in told_of.items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class Use:
    """What one call uses of one model in a minute of talk."""

    requests: float
    tokens: float = 0.0
    audio_seconds: float = 0.0


#: An exchange takes about 16 s: 25 words of Alex (10 s at 150 words a minute), 10 of the person (4 s), two
#: gaps; so 4 a minute.
#: Chat: 1.5 requests an exchange, since every second one uses a tool and asks again. A request carries the
#: script and nine tools (8,600 characters, about 2,050 tokens), half of what is said in three minutes (500)
#: and a short reply (150). Groq does not count cached tokens: a reserve, since no hit is promised.
#: Hearing: 1.5 pieces of speech an exchange, each counted as the 10 s that Groq bills at least.
#: Speech: two sentences an exchange, 150 characters, and once a call the apology that is kept for a voice
#: that fails. What Orpheus counts as a token is not published: a character is assumed.
USE_OF_A_CALL: dict[Role, Use] = {
    Role.CHAT: Use(requests=6, tokens=6 * 2_700),
    Role.HEARING: Use(requests=6, audio_seconds=60),
    Role.SPEECH: Use(requests=9, tokens=650),
}

_TEXT_FREE = Limits(requests_a_minute=30, requests_a_day=1_000, tokens_a_minute=8_000, tokens_a_day=200_000)
_TEXT_PAID = Limits(requests_a_minute=1_000, requests_a_day=500_000, tokens_a_minute=250_000)
_EARS_FREE = Limits(
    requests_a_minute=20, requests_a_day=2_000, audio_seconds_an_hour=7_200, audio_seconds_a_day=28_800
)
_VOICE_FREE = Limits(requests_a_minute=10, requests_a_day=100, tokens_a_minute=1_200, tokens_a_day=3_600)
_VOICE_PAID = Limits(requests_a_minute=250, requests_a_day=100_000, tokens_a_minute=50_000)

PLANS: dict[Plan, dict[str, Limits]] = {
    Plan.FREE: {
        "openai/gpt-oss-120b": _TEXT_FREE,
        "openai/gpt-oss-20b": _TEXT_FREE,
        "whisper-large-v3-turbo": _EARS_FREE,
        "whisper-large-v3": _EARS_FREE,
        "canopylabs/orpheus-v1-english": _VOICE_FREE,
    },
    Plan.DEVELOPER: {
        "openai/gpt-oss-120b": _TEXT_PAID,
        "openai/gpt-oss-20b": _TEXT_PAID,
        "whisper-large-v3-turbo": Limits(
            requests_a_minute=400,
            requests_a_day=200_000,
            audio_seconds_an_hour=400_000,
            audio_seconds_a_day=4_000_000,
        ),
        "whisper-large-v3": Limits(
            requests_a_minute=300,
            requests_a_day=200_000,
            audio_seconds_an_hour=200_000,
            audio_seconds_a_day=4_000_000,
        ),
        "canopylabs/orpheus-v1-english": _VOICE_PAID,
    },
}


def own_limits(figures: Mapping[str, Mapping[str, int]]) -> dict[str, Limits]:
    """Return an account's own limits by model.

    :raises TypeError: when a limit is unknown or is no whole number.
    :raises ValueError: when a limit is below zero.
    """
    for known in figures.values():
        if any(not isinstance(figure, int) for figure in known.values()):
            raise TypeError("a limit is a whole number")
        if any(figure < 0 for figure in known.values()):
            raise ValueError("a limit is not below zero")
    return {model: Limits(**known) for model, known in figures.items()}


@dataclass(frozen=True, kw_only=True)
class Bottleneck:
    """One limit, and how many calls at once it carries."""

    role: Role
    limit: str
    """In words, such as "8,000 tokens a minute"."""
    carries: float


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How many calls fit at once, and what stands in the way of more."""

    calls: int
    tightest: Bottleneck | None
    """None: no limit is known."""


def plan_told_by(model: str, told: Limits) -> Plan | None:
    """Return the plan that an answer's headers speak of; None when they do not tell.

    A key with limits of its own counts as the best published plan that it reaches.
    """
    for plan in reversed(Plan):
        published = PLANS[plan].get(model)
        if published is not None and _reaches(told, published):
            return plan
    return None


def plan_of(told: Mapping[str, Limits]) -> Plan | None:
    """Return the account's plan as the answers of its models tell it: one that tells speaks for all.

    :param told: what the headers said, by model.
    """
    plans = [plan for model, limits in told.items() if (plan := plan_told_by(model, limits)) is not None]
    return min(plans, key=list(Plan).index, default=None)


def limits_of(model: str, *, told: Limits, plan: Plan | None, own: Limits | None = None) -> Limits:
    """Return what is known of a model's limits: an account's own figures, else the headers', else the plan's.

    :param told: what the headers of an answer said.
    :param plan: the account's plan; None: as the headers tell.
    :param own: what the operator read on the account's limits page.
    """
    plan = plan or plan_told_by(model, told)
    published = PLANS[plan].get(model, Limits()) if plan else Limits()
    return published.updated(told).updated(own or Limits())


def calls_at_once(limits: Mapping[Role, Limits]) -> Budget:
    """Return how many calls these limits carry at once, each used as in `USE_OF_A_CALL`."""
    found = [each for role, known in limits.items() for each in _bottlenecks(role, known)]
    if not found:
        return Budget(calls=0, tightest=None)
    tightest = min(found, key=lambda each: each.carries)
    return Budget(calls=math.floor(tightest.carries + 1e-9), tightest=tightest)


def _reaches(told: Limits, published: Limits) -> bool:
    pairs = [
        (told.requests_a_day, published.requests_a_day),
        (told.tokens_a_minute, published.tokens_a_minute),
    ]
    known = [(mine, theirs) for mine, theirs in pairs if mine is not None and theirs is not None]
    return bool(known) and all(mine >= theirs for mine, theirs in known)


def _bottlenecks(role: Role, limits: Limits) -> Iterator[Bottleneck]:
    use = USE_OF_A_CALL[role]
    day = CALLING_MINUTES
    for most, needed, unit in (
        (limits.requests_a_minute, use.requests / HEADROOM, "requests a minute"),
        (limits.requests_a_day, use.requests * day, "requests a day"),
        (limits.tokens_a_minute, use.tokens / HEADROOM, "tokens a minute"),
        (limits.tokens_a_day, use.tokens * day, "tokens a day"),
        (limits.audio_seconds_an_hour, use.audio_seconds * 60 / HEADROOM, "seconds of audio an hour"),
        (limits.audio_seconds_a_day, use.audio_seconds * day, "seconds of audio a day"),
    ):
        if most is not None and needed:
            yield Bottleneck(role=role, limit=f"{most:,} {unit}", carries=most / needed)
