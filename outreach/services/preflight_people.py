"""How many people of a campaign can be called now, later or never, and why: the gate asked before it is due.

People without any earlier call are asked about in groups who live alike; whose number was called lately, one
by one. Nothing is written: each gets their own decision when their turn comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Min

from outreach.domain.gate import Candidate, GateRules, NumberHistory, Refuse, decide
from outreach.domain.standing import CALLABLE, CLOSED, CallKind, Standing
from outreach.models import Campaign, Facilitator
from outreach.services.gating import candidate_of, histories_of, rang_and_asked, rules_of
from outreach.services.mode import allowed_numbers

#: People whose numbers were called before that are asked about one by one; the rest are only counted.
ONE_BY_ONE = 1000
CALLED_BEFORE = "called_before"
AFTER_THE_END = "after_the_end"

_CALLABLE = sorted(standing.value for standing in CALLABLE)
_CLOSED = sorted(standing.value for standing in CLOSED)
_KINDS = {Standing.RETRY_DUE.value: CallKind.RETRY, Standing.CALLBACK_DUE.value: CallKind.CALLBACK}
#: Whoever has a promise or a call of the last 31 days (an open one included) needs a look of their own.
_DUE = """
SELECT f.id, f.number, f.standing, f.country, f.time_zone, f.consent_basis, f.attempts_made,
    f.attempts_granted, f.standing = 'callback_due' OR EXISTS (SELECT FROM outreach_call c
        WHERE c.number = f.number AND c.queued_at >= %(month_ago)s) AS own_look
FROM outreach_facilitator f
WHERE f.campaign_id = %(campaign)s AND f.standing = ANY(%(callable)s) AND f.next_call_at <= %(at)s
"""
_GROUPS = f"""
WITH due AS ({_DUE}), seen AS (
    SELECT due.*,
        EXISTS (SELECT FROM outreach_suppression s WHERE s.number = due.number) AS suppressed,
        (SELECT max(c.ended_at) FROM outreach_call c WHERE c.number = due.number
            AND c.disposition = 'not_interested' AND c.channel = 'phone') AS said_no_at,
        due.number = ANY(%(allowed)s::text[]) AS allowed
    FROM due
)
SELECT own_look, standing, country, time_zone, consent_basis, attempts_made, attempts_granted, suppressed,
    allowed, max(said_no_at), count(*), min(id)
FROM seen
GROUP BY own_look, standing, country, time_zone, consent_basis, attempts_made, attempts_granted, suppressed,
    allowed, said_no_at::date
