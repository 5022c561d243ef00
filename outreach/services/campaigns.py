"""Starting, pausing, holding campaigns, and the switch that stops all dialing.

Each takes the row that every dial intent locks FOR SHARE: when the click has returned, nobody is
dialled any more.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from django.conf import settings
from django.db import transaction
from django.db.models import F

from outreach.domain.dialing_mode import DialingMode
from outreach.models import Campaign, CampaignState, CanaryState, DialingControl, ScriptVersion
from outreach.services import clock
from outreach.services.scripts import seed_script

logger = logging.getLogger(__name__)

RECOVERED_AFTER = timedelta(minutes=10)
"""A campaign that has called for so long after a hold has recovered: another hold is a new trouble."""


class Refused(Exception):
    """What was asked cannot be done now; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class NewCampaign:
    """The facts without which nobody can be called."""

    name: str
    company: str
    platform: str
    platform_facts: str
    caller_ids: Sequence[str]
    default_country: str
    callback_number: str = ""
    asks_for: Sequence[Mapping[str, str]] = ()
    """What is read out of each conversation: `name` and `question`."""


@transaction.atomic
def create_campaign(facts: NewCampaign, *, script: ScriptVersion | None = None) -> Campaign:
    """Create a campaign in draft, with the defaults for everything else, and return it.

    :raises Refused: when the name is taken.
    """
    if Campaign.objects.filter(name=facts.name).exists():
        raise Refused(f'A campaign named "{facts.name}" exists already.')
    return Campaign.objects.create(
        name=facts.name,
        script=script or seed_script(),
        company=facts.company,
        platform=facts.platform,
        platform_facts=facts.platform_facts,
        callback_number=facts.callback_number,
        caller_ids=list(facts.caller_ids),
        default_country=facts.default_country,
        asks_for=[dict(field) for field in facts.asks_for],
        created_at=clock.now(),
    )


#: What a copy does not take over: what has happened to the campaign, and its days.
_NOT_COPIED = {
    *("id", "name", "state", "state_reason", "state_changed_at", "release_at", "starts_at", "ends_at"),
    *("failing_since", "heard_script", "canary_state", "unready_streak", "refused_streak", "created_at"),
}


@transaction.atomic
def duplicate(*, campaign_id: int) -> Campaign:
    """Create a campaign in draft with the settings of another and nobody in it, and return it."""
    original = Campaign.objects.get(pk=campaign_id)
    copied = {
        field.attname: getattr(original, field.attname)
        for field in Campaign._meta.concrete_fields
        if field.name not in _NOT_COPIED
    }
    return Campaign.objects.create(**copied, name=_name_of_copy(original.name), created_at=clock.now())


def _name_of_copy(name: str) -> str:
    """Return the first free name "… (copy)", "… (copy 2)" and so on."""
    stem = re.sub(r" \(copy(?: \d+)?\)$", "", name)[:100]
    numbered = (f"{stem} (copy{f' {n}' if n > 1 else ''})" for n in itertools.count(1))
    return next(free for free in numbered if not Campaign.objects.filter(name=free).exists())


@transaction.atomic
def start(*, campaign_id: int, by: str) -> Campaign:
    """Start or resume a campaign; its first live start begins with a canary.

    :raises Refused: when it lacks what a call needs.
    """
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if not campaign.caller_ids:
        raise Refused("The campaign has no caller ID. Add a number that Twilio lets you call from.")
    if campaign.canary_state == CanaryState.WAITING:
        raise Refused("The first people were called. Look at their calls, then say go.")
    if (
        settings.DIALING is DialingMode.LIVE
        and campaign.canary_state == CanaryState.NONE
        and campaign.canary_size
    ):
        campaign.canary_state = CanaryState.RUNNING
    campaign.unready_streak = campaign.refused_streak = 0
    return set_state(campaign, CampaignState.RUNNING, reason="", by=by)


@transaction.atomic
def go_on_after_canary(*, campaign_id: int, by: str) -> Campaign:
    """Let a campaign go on whose first people were called.

    :raises Refused: when it is not waiting for that.
    """
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.canary_state != CanaryState.WAITING:
        raise Refused("This campaign does not wait for a go.")
    campaign.canary_state = CanaryState.PASSED
    return set_state(campaign, CampaignState.RUNNING, reason="", by=by)


