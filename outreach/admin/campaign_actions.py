"""The buttons of a campaign's page. Each is a POST behind a question; what it may do, the service says."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from kombu.exceptions import OperationalError
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from outreach import tasks
from outreach.admin.base import go_to
from outreach.admin.campaign_dialogs import FinishForm, PauseForm, StartForm
from outreach.admin.campaign_further import CampaignFurtherActions
from outreach.admin.dialogs import dialog
from outreach.desk.preflight import doctors
from outreach.models import Campaign, CampaignState, CanaryState
from outreach.services import campaigns
from outreach.services.finishing import finish
from outreach.services.preflight import start_checked

_MAY_CHANGE = ["change"]
_STATES = CampaignState

#: Which buttons fit a campaign as it stands.
_FITTING: dict[str, Callable[[Campaign], bool]] = {
    "finish_campaign": lambda c: c.state not in (_STATES.DRAFT, _STATES.FINISHED),
    "redial_campaign": lambda c: c.state != _STATES.DRAFT,
    "first_calls": lambda c: c.canary_state != CanaryState.NONE,
    "start_campaign": lambda c: c.state != _STATES.RUNNING and c.canary_state != CanaryState.WAITING,
    "go_on": lambda c: c.canary_state == CanaryState.WAITING,
    "pause_campaign": lambda c: c.state in (_STATES.RUNNING, _STATES.HELD),
}


class CampaignActions(CampaignFurtherActions):
    """Start, pause, go on after the canary, finish; a dropdown for the rest."""

    actions_detail = (
        *("start_campaign", "first_calls", "pause_campaign", "call_me", "upload"),
        {
            "title": "More",
            "icon": "more_horiz",
            "items": [
                *("talk", "check_again", "finish_campaign", "redial_campaign", "duplicate_campaign", "go_on"),
            ],
        },
    )

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Return the buttons that fit the campaign as it stands."""
        campaign = Campaign.objects.filter(pk=object_id).first()
        if campaign is None:
            return []
        buttons = []
        for button in super().get_actions_detail(request, object_id):  # type: ignore[misc]
            name = button.action_name.removeprefix("outreach_campaign_")
            if name == "start_campaign" and campaign.state in (_STATES.PAUSED, _STATES.HELD):
                button.description = "Resume"
            if _FITTING.get(name, lambda _: True)(campaign):
                buttons.append(button)
        return buttons

    @action(
        description="Start",
        url_path="start",
        permissions=_MAY_CHANGE,
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            "Start calling?",
            "People are called by priority, inside their own hours, as fast as the pacing allows.",
            "Start calling",
            StartForm,
        ),
    )
    def start_campaign(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return _do(
            request,
            object_id,
            "The campaign is running.",
            lambda by: start_checked(
                campaign_id=int(object_id),
                by=by,
                overrides=bool(form.cleaned_data.get("overrides")),
                checked=doctors(Campaign.objects.get(pk=object_id)),
            ),
        )

    @action(
        description="Go on",
        url_path="go-on",
        permissions=_MAY_CHANGE,
        icon="double_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            "Go on with everybody?",
            "The first people were called one at a time. Look at how it went: the rest go at full pace.",
            "Go on",
        ),
    )
    def go_on(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        done = "The campaign goes on with everybody."
        return _do(
            request,
            object_id,
            done,
            lambda by: campaigns.go_on_after_canary(campaign_id=int(object_id), by=by),
        )

    @action(
        description="Pause",
        url_path="pause",
        permissions=_MAY_CHANGE,
        icon="pause",
        variant=ActionVariant.WARNING,
        dialog=dialog(
            "Pause this campaign?", "Calls in progress go on; nobody new is dialled.", "Pause", PauseForm
        ),
    )
    def pause_campaign(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        done = "Paused: nobody new is dialled."
        return _do(
            request,
            object_id,
            done,
            lambda by: campaigns.pause(campaign_id=int(object_id), by=by, reason=f"{reason} ({by})"),
        )

    @action(
        description="Finish",
        url_path="finish",
        permissions=_MAY_CHANGE,
        icon="flag",
        dialog=dialog(
            "Finish this campaign?", "Calls in progress go on; nobody new is called.", "Finish", FinishForm
        ),
    )
    def finish_campaign(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        keep = form.cleaned_data["keep_callbacks"]
        return _do(
            request,
            object_id,
            "Finished. Promised callbacks are still made." if keep else "Finished.",
            lambda by: finish(campaign_id=int(object_id), by=by, keep_callbacks=keep),
        )

    @action(
        description="Check again",
        url_path="check-again",
        permissions=["run_checks"],
        icon="stethoscope",
        dialog=dialog(
            "Check what a call needs?",
            "This machine, Twilio, the public address, LiveKit and Groq are asked; nobody is called.",
            "Check again",
        ),
    )
    def check_again(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        try:
            tasks.run_checks.apply_async(kwargs={"campaign_id": int(object_id)}, retry=False)
        except OperationalError:
            messages.error(request, "Redis takes no tasks. Is it running? Then check again.")
        else:
            messages.success(
                request, "The checks run. Their results are here in half a minute: load this page again then."
            )
        return go_to(request, reverse("admin:outreach_campaign_change", args=[object_id]))


def _do(request: HttpRequest, object_id: str, done: str, ask: Callable[[str], object]) -> HttpResponse:
    try:
        ask(request.user.get_username())
    except campaigns.Refused as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, done)
    return go_to(request, reverse("admin:outreach_campaign_change", args=[object_id]))
