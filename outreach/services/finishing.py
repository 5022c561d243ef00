"""The end of a campaign: nobody new is called, and what was promised is kept or visibly given up."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from outreach.domain.standing import Standing
from outreach.models import Callback, CallbackState, Campaign, CampaignState, Facilitator
from outreach.services import clock
from outreach.services.campaigns import set_state

logger = logging.getLogger(__name__)

#: States that end by themselves when the last day is over; a draft was never begun.
_BEGUN = [CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD]


def promised_in(campaign_id: int, *, until: datetime | None = None) -> QuerySet[Callback]:
    """Return what Alex has promised to people of a campaign and not kept yet, soonest first.

    :param until: leave out what is promised for later.
    """
    promised = Callback.objects.filter(
        facilitator__campaign=campaign_id, state=CallbackState.PROMISED, by="alex"
    )
    if until is not None:
        promised = promised.filter(promised_at__lte=until)
    return promised.order_by("promised_at")


@transaction.atomic
def finish(*, campaign_id: int, by: str, keep_callbacks: bool) -> int:
    """Finish a campaign: nobody new of it is dialled once this has returned; return the promises in it.

    :param keep_callbacks: whether Alex still makes the callbacks that he promised. If not, they are canceled
        and their people held, so that somebody sees to whom we break our word.
    """
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    campaign.keeps_callbacks = keep_callbacks
    reason = f"Finished by {by}."
    set_state(campaign, CampaignState.FINISHED, reason=reason, by=by)
    promised = promised_in(campaign_id)
    if keep_callbacks:
        return promised.count()
    return _give_up(promised, reason=f"{reason} The promised call was given up."[:300])


def _give_up(promised: QuerySet[Callback], *, reason: str) -> int:
    now = clock.now()
    owed = list(promised.values_list("facilitator_id", flat=True))
    # People before promises, as everywhere; whoever is in the call for theirs is left to it.
    people = Facilitator.objects.filter(pk__in=owed, standing=Standing.CALLBACK_DUE.value)
    waiting = list(people.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    Facilitator.objects.filter(pk__in=waiting).update(
        standing=Standing.HELD.value, standing_reason=reason, next_call_at=None, updated_at=now
    )
    return Callback.objects.filter(facilitator__in=waiting, state=CallbackState.PROMISED).update(
        state=CallbackState.CANCELED, closed_at=now
    )


def finish_over() -> int:
    """Finish the campaigns whose last day is over; return how many. Promises are kept as they say."""
    over = Campaign.objects.filter(state__in=_BEGUN, ends_at__lte=clock.now())
    ids = list(over.values_list("pk", flat=True))
    for campaign_id in ids:
        with transaction.atomic():
            campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
            if campaign.state in _BEGUN:
                set_state(campaign, CampaignState.FINISHED, reason="Its last day is over.", by="the system")
    return len(ids)
