"""That an operator has heard on a phone what a campaign's people will hear."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef

from outreach.models import Call, Campaign, Channel


def note_heard(call: Call) -> None:
    """Note that the words of a trial call were heard, if somebody picked up. Runs in a transaction.

    Never waits for the campaign's row: the caller holds a call's. Where somebody has it, `catch_up` does it.
    """
    if call.answered_at is None or call.our_fault:
        return
    campaign = Campaign.objects.filter(pk=call.campaign_id)
    if campaign.select_for_update(skip_locked=True, no_key=True).first() is not None:
        campaign.update(heard_script=call.script_id)


def catch_up() -> int:
    """Note what was heard while the campaign's row was taken; return for how many campaigns."""
    trials = Call.objects.filter(
        campaign=OuterRef("pk"),
        script=OuterRef("script"),
        channel=Channel.TRIAL.value,
        answered_at__isnull=False,
        settled_at__isnull=False,
        our_fault=False,
    )
    unheard = Campaign.objects.exclude(state="finished").exclude(heard_script=F("script"))
    return unheard.filter(Exists(trials)).update(heard_script=F("script"))
