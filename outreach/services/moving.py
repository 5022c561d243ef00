"""Moving people to another campaign, with their promises and attempts; their calls stay with the old one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from outreach.domain.standing import Standing
from outreach.models import Call, Campaign, CampaignState, Facilitator
from outreach.services import clock
from outreach.services.edits import record_edits


@dataclass(frozen=True, kw_only=True)
class Moved:
    """How many were moved, and of those who were not, how many for which reason."""

    n_people: int
    refused: dict[str, int]


class CannotMove(Exception):
    """Nobody can be moved there; the message says why and what to do."""


THERE_ALREADY = "They are in that campaign already."
NUMBER_IS_THERE = "Their number is in that campaign already, under this or another name."
IN_A_CALL = "They are in a call, or their last call is not settled yet: move them when it is over."
JUST_ADDED = "Somebody added the same numbers there this moment: move these people again."


def move(*, facilitator_ids: Collection[int], campaign_id: int, by: str) -> Moved:
    """Move people to a campaign, whose hours, caps and script hold for them from then on.

    A promised callback goes with them; the number that they know us by stays with it.

    :raises CannotMove: when the campaign is finished.
    """
    try:
        return _move(facilitator_ids, campaign_id, by)
    except IntegrityError:
        return Moved(n_people=0, refused={JUST_ADDED: len(facilitator_ids)})


@transaction.atomic
def _move(facilitator_ids: Collection[int], campaign_id: int, by: str) -> Moved:
    campaign = Campaign.objects.get(pk=campaign_id)
    if campaign.state == CampaignState.FINISHED:
        raise CannotMove("That campaign is finished: nobody is called in it. Choose another one.")
    rows = Facilitator.objects.select_for_update(no_key=True).filter(pk__in=facilitator_ids).order_by("pk")
    people = list(rows.only("pk", "number", "standing", "campaign_id"))
    going: list[int] = []
    refused: dict[str, int] = {}
    for person, why in _judged(people, campaign):
        if why:
            refused[why] = refused.get(why, 0) + 1
        else:
            going.append(person.pk)
    now = clock.now()
    Facilitator.objects.filter(pk__in=going).update(campaign=campaign, updated_at=now)
    record_edits(facilitator_ids=going, by=by, reason="Moved to another campaign", at=now)
    return Moved(n_people=len(going), refused=refused)


def _judged(people: list[Facilitator], campaign: Campaign) -> Iterator[tuple[Facilitator, str]]:
    """Yield each person with why they cannot be moved; empty: they can."""
    there = Facilitator.objects.filter(campaign=campaign, number__in=[person.number for person in people])
    taken = set(there.values_list("number", flat=True))
    open_calls = Call.objects.by_phone().filter(
        facilitator__in=[person.pk for person in people], settled_at__isnull=True
    )
    unsettled = set(open_calls.values_list("facilitator_id", flat=True))
    for person in people:
        if person.campaign_id == campaign.pk:
            yield person, THERE_ALREADY
        elif person.standing == Standing.IN_CALL.value or person.pk in unsettled:
            yield person, IN_A_CALL
        elif person.number in taken:
            yield person, NUMBER_IS_THERE
        else:
            taken.add(person.number)
            yield person, ""
