"""Reading the statistics: the tallies, and the few calls that they have not taken in yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import QuerySet, Sum

from outreach.domain.tally import Thing, What, median_of
from outreach.models import Call, PeopleCount, Tally
from outreach.services import tallying

#: Calls counted beside the tallies at most: more are there only while an upgrade takes in all of them.
PENDING = 300


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which calls are counted; what is None or empty does not narrow it."""

    since: date | None = None
    until: date | None = None
    """The last UTC day."""
    campaign_id: int | None = None
    caller_id: str = ""
    script_id: int | None = None


@dataclass(kw_only=True)
class Tallied:
    """How often each thing happened, and the amounts with it."""

    n: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    amounts: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, thing: str, key: str, n: int, amount: Decimal) -> None:
        """Count something."""
        self.n[thing, key] += n
        self.amounts[thing, key] += amount

    def calls(self, what: What) -> int:
        """Return how many calls this became of."""
        return self.n.get((Thing.CALLS.value, what.value), 0)

    def by_key(self, thing: Thing) -> dict[str, int]:
        """Return the counts of one thing that are not nought, the most frequent first."""
        found = {key: n for (of, key), n in self.n.items() if of == thing and n}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def money(self) -> dict[str, Decimal]:
        """Return what the calls cost, by currency."""
        return {key: self.amounts[of, key] for (of, key), n in self.n.items() if of == Thing.COST and n}

    @property
    def talks(self) -> dict[int, int]:
        """Conversations with a person by length, in steps of seconds."""
        return {int(step): n for step, n in self.by_key(Thing.TALK).items()}

    @property
    def talk_average(self) -> float | None:
        """Seconds of talk ÷ conversations with a person."""
        n = sum(self.talks.values())
        seconds = sum(self.amounts[Thing.TALK.value, key] for key in self.by_key(Thing.TALK))
        return float(seconds) / n if n else None

    @property
    def talk_median(self) -> float | None:
        """The length that half of the conversations with a person are shorter than."""
        return median_of(self.talks)

    @property
    def held_average(self) -> float | None:
        """Seconds from the dial to the end ÷ calls dialled."""
        seconds = self.amounts.get((Thing.CALLS.value, What.DIALLED.value), Decimal(0))
        return float(seconds) / self.calls(What.DIALLED) if self.calls(What.DIALLED) else None


#: What calls add to the tallies that the tallies do not hold yet, or take from them.
Pending = Mapping[tallying.Cell, tuple[int, Decimal]]


def tallied(
    scope: Scope, *, things: Iterable[Thing] = tuple(Thing), pending: Pending | None = None
) -> Tallied:
    """Count what happened in a scope.

    :param pending: what `pending_calls` returned, for whoever asks more than once; None: it is asked for.
    """
    return _tallied(scope, things=things, by="", pending=pending).get("", Tallied())


def by_day(scope: Scope, *, things: Iterable[Thing], pending: Pending | None = None) -> dict[date, Tallied]:
    """Count what happened in a scope, per UTC day; days without anything are not in it."""
    days = _tallied(scope, things=things, by="day", pending=pending)
    return {date.fromisoformat(day): counted for day, counted in days.items()}


def by_script(scope: Scope, *, things: Iterable[Thing], pending: Pending | None = None) -> dict[int, Tallied]:
    """Count what happened in a scope, per script version."""
    scripts = _tallied(scope, things=things, by="script_id", pending=pending)
    return {int(pk): counted for pk, counted in scripts.items()}


def _tallied(
    scope: Scope, *, things: Iterable[Thing], by: str, pending: Pending | None
) -> dict[str, Tallied]:
    wanted = sorted(thing.value for thing in things)
    found: dict[str, Tallied] = defaultdict(Tallied)
    groups = (by, "thing", "key") if by else ("thing", "key")
    rows = _rows(scope).filter(thing__in=wanted).order_by().values(*groups)
    for row in rows.annotate(times=Sum("n"), total=Sum("amount")):
        found[str(row[by]) if by else ""].add(row["thing"], row["key"], row["times"], row["total"])
    for cell, (n, amount) in (pending_calls() if pending is None else pending).items():
        day, _campaign, script_id, _caller_id, thing, key = cell
        if thing in wanted and _is_within(cell, scope):
            group = {"": "", "day": day.isoformat(), "script_id": str(script_id)}[by]
            found[group].add(thing, key, n, amount)
    return dict(found)


def _rows(scope: Scope) -> QuerySet[Tally]:
    rows = Tally.objects.all()
    if scope.since is not None:
        rows = rows.filter(day__gte=scope.since)
    if scope.until is not None:
        rows = rows.filter(day__lte=scope.until)
    if scope.campaign_id is not None:
        rows = rows.filter(campaign_id=scope.campaign_id)
    if scope.caller_id:
        rows = rows.filter(caller_id=scope.caller_id)
    if scope.script_id is not None:
        rows = rows.filter(script_id=scope.script_id)
    return rows


def _is_within(cell: tallying.Cell, scope: Scope) -> bool:
    day, campaign_id, script_id, caller_id, _thing, _key = cell
    return (
        (scope.since is None or day >= scope.since)
        and (scope.until is None or day <= scope.until)
        and scope.campaign_id in (None, campaign_id)
        and scope.caller_id in ("", caller_id)
        and scope.script_id in (None, script_id)
    )


def pending_calls() -> Pending:
    """Return what open calls, and those that the next tick takes in, add to the tallies or take from them.

    What they change of calls that were taken in before is in it, too.
    """
    by_phone = Call.objects.by_phone()
    due = by_phone.filter(tally_due=True, settled_at__isnull=False).order_by("settled_at")
    calls = [*by_phone.filter(settled_at__isnull=True)[:PENDING], *due[:PENDING]]
    calls += tallying.others_of(calls) or ()
    entries = tallying.entries_for(calls)
    changes: dict[tallying.Cell, tuple[int, Decimal]] = {}
    for call in calls:
        for sign, counted in ((-1, tallying.held_of(call)), (1, entries[call.pk])):
            for entry in counted:
                cell = tallying.cell_of(call, entry)
                n, amount = changes.get(cell, (0, Decimal(0)))
                changes[cell] = (n + sign, amount + sign * entry.amount)
    return changes


def people(campaigns: Iterable[int] | None = None) -> list[tuple[int, str, str, int]]:
    """Return (campaign, standing, code of the last refusal, people), as counted with every change.

    :param campaigns: of which; None: of all.
    """
    rows = (
        PeopleCount.objects.all()
        if campaigns is None
        else PeopleCount.objects.filter(campaign__in=list(campaigns))
    )
    summed = rows.order_by().values_list("campaign_id", "standing", "code").annotate(people=Sum("n"))
    return list(summed.exclude(people=0))
