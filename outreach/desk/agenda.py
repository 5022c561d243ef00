"""The callbacks of some days, day by day on the clock of whoever looks, and how many of them were kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.db.models import Count, Q, QuerySet

from outreach.desk.rendering import city_of, zone_of
from outreach.models import Callback, CallbackState

DAYS = 7
SHOWN, LATE_SHOWN = 200, 50
"""Callbacks of the days that are shown, and late ones; the list of all callbacks has the others."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One callback, and how it reads on the person's clock."""

    callback: Callback
    theirs: str
    is_late: bool


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day on the clock of whoever looks."""

    day: date
    is_today: bool
    entries: Sequence[Entry]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How the callbacks of one kind went."""

    who: str
    kept: int
    missed: int
    still_open: int


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """What the page shows."""

    days: Sequence[Day]
    late: Sequence[Entry]
    n_late: int
    n_shown: int
    n_all: int
    kept: Sequence[Kept]
    first: date
    last: date
    before: date
    after: date


def agenda_of(*, first: date, zone: tzinfo, now: datetime, campaign_id: int | None = None) -> Agenda:
    """Return the callbacks of `DAYS` days from `first`, and those that are late whatever their day."""
    start = datetime.combine(first, time(), tzinfo=zone).astimezone(UTC)
    end = datetime.combine(first + timedelta(days=DAYS), time(), tzinfo=zone).astimezone(UTC)
    callbacks = Callback.objects.select_related("facilitator__campaign")
    if campaign_id is not None:
        callbacks = callbacks.filter(facilitator__campaign=campaign_id)
    within = callbacks.filter(promised_at__gte=start, promised_at__lt=end)
    late = callbacks.filter(state=CallbackState.PROMISED, promised_at__lt=now).order_by("promised_at")
    shown = [_entry(one, now) for one in within.order_by("promised_at", "pk")[:SHOWN]]
    return Agenda(
        days=_by_day(shown, first=first, zone=zone, today=now.astimezone(zone).date()),
        late=[_entry(one, now) for one in late[:LATE_SHOWN]],
        n_late=late.count(),
        n_shown=len(shown),
        n_all=within.count() if len(shown) == SHOWN else len(shown),
        kept=_kept(within),
        first=first,
        last=first + timedelta(days=DAYS - 1),
        before=first - timedelta(days=DAYS),
        after=first + timedelta(days=DAYS),
    )


def _entry(callback: Callback, now: datetime) -> Entry:
    local = callback.promised_at.astimezone(zone_of(callback.time_zone) or UTC)
    return Entry(
        callback=callback,
        theirs=f"{local:%a} {local.day} {local:%b %H:%M} {city_of(callback.time_zone)}",
        is_late=callback.state == CallbackState.PROMISED and callback.promised_at < now,
    )


def _by_day(entries: Sequence[Entry], *, first: date, zone: tzinfo, today: date) -> list[Day]:
    days: dict[date, list[Entry]] = {first + timedelta(days=n): [] for n in range(DAYS)}
    for entry in entries:
        days[entry.callback.promised_at.astimezone(zone).date()].append(entry)
    return [Day(day=day, is_today=day == today, entries=found) for day, found in days.items()]


def _kept(callbacks: QuerySet[Callback]) -> list[Kept]:
    rows = (
        callbacks.order_by()
        .values("by")
        .annotate(
            kept=Count("pk", filter=Q(state=CallbackState.KEPT)),
            missed=Count("pk", filter=Q(state=CallbackState.MISSED)),
            still_open=Count("pk", filter=Q(state=CallbackState.PROMISED)),
        )
    )
    counted = {row["by"]: (row["kept"], row["missed"], row["still_open"]) for row in rows}
    found = []
    for by, who in (("alex", "Alex"), ("human", "People")):
        kept, missed, still_open = counted.get(by, (0, 0, 0))
        found.append(Kept(who=who, kept=kept, missed=missed, still_open=still_open))
    return found
