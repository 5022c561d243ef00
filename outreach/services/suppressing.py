"""Never calling a number again: for ever, everywhere, at once."""

from __future__ import annotations

from django.db import transaction

from outreach.domain.standing import Standing
from outreach.models import Call, Callback, CallbackState, Facilitator, Suppression, SuppressionSource
from outreach.services import clock, hook_events
from outreach.services.locks import lock_number


@transaction.atomic
def suppress(
    *, number: str, source: SuppressionSource, reason: str = "", call: Call | None = None, by: str = ""
) -> Suppression:
    """Suppress `number` in every campaign and return the suppression; doing it twice changes nothing.

    Takes the number's lock, so a dial intent either committed before (and its call is in progress)
    or sees the suppression. People in a call are settled as suppressed when it ends.
    """
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
    people = Facilitator.objects.filter(number=number).exclude(standing=Standing.SUPPRESSED.value)
    people.filter(standing=Standing.IN_CALL.value).update(wish=Standing.SUPPRESSED.value)
    people.exclude(standing=Standing.IN_CALL.value).update(
        standing=Standing.SUPPRESSED.value,
        standing_reason="This number must never be called.",
        next_call_at=None,
        not_called_code="suppressed",
        not_called_reason="This number must never be called.",
        updated_at=now,
    )
    Callback.objects.filter(facilitator__number=number, state=CallbackState.PROMISED).update(
        state=CallbackState.CANCELED, closed_at=now
    )
    if is_new and source is not SuppressionSource.IMPORT:
        hook_events.note_opt_out(suppression, now=now)
    return suppression
