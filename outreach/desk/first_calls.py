"""The calls of a campaign's first people: what an operator reads before the rest are called."""

from __future__ import annotations

from outreach.models import Call, Campaign

#: Calls to one of the first people that are shown at most, on average.
_CALLS_EACH = 3


def first_calls_of(campaign: Campaign) -> list[Call]:
    """Return the phone calls of the first people who were dialled, with their words and notes, in order."""
    placed = Call.objects.by_phone().filter(campaign=campaign, placed_at__isnull=False)
    oldest = placed.select_related("facilitator", "script").prefetch_related("turns", "notes")
    people: set[int | None] = set()
    calls = []
    for call in oldest.order_by("queued_at")[: _CALLS_EACH * max(1, campaign.canary_size)]:
        if call.facilitator_id not in people and len(people) >= campaign.canary_size:
            continue
        people.add(call.facilitator_id)
        calls.append(call)
    return calls
