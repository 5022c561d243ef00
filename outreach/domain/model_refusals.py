"""What a definite no of the models' vendor means: one sentence, one thing to do, one page.

Codes and statuses as Groq documents them (https://console.groq.com/docs/errors).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

KEYS = "https://console.groq.com/keys"
MODELS = "https://console.groq.com/docs/models"
LIMITS = "https://console.groq.com/settings/limits"
PLAYGROUND = "https://console.groq.com/playground?model="


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What was found, what to do, and the page to open."""

    finding: str
    remedy: str
    page: str

    def __str__(self) -> str:
        return f"{self.finding} {self.remedy} {self.page}"


def advice_on(*, http_status: int, code: str, model: str, setting: str) -> Advice | None:
    """Return what to do about a refusal that stays until somebody acts; None for every other.

    :param setting: the setting that names the model.
    """
    if http_status == 401:
        return Advice(
            finding="Groq does not know the key in GROQ_API_KEY.",
            remedy="Make a key, put it into GROQ_API_KEY, and restart the agent workers.",
            page=KEYS,
        )
    if code == "model_terms_required":
        return Advice(
            finding=f"Groq wants the terms of {model} accepted before it is used.",
            remedy="An admin of the Groq organisation opens the model's page and accepts them, once.",
            page=PLAYGROUND + quote(model, safe=""),
        )
    if http_status == 403:
        return Advice(
            finding=f"The Groq organisation or project does not allow {model}.",
            remedy="An owner of the organisation allows it under Limits.",
            page=LIMITS,
        )
    if http_status == 404:
        return Advice(
            finding=f"Groq has no model {model} for this key.",
            remedy=f"Choose one that it has and set {setting}.",
            page=MODELS,
        )
    return None