@transaction.atomic
def pause(*, campaign_id: int, by: str, reason: str = "") -> Campaign:
    """Pause a campaign: calls in progress go on, nobody new is dialled once this has returned."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    return set_state(campaign, CampaignState.PAUSED, reason=reason or f"Paused by {by}.", by=by)


@transaction.atomic
def hold(*, campaign_id: int, reason: str, release_after: timedelta | None) -> None:
    """Hold a running campaign, with a reason; None means that a person must resume it."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.state != CampaignState.RUNNING:
        return
    now = clock.now()
    if release_after is not None:
        campaign.release_at = now + release_after
        running_since = campaign.state_changed_at or now
        if campaign.failing_since is None or running_since <= now - RECOVERED_AFTER:
            campaign.failing_since = now
    set_state(campaign, CampaignState.HELD, reason=reason, by="the system")
    logger.warning("campaign held", extra={"campaign_id": campaign_id, "reason": reason})


@transaction.atomic
def release_held() -> int:
    """Resume the campaigns whose own hold is over; return how many."""
    now = clock.now()
    over = Campaign.objects.select_for_update().filter(state=CampaignState.HELD, release_at__lte=now)
    return over.update(
        state=CampaignState.RUNNING,
        state_reason="",
        release_at=None,
        state_changed_at=now,
        unready_streak=0,
        refused_streak=0,
    )


def set_state(campaign: Campaign, state: CampaignState, *, reason: str, by: str) -> Campaign:
    """Write a campaign's state; the caller has locked its row."""
    campaign.state = state.value
    campaign.state_reason = reason[:300]
    campaign.state_changed_at = clock.now()
    if state is not CampaignState.HELD:
        campaign.release_at = campaign.failing_since = None
    campaign.save()
    logger.info("campaign state set", extra={"campaign_id": campaign.pk, "state": state.value, "by": by})
    return campaign


def count_unready(*, campaign_id: int) -> int:
    """Count one more call for which no agent became ready; return the streak."""
    Campaign.objects.filter(pk=campaign_id).update(unready_streak=F("unready_streak") + 1)
    return int(Campaign.objects.values_list("unready_streak", flat=True).get(pk=campaign_id))


def count_refusal(*, campaign_id: int) -> int:
    """Count one more call in a row that the carrier did not take; return the streak."""
    Campaign.objects.filter(pk=campaign_id).update(refused_streak=F("refused_streak") + 1)
    return int(Campaign.objects.values_list("refused_streak", flat=True).get(pk=campaign_id))


def end_streak(*, campaign: Campaign, streak: Literal["unready_streak", "refused_streak"]) -> None:
    """Set a streak to zero: an agent was ready, or the carrier took a call. Runs in a transaction.

    Where `campaign`, just read, has none, nothing is asked. Never waits for the campaign's row: callers
    hold a call's, for which an intent that shares the campaign may wait. Where somebody has it, the next
    call ends the streak.
    """
    if not getattr(campaign, streak):
        return
    broken = Campaign.objects.filter(pk=campaign.pk, **{f"{streak}__gt": 0})
    if broken.select_for_update(skip_locked=True, no_key=True).first() is not None:
        Campaign.objects.filter(pk=campaign.pk).update(**{streak: 0})


@transaction.atomic
def stop_all_dialing(*, by: str, reason: str) -> None:
    """Stop all dialing in every campaign; when this has returned, nobody is dialled any more."""
    control = DialingControl.objects.select_for_update().get(pk=1)
    control.stopped = True
    control.stopped_at = clock.now()
    control.stopped_by = by
    control.stop_reason = reason[:300]
    control.save()
    logger.warning("all dialing stopped", extra={"by": by})


@transaction.atomic
def resume_dialing(*, by: str) -> None:
    """Lift the stop."""
    control = DialingControl.objects.select_for_update().get(pk=1)
    control.stopped = False
    control.stopped_at = None
    control.stopped_by = control.stop_reason = ""
    control.save()
    logger.warning("all dialing resumed", extra={"by": by})