"""  # noqa: S608  (no word of a stranger in it)


@dataclass(frozen=True, kw_only=True)
class Why:
    """People for whom the same stands in the way."""

    code: str
    says: str
    n_people: int
    soonest_at: datetime | None = None
    example_id: int | None = None
    """One of them."""


@dataclass(kw_only=True)
class People:
    """Who can be called now, later, after somebody has mended something, or never."""

    now: int = 0
    in_call: int = 0
    later: list[Why] = field(default_factory=list)
    to_mend: list[Why] = field(default_factory=list)
    never: list[Why] = field(default_factory=list)

    @property
    def n_later(self) -> int:
        """People whose time comes by itself."""
        return sum(why.n_people for why in self.later)

    @property
    def n_to_mend(self) -> int:
        """People for whom an operator has to do something first."""
        return sum(why.n_people for why in self.to_mend)

    @property
    def n_never(self) -> int:
        """People whom this campaign does not call again."""
        return sum(why.n_people for why in self.never)


@dataclass(kw_only=True)
class _Sorter:
    """Sorts verdicts of the gate into heaps."""

    ends_at: datetime | None
    now: int = 0
    heaps: dict[tuple[str, str, str], Why] = field(default_factory=dict)

    def add(self, verdict: object, n_people: int, example_id: int | None) -> None:
        if not isinstance(verdict, Refuse):
            self.now += n_people
            return
        heap = "later"
        code, says = verdict.code.value, ""
        if verdict.standing is Standing.HELD:
            heap, says = "to_mend", verdict.reason
        elif verdict.standing is not None:
            heap, says = "never", verdict.reason
        elif self._too_late(verdict.next_call_at):
            heap, code = "never", AFTER_THE_END
        self.put(heap, code, says, n_people, verdict.next_call_at if heap == "later" else None, example_id)

    def put(
        self, heap: str, code: str, says: str, n_people: int, at: datetime | None, example_id: int | None
    ) -> None:
        known = self.heaps.get((heap, code, says))
        moments = [moment for moment in (at, known.soonest_at if known else None) if moment]
        self.heaps[heap, code, says] = Why(
            code=code,
            says=says,
            n_people=n_people + (known.n_people if known else 0),
            soonest_at=min(moments, default=None),
            example_id=known.example_id if known else example_id,
        )

    def heap(self, wanted: str) -> list[Why]:
        found = [why for (heap, _, _), why in self.heaps.items() if heap == wanted]
        return sorted(found, key=lambda why: -why.n_people)

    def _too_late(self, at: datetime | None) -> bool:
        return self.ends_at is not None and at is not None and at >= self.ends_at


def look_at_people(campaign: Campaign, *, now: datetime) -> People:
    """Return how the people of a campaign stand to being called, as of its first moment.

    :raises InvalidCallWindow: when its hours cannot be read.
    """
    at = max(now, campaign.starts_at or now)
    rules = rules_of(campaign)
    sorter = _Sorter(ends_at=campaign.ends_at)
    _judge_due(campaign, rules, at, sorter)
    _count_later(campaign, at, sorter)
    in_call = _count_closed(campaign, sorter)
    return People(
        now=sorter.now,
        in_call=in_call,
        later=sorter.heap("later"),
        to_mend=sorter.heap("to_mend"),
        never=sorter.heap("never"),
    )


def _judge_due(campaign: Campaign, rules: GateRules, at: datetime, sorter: _Sorter) -> None:
    allowed = allowed_numbers()
    asked: dict[str, Any] = {
        "campaign": campaign.pk,
        "callable": _CALLABLE,
        "at": at,
        "month_ago": at - timedelta(days=31),
        "allowed": sorted(allowed or ()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, asked)
        groups = cursor.fetchall()
    n_own_look = sum(row[10] for row in groups if row[0])
    for row in groups:
        if not row[0]:
            _judge_group(row, allowed, rules, at, sorter)
    if n_own_look:
        judged = _judge_one_by_one(asked, rules, at, sorter)
        if n_own_look > judged:
            sorter.put("later", CALLED_BEFORE, "", n_own_look - judged, None, None)


def _judge_group(
    row: tuple[Any, ...], allowed: frozenset[str] | None, rules: GateRules, at: datetime, sorter: _Sorter
) -> None:
    _, standing, country, time_zone, consent, made, granted, suppressed, is_allowed, said_no_at, n, one = row
    candidate = Candidate(
        number="this one",
        kind=_KINDS.get(standing, CallKind.FIRST),
        country=country,
        time_zone=time_zone,
        consent_basis=consent,
        attempts_made=made,
        attempts_granted=granted,
        allowed_numbers=None if allowed is None or is_allowed else frozenset(),
    )
    history = NumberHistory(suppressed=suppressed, said_no_at=said_no_at, attempts=(), on_another_call=False)
    sorter.add(decide(candidate=candidate, history=history, rules=rules, now=at), n, one)


def _judge_one_by_one(asked: dict[str, Any], rules: GateRules, at: datetime, sorter: _Sorter) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM ({_DUE}) due WHERE own_look LIMIT {ONE_BY_ONE}",  # noqa: S608
            asked,
        )
        ids = [person_id for (person_id,) in cursor.fetchall()]
    people = list(Facilitator.objects.filter(pk__in=ids))
    histories = histories_of((person.number for person in people), now=at)
    rang = rang_and_asked(ids)
    for person in people:
        kind = _KINDS.get(person.standing, CallKind.FIRST)
        verdict = decide(
            candidate=candidate_of(person, kind, asked_at=rang.get(person.pk)),
            history=histories[person.number],
            rules=rules,
            now=at,
        )
        sorter.add(verdict, 1, person.pk)
    return len(people)


def _count_later(campaign: Campaign, at: datetime, sorter: _Sorter) -> None:
    """Count those who wait for a time already, by the reason that they wait for."""
    waiting = Facilitator.objects.filter(campaign=campaign, standing__in=_CALLABLE, next_call_at__gt=at)
    rows = waiting.order_by().values_list("not_called_code", "standing")
    for code, standing, n, soonest in rows.annotate(n=Count("pk"), soonest=Min("next_call_at")):
        sorter.put("later", code or standing, "", n, soonest, None)


def _count_closed(campaign: Campaign, sorter: _Sorter) -> int:
    """Count those who wait for nothing, by why; return how many are in a call."""
    people = Facilitator.objects.filter(campaign=campaign).exclude(standing__in=_CALLABLE).order_by()
    in_call = 0
    for standing, reason, n in _biggest(people.values_list("standing", "standing_reason")):
        if standing not in _CLOSED:
            in_call += n
            continue
        opens = standing in (Standing.HELD.value, Standing.NEEDS_REVIEW.value)
        sorter.put("to_mend" if opens else "never", standing, reason, n, None, None)
    return in_call


def _biggest(rows: Any) -> Iterable[tuple[str, str, int]]:
    """Return the rows with their counts; reasons that few people have are put together."""
    counted = list(rows.annotate(n=Count("pk")).order_by("-n"))
    yield from counted[:50]
    rest: Counter[str] = Counter()
    for standing, _reason, n in counted[50:]:
        rest[standing] += n
    yield from ((standing, "for various reasons", n) for standing, n in rest.items())
