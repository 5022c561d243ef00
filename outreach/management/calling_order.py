"""Who is next, one at a time: callbacks, new people by priority, retries; whom the gate refuses is passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from outreach.domain.gate import Allow, Refuse, decide
from outreach.domain.standing import CallKind
from outreach.models import Campaign, Facilitator
from outreach.services import clock
from outreach.services.claiming import due
from outreach.services.gating import candidate_of, histories_of, rules_of

PEOPLE_AT_ONCE = 50
_ORDER = (CallKind.CALLBACK, CallKind.FIRST, CallKind.RETRY)


@dataclass(kw_only=True)
class CallingOrder:
    """The people of a campaign who may be called now, each once."""

    campaign: Campaign
    passed: set[int] = field(default_factory=set)
    """Who was shown or refused already."""
    refused: Counter[str] = field(default_factory=Counter)
    """How many were not shown, by the gate's code."""

    def next_person(self) -> tuple[Facilitator, CallKind] | None:
        """Return who is next and what for; None when nobody may be called now."""
        for person, kind in self._due():
            self.passed.add(person.pk)
            verdict = judge(person, self.campaign)
            if isinstance(verdict, Refuse):
                self.refused[verdict.code.value] += 1
                continue
            return person, kind
        return None

    def _due(self) -> Iterator[tuple[Facilitator, CallKind]]:
        for kind in _ORDER:
            while True:
                waiting = due(self.campaign, kind, clock.now()).exclude(pk__in=self.passed)
                people = list(waiting[:PEOPLE_AT_ONCE])
                if not people:
                    break
                for person in people:
                    yield person, kind


def judge(person: Facilitator, campaign: Campaign) -> Allow | Refuse:
    """Return what the gate would say of a call by hand right now."""
    now = clock.now()
    return decide(
        candidate=candidate_of(person, CallKind.MANUAL),
        history=histories_of([person.number], now=now)[person.number],
        rules=rules_of(campaign),
        now=now,
    )
