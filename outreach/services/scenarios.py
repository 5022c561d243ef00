"""A call as a scenario of the test suite: what was said, by nobody in particular, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from outreach.domain.redaction import FIRST_NAME, LAST_NAME, ORGANISATION, Identity, Redaction
from outreach.models import Call, Facilitator, TranscriptState, Turn
from outreach.services.briefing import opening_of

#: Counted up when what a file says changes; `tests/scenarios/` refuses any other.
VERSION = 1


class NoScenario(Exception):
    """This call makes no scenario; the sentence says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A file for `tests/scenarios/`."""

    file_name: str
    text: str
    """JSON."""
    replaced: int
    """Places in what was said from which the person was taken out."""


def scenario_of(call: Call) -> Scenario:
    """Return what `tests/scenarios/` replays: the person's lines, which of Alex's they answer, and the end.

    Names, numbers, addresses, the organisation and every value of the person's row are replaced wherever they
    were said. Third parties who are named are not known to us: a person reads the file before it is kept.

    :raises NoScenario: for a call that is not over, has gaps, or nobody spoke in.
    """
    turns = list(call.turns.order_by("seq"))
    _refuse(call, turns)
    person = call.facilitator
    redaction = Redaction(_identity(person, call))
    said = [_turn(turn, redaction) for turn in turns]
    content = {
        "scenario": VERSION,
        "script": str(call.script),
        "opening": opening_of(call) if person else "first_call",
        "now_at": (call.answered_at or call.queued_at).replace(microsecond=0).isoformat(),
        "person": _person(person),
        "campaign": {
            "company": call.campaign.company,
            "platform": call.campaign.platform,
            "platform_facts": call.campaign.platform_facts,
        },
        "turns": said,
        "ended_by": call.ended_by,
        "expected": {"disposition": call.disposition, "answered_by": _who_answered(call)},
    }
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    return Scenario(
        file_name=f"{call.disposition}_{call.pk.hex[:8]}.json", text=text, replaced=redaction.replaced
    )


def _refuse(call: Call, turns: list[Turn]) -> None:
    if call.settled_at is None:
        raise NoScenario("The call is not over yet. Come back when it is.")
    if call.transcript == TranscriptState.INCOMPLETE or [t.seq for t in turns] != [*range(1, len(turns) + 1)]:
        raise NoScenario("Turns of this call are missing, so it cannot be played again. Choose another call.")
    if not any(turn.speaker == "person" for turn in turns):
        raise NoScenario("The person said nothing in this call, so there is nothing to play.")
    if not call.disposition:
        raise NoScenario("The call has no outcome that a test could expect. Correct its outcome first.")


def _identity(person: Facilitator | None, call: Call) -> Identity:
    if person is None:
        return Identity(name=call.requested_by)
    return Identity(
        name=person.name,
        number=call.number or person.number,
        email=person.email,
        organisation=person.organisation,
        extra=person.extra,
    )


def _person(person: Facilitator | None) -> dict[str, Any]:
    """Return who stands in: only language and zone are theirs, on which what is said of times depends."""
    zone = person.time_zone if person and person.time_zone else "UTC"
    return {
        "name": f"{FIRST_NAME} {LAST_NAME}",
        "organisation": ORGANISATION if person and person.organisation else "",
        "language": person.language if person else "en",
        "country": person.country if person else "",
        "time_zone": ZoneInfo(zone).key,
        "extra": {key: f"[{key}]" for key in sorted(person.extra)} if person else {},
    }


def _turn(turn: Turn, redaction: Redaction) -> dict[str, Any]:
    said: dict[str, Any] = {"speaker": turn.speaker, "text": redaction.of(turn.text)}
    return said | {"interrupted": True} if turn.interrupted else said


def _who_answered(call: Call) -> str:
    return call.judged_answered_by or call.answered_by
