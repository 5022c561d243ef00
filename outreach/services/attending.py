"""What operators decide about people: hold, release, priority. A person in a call gets a wish instead."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from outreach.domain.standing import CALLABLE, Standing
from outreach.models import Facilitator
from outreach.services import clock

_CALLABLE = sorted(standing.value for standing in CALLABLE)
#: Standings that an operator may open again; "not interested" and "suppressed" are the person's own word.
RELEASABLE = sorted(standing.value for standing in (Standing.HELD, Standing.NEEDS_REVIEW, Standing.EXHAUSTED))


@transaction.atomic
def hold(*, facilitator_ids: Collection[int], by: str, reason: str) -> int:
    """Hold people until somebody releases them; return how many are, or will be after their call."""
    sentence = f"{reason.strip() or 'Held'} ({by})"[:300]
    people = Facilitator.objects.filter(pk__in=facilitator_ids)
    wished = people.filter(standing=Standing.IN_CALL.value).update(
        wish=Standing.HELD.value, standing_reason=sentence
    )
    return wished + people.filter(standing__in=_CALLABLE).update(
        standing=Standing.HELD.value, standing_reason=sentence, next_call_at=None, updated_at=clock.now()
    )


@transaction.atomic
def release(*, facilitator_ids: Collection[int]) -> int:
    """Put held, exhausted and reviewed people back into the queue, due now; return how many.

    The gate looks at them as at everybody: a cap that holds goes on holding.
    """
    now = clock.now()
    people = Facilitator.objects.filter(pk__in=facilitator_ids)
    people.filter(standing=Standing.IN_CALL.value, wish=Standing.HELD.value).update(
        wish="", standing_reason=""
    )
    return people.filter(standing__in=RELEASABLE).update(
        standing=Standing.WAITING.value,
        standing_reason="",
        next_call_at=now,
        our_faults=0,
        not_called_code="",
        not_called_reason="",
        updated_at=now,
    )


def set_priority(*, facilitator_ids: Collection[int], priority: int) -> int:
    """Give people a priority from 1 (first) to 9 (last); return how many."""
    return Facilitator.objects.filter(pk__in=facilitator_ids).update(
        priority=priority, updated_at=clock.now()
    )
