"""Never calling a number again: for ever, everywhere, at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from outreach.domain.standing import Standing
from outreach.models import Call, Callback, CallbackState, Facilitator, Suppression, SuppressionSource
from outreach.services import clock, hook_events
from outreach.services.locks import lock_number, lock_numbers


@transaction.atomic
def suppress(
    *, number: str, source: SuppressionSource, reason: str = "", call: Call | None = None, by: str = ""
) -> Suppression:
    """Suppress `number` in every campaign and return the suppression; doing it twice changes nothing.

    Takes the number's lock, so a dial intent either committed before (and its call is in progress)
    or sees the suppression. People in a call are settled as suppressed when it ends.

    :param call: in which they said so; its row is locked first, as whoever settles it does.
    """
    if call is not None:
        Call.objects.select_for_update(no_key=True).only("pk").get(pk=call.pk)
    lock_number(number)
    now = clock.now()
    suppression, is_new = Suppression.objects.get_or_create(
        number=number,
        defaults={
            "source": source,
            "reason": reason[:300],
            "call": call,
            "created_by": by,
            "created_at": now,
        },
    )
    _leave_alone([number], now=now)
    if is_new and source is not SuppressionSource.IMPORT:
        hook_events.note_opt_out(suppression, now=now)
    return suppression


@dataclass(frozen=True, kw_only=True)
class Suppressed:
    """What suppressing many numbers changed."""

    new: int
    people: int
    """People who stood elsewhere and are not called any more, or will not be after their call."""


@transaction.atomic
def suppress_all(*, reasons: Mapping[str, str], source: SuppressionSource, by: str) -> Suppressed:
    """Suppress the numbers of `reasons` as `suppress` does one; what is suppressed keeps its own reason."""
    lock_numbers(reasons)
    now = clock.now()
    known = set(Suppression.objects.filter(number__in=reasons).values_list("number", flat=True))
    rows = [
        Suppression(number=number, source=source, reason=reason[:300], created_by=by[:150], created_at=now)
        for number, reason in reasons.items()
        if number not in known
    ]
    Suppression.objects.bulk_create(rows)
    people = _leave_alone(reasons, now=now)
    if source is not SuppressionSource.IMPORT:
        for suppression in rows:
            hook_events.note_opt_out(suppression, now=now)
    return Suppressed(new=len(rows), people=people)


def _leave_alone(numbers: Collection[str], *, now: datetime) -> int:
    """Close everybody with these numbers, those in a call when it ends; return how many were not yet."""
    everybody = Facilitator.objects.filter(number__in=list(numbers)).order_by("pk")
    open_ones = everybody.exclude(standing=Standing.SUPPRESSED.value)
    # In the order of their ids, as operators lock people: so two of them never wait for each other.
    ids = list(open_ones.select_for_update(no_key=True).values_list("pk", flat=True))
    people = Facilitator.objects.filter(pk__in=ids)
    people.filter(standing=Standing.IN_CALL.value).update(wish=Standing.SUPPRESSED.value)
    people.exclude(standing=Standing.IN_CALL.value).update(
        standing=Standing.SUPPRESSED.value,
        standing_reason="This number must never be called.",
        next_call_at=None,
        not_called_code="suppressed",
        not_called_reason="This number must never be called.",
        updated_at=now,
    )
    promised = Callback.objects.filter(facilitator__number__in=list(numbers), state=CallbackState.PROMISED)
    promised.update(state=CallbackState.CANCELED, closed_at=now)
    return len(ids)
