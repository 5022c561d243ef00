"""Campaigns: who is called, when, how fast, and whether at all."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from outreach.admin.base import KeptAdmin, go_to
from outreach.admin.browser_talk import subject_of_campaign, talk_page
from outreach.admin.campaign_actions import CampaignActions
from outreach.admin.campaign_form import CampaignForm
from outreach.admin.campaign_pages import CampaignPages
from outreach.admin.upload import upload_page
from outreach.desk import board
from outreach.desk.badges import badge
from outreach.desk.rendering import DASH, moment
from outreach.desk.standing import standing_of
from outreach.doctor import results
from outreach.models import Campaign, CheckStatus
from outreach.services import clock
from outreach.services.scripts import new_version, seed_script

#: Checks that ask for nothing.
_WELL = (CheckStatus.OK, CheckStatus.SKIPPED)


def _usual(title: str, *fields: Any) -> tuple[str, dict[str, Any]]:
    """Return settings that have good defaults: folded away, and open where something in them is wrong."""
    return title, {"fields": fields, "classes": ["collapse"]}


@admin.register(Campaign)
class CampaignAdmin(CampaignPages, CampaignActions, KeptAdmin):
    """One campaign per row; the buttons of its page start and stop it."""

    form = CampaignForm
    list_display = ("name", "state_badge", "people", "progress", "next_call", "script")
    list_filter = ("state",)
    list_select_related = ("script",)
    search_fields = ("name__icontains",)
    ordering = ("name",)
    change_form_outer_before_template = "outreach/campaign.html"

    class Media:
        css = {"all": ["outreach/campaign.css"]}

    fieldsets = (
        ("What is offered", {"fields": (("name", "script"), ("company", "platform"), "platform_facts")}),
        ("Numbers", {"fields": ("caller_ids", ("callback_number", "default_country"))}),
        _usual("First and last day", "starts_at", "ends_at", "keeps_callbacks"),
        _usual("When people may be called", "call_window", "callback_window", "skip_public_holidays"),
        _usual(
            "How often",
            ("max_attempts", "min_gap_hours"),
            ("max_attempts_a_day", "max_attempts_a_day_after_busy"),
            ("max_attempts_in_30_days", "quiet_days_after_no"),
            "retry_policy",
        ),
        _usual("One call", ("ring_timeout", "max_duration"), ("silence", "leave_voicemail")),
        _usual("After a conversation", "asks_for", ("notify", "notify_daily")),
        _usual("Pacing", ("calls_per_second", "max_open_calls"), "canary_size"),
        _usual("What Alex says", "words"),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the settings; the words of Alex once there is a script, for those who may write one."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not request.user.has_perm("outreach.add_scriptversion"):
            return [(title, options) for title, options in fieldsets if "words" not in options["fields"]]
        return fieldsets

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
            checks = results.latest(campaign=campaign)
            more = {
                **standing_of(campaign),
                "checks": checks,
                "checks_open": [check for check in checks if check.status not in _WELL],
                "checks_well": [check for check in checks if check.status in _WELL],
                "may_check": self.has_run_checks_permission(request),
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Offer one way to save: it comes back to the campaign's page, where the preflight is."""
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **one_way})

    def response_post_save_add(self, request: HttpRequest, obj: Campaign) -> HttpResponse:
        return go_to(request, reverse("admin:outreach_campaign_change", args=[obj.pk]))

    response_post_save_change = response_post_save_add

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        if change:
            # Every dial locks this row: a change counts for the next dial, never for half of one.
            Campaign.objects.select_for_update().get(pk=obj.pk)
        else:
            obj.created_at = clock.now()
            obj.script_id = obj.script_id or seed_script().pk
        if change and "words" in form.changed_data:
            by = request.user.get_username()
            obj.script = new_version(name=obj.script.name, body=form.cleaned_data["words"], by=by)
        super().save_model(request, obj, form, change)

    def written_fields(self, form: ModelForm) -> list[str]:
        """Return the columns that a save may write; other words are another version of the script."""
        written = super().written_fields(form)
        return [*{"script" if name == "words" else name for name in written}]

    def has_make_campaign_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may make a campaign."""
        return self.has_add_permission(request)

    def has_read_words_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may read what was said in calls."""
        return request.user.has_perms(["outreach.view_call", "outreach.read_transcript"])

    @action(
        description="Upload people",
        url_path="upload",
        permissions=["import"],
        icon="upload_file",
    )
    def upload(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return upload_page(self, request, campaign_id=int(object_id))

    @action(description="Talk to Alex", url_path="talk", permissions=["talk_in_browser"], icon="mic")
    def talk(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return talk_page(self, request, subject_of_campaign(object_id))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list with its campaigns' counts: asked once for all rows, not row by row."""
        changelist = super().get_changelist_instance(request)
        rows: list[Any] = list(changelist.result_list)
        next_calls, now = board.next_calls(rows), clock.now()
        for row, count in zip(rows, board.campaign_counts(rows), strict=True):
            row.count = count
            at = next_calls.get(row.pk) if row.state == "running" else None
            row.next_call = "now" if at is not None and at <= now else moment(at)
        changelist.result_list = rows
        return changelist

    @display(description="State", ordering="state")
    def state_badge(self, campaign: Campaign) -> SafeString | str:
        """Return the state, and below it why it is so and what it waits for."""
        why = campaign.state_reason
        if campaign.release_at and campaign.state == "held":
            why = f"{why} Until {moment(campaign.release_at)}."
        state = badge(campaign.state, campaign.get_state_display())
        if campaign.canary_state == "waiting":
            state = format_html("{} {}", state, badge("waiting_for_go", campaign.get_canary_state_display()))
        return format_html('{}<br><small class="desk-quiet">{}</small>', state, why) if why else state

    @display(description="People")
    def people(self, campaign: Any) -> int:
        return int(campaign.count.n_people)

    @display(description="Progress")
    def progress(self, campaign: Any) -> SafeString | str:
        if not campaign.count.n_people:
            return DASH
        context = {"standings": campaign.count.standings, "done_percent": campaign.count.done_percent}
        return render_to_string("outreach/board/progress.html", context)

    @display(description="Next call")
    def next_call(self, campaign: Any) -> str:
        return str(campaign.next_call)
