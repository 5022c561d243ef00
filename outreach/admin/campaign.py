"""Campaigns: who is called, when, how fast, and whether at all."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display

from outreach.admin.base import KeptAdmin
from outreach.admin.campaign_actions import CampaignActions
from outreach.admin.campaign_form import CampaignForm
from outreach.admin.upload import upload_page
from outreach.desk import board
from outreach.desk.badges import badge
from outreach.desk.rendering import moment
from outreach.models import Campaign
from outreach.services import clock
from outreach.services.scripts import seed_script


@admin.register(Campaign)
class CampaignAdmin(CampaignActions, KeptAdmin):
    """One campaign per row; the buttons of its page start and stop it."""

    form = CampaignForm
    list_display = ("name", "state_badge", "reason", "canary", "script")
    list_filter = ("state",)
    list_select_related = ("script",)
    search_fields = ("name__icontains",)
    ordering = ("name",)
    change_form_outer_before_template = "outreach/campaign.html"
    fieldsets = (
        ("What is offered", {"fields": (("name", "script"), ("company", "platform"), "platform_facts")}),
        ("Numbers", {"fields": ("caller_ids", ("callback_number", "default_country"))}),
        (
            "When people may be called",
            {"fields": ("call_window", "callback_window", "skip_public_holidays")},
        ),
        (
            "How often",
            {
                "fields": (
                    ("max_attempts", "max_attempts_a_day", "max_attempts_a_day_after_busy"),
                    ("min_gap_hours", "max_attempts_in_30_days", "quiet_days_after_no"),
                    "retry_policy",
                )
            },
        ),
        ("One call", {"fields": (("ring_timeout", "max_duration"), ("silence", "leave_voicemail"))}),
        ("Pacing", {"fields": (("calls_per_second", "max_open_calls", "canary_size"),)}),
    )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        campaign = self.get_object(request, object_id)
        more: dict[str, Any] = {}
        if campaign is not None:
            standings = board.standings_of(campaign.pk)
            more = {"campaign": campaign, "standings": standings, "n_people": sum(standings.values())}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        if change:
            # Every dial locks this row: a change counts for the next dial, never for half of one.
            Campaign.objects.select_for_update().get(pk=obj.pk)
        else:
            obj.created_at = clock.now()
            obj.script_id = obj.script_id or seed_script().pk
        super().save_model(request, obj, form, change)

    @action(
        description="Upload people",
        url_path="upload",
        permissions=["import"],
        icon="upload_file",
    )
    def upload(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return upload_page(self, request, campaign_id=int(object_id))

    @display(description="State", ordering="state")
    def state_badge(self, campaign: Campaign) -> str:
        return badge(campaign.state, campaign.get_state_display())

    @display(description="Why")
    def reason(self, campaign: Campaign) -> str:
        if campaign.release_at and campaign.state == "held":
            return f"{campaign.state_reason} (until {moment(campaign.release_at)})"
        return campaign.state_reason

    @display(description="Canary", ordering="canary_state")
    def canary(self, campaign: Campaign) -> str:
        if campaign.canary_state == "waiting":
            return badge("waiting_for_go", campaign.get_canary_state_display())
        return campaign.get_canary_state_display()
