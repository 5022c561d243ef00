"""The numbers that we call from: which may be used now, and how they are doing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Count, Q

from outreach.models import Call, CallerId, Campaign, Channel
from outreach.services import clock

#: Every number that a campaign names gets its row, so that it can rest.
_MAKE_ROWS = """
INSERT INTO outreach_callerid (number, label, rest_reason, created_at)
SELECT DISTINCT number, '', '', %s::timestamptz FROM outreach_campaign, unnest(caller_ids) AS number
WHERE number ~ '^\\+[1-9][0-9]{5,14}$'
ON CONFLICT (number) DO NOTHING
"""
#: Only what may be closed is locked: all other intents pass each other by.
_MAY_BE_CLOSED = """
SELECT daily_cap, coalesce(rests_until > %(now)s, false) FROM outreach_callerid
WHERE number = %(number)s AND (daily_cap IS NOT NULL OR rests_until > %(now)s)
FOR NO KEY UPDATE
"""
_DIALLED = """
SELECT count(*) FROM outreach_call
WHERE caller_id = %(number)s AND queued_at >= %(queued_since)s AND dialing_at >= %(midnight)s
    AND channel <> 'web'
"""
#: How long a call may wait before it is dialled, generously: until then one of yesterday may count today.
_DIALLED_WITHIN = timedelta(hours=1)


class CannotRest(Exception):
    """Nothing was changed; the message says why."""


@dataclass(kw_only=True)
class Pool:
    """A campaign's numbers, and how often each may be used now."""

    numbers: list[str]
    closed: set[str] = field(default_factory=set)
    """Those that rest, or have made their calls for today."""
    left: dict[str, int] = field(default_factory=dict)
    """Calls that are left today of the numbers with a cap."""
    why_none: str = ""
    """Why none may be used; empty: one may."""

    @property
    def n_left(self) -> int | None:
        """Return how many calls all of them may still make; None: as many as there are people."""
        usable = [number for number in self.numbers if number not in self.closed]
        if any(number not in self.left for number in usable):
            return None
        return sum(self.left[number] for number in usable)

    def take(self, person_id: int, *, known: str = "") -> str | None:
        """Return the number to call somebody from: the one they know, else a fixed one of the pool.

        Where that one is closed, the next of the pool; None when all are.
        """
        start = person_id % len(self.numbers) if self.numbers else 0
        in_turn = [*([known] if known else []), *self.numbers[start:], *self.numbers[:start]]
        number = next((number for number in in_turn if number not in self.closed), None)
        if number is not None and number in self.left:
            self.left[number] -= 1
            if not self.left[number]:
                self.closed.add(number)
        return number


def pool_of(campaign: Campaign, now: datetime, *, known: Iterable[str] = ()) -> Pool:
    """Return the numbers that `campaign` may call from at `now`.

    :param known: numbers by which people know us, used for them although the campaign may have others now.
    """
    named = {*campaign.caller_ids, *known}
    rows = {row.number: row for row in CallerId.objects.filter(number__in=named)}
    used = used_today([row.number for row in rows.values() if row.daily_cap is not None], now)
    return pool(campaign.caller_ids, known=rows, used=used, now=now)


def pool(
    numbers: Sequence[str], *, known: Mapping[str, CallerId], used: Mapping[str, int], now: datetime
) -> Pool:
    """Return how `numbers` may be used, given our numbers' rows and the calls that each made today."""
    resting = {row.number for row in known.values() if row.rests_until is not None and row.rests_until > now}
    caps = {row.number: row.daily_cap for row in known.values() if row.daily_cap is not None}
    left = {number: max(0, cap - used.get(number, 0)) for number, cap in caps.items()}
    closed = resting | {number for number, n in left.items() if not n}
    none = not set(numbers) - closed
    return Pool(
        numbers=list(numbers),
        closed=closed,
        left=left,
        why_none=_why_none(len(numbers), len(resting.intersection(numbers))) if none else "",
    )


def _why_none(n: int, resting: int) -> str:
    if not n:
        return "The campaign has no number to call from."
    capped = n - resting
    if not capped:
        return "Every number to call from rests: wake one, or add another to the campaign."
    if not resting:
        return "Every number to call from has made its calls for today: raise a cap, or add another number."
    return (
        "Every number to call from rests or has made its calls for today: wake one, raise a cap, or add "
        "another number."
    )


def used_today(numbers: Sequence[str], now: datetime) -> dict[str, int]:
    """Return how many calls each of `numbers` made since midnight UTC, or is about to make."""
    if not numbers:
        return {}
    midnight = _midnight(now)
    calls = Call.objects.filter(caller_id__in=numbers, queued_at__gte=midnight - _DIALLED_WITHIN)
    made = Q(dialing_at__gte=midnight) | Q(dialing_at__isnull=True, ended_at__isnull=True)
    counted = calls.filter(made).exclude(channel=Channel.WEB).order_by().values_list("caller_id")
    return dict(counted.annotate(n=Count("pk")))


def why_closed(number: str, *, now: datetime) -> str:
    """Return why nobody may be called from `number` now, or an empty string; runs in a dial intent.

    A number with a cap stays locked until the intent is over, so that the next one counts its call.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MAY_BE_CLOSED, {"number": number, "now": now})
        found = cursor.fetchone()
        if found is None:
            return ""
        cap, rests = found
        if rests:
            return "The number to call from rests."
        # In a statement of its own: one that waited for the lock would still count as of before.
        midnight = _midnight(now)
        queued_since = midnight - _DIALLED_WITHIN
        cursor.execute(_DIALLED, {"number": number, "midnight": midnight, "queued_since": queued_since})
        (n_made,) = cursor.fetchone()
    return "The number to call from has made its calls for today." if n_made >= cap else ""


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def make_rows() -> None:
    """Give every number that a campaign calls from a row of its own. Idempotent."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_ROWS, [clock.now()])


@transaction.atomic
def rest(*, caller_id: int, days: int, reason: str) -> CallerId:
    """Call nobody from a number for so many days."""
    row = CallerId.objects.select_for_update().get(pk=caller_id)
    row.rests_until = clock.now() + timedelta(days=days)
    row.rest_reason = reason[:300]
    row.save(update_fields=["rests_until", "rest_reason"])
    return row


@transaction.atomic
def wake(*, caller_id: int) -> CallerId:
    """Call from a number again.

    :raises CannotRest: when it does not rest.
    """
    row = CallerId.objects.select_for_update().get(pk=caller_id)
    if row.rests_until is None or row.rests_until <= clock.now():
        raise CannotRest("This number does not rest.")
    row.rests_until = None
    row.rest_reason = ""
    row.save(update_fields=["rests_until", "rest_reason"])
    return row
