"""How often the detector of who picked up is right, by the word of operators who listened or read."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from outreach.models import Call
from outreach.services.correcting import TAKEN_FOR_A_PERSON

_PERSON = [who.value for who in TAKEN_FOR_A_PERSON] + [""]


@dataclass(frozen=True, kw_only=True)
class Score:
    """Calls that somebody judged, and how many of them the detector had right."""

    judged: int
    right: int
    persons_taken_for_machines: int
    """The costly mistake: Alex left, or left a message, while a person was on the line."""


def detector_score() -> Score:
    """Count the judged calls; right is a person taken for a person, or a machine for any machine."""
    person, machine = Q(judged_answered_by__in=_PERSON), ~Q(judged_answered_by__in=_PERSON)
    heard_person, heard_machine = Q(answered_by__in=_PERSON), ~Q(answered_by__in=_PERSON)
    counted = Call.objects.exclude(judged_answered_by="").aggregate(
        judged=Count("pk"),
        right=Count("pk", filter=(person & heard_person) | (machine & heard_machine)),
        missed=Count("pk", filter=person & heard_machine),
    )
    return Score(
        judged=counted["judged"], right=counted["right"], persons_taken_for_machines=counted["missed"]
    )


def was_right(call: Call) -> bool | None:
    """Tell whether the detector was right about one call; None while nobody has judged it."""
    if not call.judged_answered_by:
        return None
    return (call.judged_answered_by in _PERSON) == (call.answered_by in _PERSON)
