"""Every check, by area, in the order in which somebody who starts would mend things."""

from __future__ import annotations

from collections.abc import Iterable

from outreach.doctor import (
    groq_models,
    livekit_project,
    livekit_sip,
    local_processes,
    local_stores,
    public_address,
    twilio_account,
    twilio_campaign,
)
from outreach.doctor.finding import Check

AREAS = ("local", "twilio", "public", "livekit", "groq")

#: The modules whose `CHECKS` there are.
_MODULES = (
    local_stores,
    local_processes,
    twilio_account,
    twilio_campaign,
    public_address,
    livekit_project,
    livekit_sip,
    groq_models,
)

CHECKS: tuple[Check, ...] = tuple(
    sorted((check for module in _MODULES for check in module.CHECKS), key=lambda c: AREAS.index(c.area))
)


def checks_of(areas: Iterable[str] = AREAS) -> list[Check]:
    """Return the checks of these areas."""
    wanted = set(areas)
    return [check for check in CHECKS if check.area in wanted]
