"""The pages of a campaign beside its form: its preflight, its first people's calls."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from outreach.desk.first_calls import first_calls_of
from outreach.desk.preflight import forecast_in_words, preflight_of, ways_out, why_in_words
from outreach.domain.call_window import InvalidCallWindow
from outreach.domain.standing import Standing
from outreach.models import AccessKind, Campaign, CanaryState
from outreach.services import clock
from outreach.services.accesses import note_access

#: Reasons told per heap; more are summed up.
REASONS_TOLD = 12


class CampaignPages:
    """Views of one campaign."""

    admin_site: Any
    model: Any
    media: Any

    def get_urls(self) -> list[URLPattern]:
        """Return the campaign's own addresses before the form's."""
        own = self.admin_site.admin_view
        return [
            path("<int:campaign_id>/preflight/", own(self.preflight), name="outreach_campaign_preflight"),
            path("<int:campaign_id>/first/", own(self.first_people), name="outreach_campaign_first_people"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def preflight(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        """Return what stands in the way, who can be called, and when it will be through."""
        campaign = self._seen(request, campaign_id)
        try:
            found = preflight_of(campaign)
        except InvalidCallWindow as problem:
            return render(request, "outreach/campaign_preflight.html", {"problem": str(problem)})
        heaps = [
            ("Later", found.people.n_later, found.people.later),
            ("After you have mended something", found.people.n_to_mend, found.people.to_mend),
            ("Not again in this campaign", found.people.n_never, found.people.never),
        ]
        told = [
            {
                "title": title,
                "n_people": n,
                "reasons": [(why, why_in_words(why)) for why in heap[:REASONS_TOLD]],
                "rest": sum(why.n_people for why in heap[REASONS_TOLD:]),
            }
            for title, n, heap in heaps
            if n
        ]
        context = {
            "campaign": campaign,
            "found": found,
            "items": ways_out(found.items, campaign, request.user),
            "now": clock.now(),
            "standings": [standing.value for standing in Standing],
            "heaps": told,
            "forecast": forecast_in_words(found.outlook, campaign),
        }
        return render(request, "outreach/campaign_preflight.html", context)

    def first_people(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        """Show the first people's calls with all that was said, and the button that lets the rest go."""
        campaign = self._seen(request, campaign_id)
        if not (
            request.user.has_perm("outreach.read_transcript") and request.user.has_perm("outreach.view_call")
        ):
            raise PermissionDenied
        calls = first_calls_of(campaign)
        n_turns = sum(len(call.turns.all()) for call in calls)
        what = f"first calls of campaign {campaign.pk}"
        note_access(user=request.user, kind=AccessKind.TRANSCRIPT, what=what, n_rows=n_turns)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "media": self.media,
            "title": f"First calls of {campaign}",
            "campaign": campaign,
            "calls": calls,
            "n_people": len({call.facilitator_id for call in calls}),
            "waits": campaign.canary_state == CanaryState.WAITING,
            "may_go": request.user.has_perm("outreach.change_campaign"),
        }
        return TemplateResponse(request, "outreach/campaign_first.html", context)

    def _seen(self, request: HttpRequest, campaign_id: int) -> Campaign:
        if not request.user.has_perm("outreach.view_campaign"):
            raise PermissionDenied
        campaign = Campaign.objects.select_related("script").filter(pk=campaign_id).first()
        if campaign is None:
            raise Http404
        return campaign
