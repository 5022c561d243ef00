"""How one campaign stands: the strip at the head of its page, which follows what happens."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from outreach.desk import board
from outreach.models import Call, Campaign
from outreach.services import clock


def standing_of(campaign: Campaign) -> dict[str, Any]:
    """Return what the strip shows."""
    (count,) = board.campaign_counts([campaign])
    return {
        "campaign": campaign,
        "count": count,
        "next_call_at": board.next_calls([campaign]).get(campaign.pk),
        "n_open": Call.objects.open().by_phone().filter(campaign=campaign).count(),
        "now": clock.now(),
    }


def standing_html(campaign_id: int, zone: str) -> str | None:
    """Return the strip with its times in `zone`; None when there is no such campaign."""
    campaign = Campaign.objects.select_related("script").filter(pk=campaign_id).first()
    if campaign is None:
        return None
    with timezone.override(zone):
        return render_to_string("outreach/campaign_standing.html", standing_of(campaign))
