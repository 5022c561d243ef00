"""The global limits and the big switch; the agent workers' last reports."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from outreach.admin.base import FactsAdmin, KeptAdmin, go_to
from outreach.admin.dialogs import ReasonForm, dialog
from outreach.desk.badges import badge
from outreach.desk.rendering import when
from outreach.models import AgentWorker, DialingControl
from outreach.services import campaigns


@admin.register(DialingControl)
class DialingControlAdmin(KeptAdmin):
    """The one row that every dial looks at."""

    list_display = ("name", "mode", "switch", "stopped_by", "calls_per_second", "max_open_calls")
    fields = (
        "mode", "switch", "stop_reason", "stopped_by", "stopped", "calls_per_second", "max_open_calls",
    )  # fmt: skip
    readonly_fields = ("mode", "switch", "stop_reason", "stopped_by", "stopped")
    actions_detail = ("stop_all", "resume")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Return the one of the two buttons that fits."""
        fitting = "resume" if DialingControl.objects.filter(stopped=True).exists() else "stop_all"
        buttons = super().get_actions_detail(request, object_id)
        return [button for button in buttons if button.action_name.endswith(f"_{fitting}")]

    @action(
        description="Stop all dialing",
        url_path="stop",
        permissions=["use_kill_switch"],
        icon="block",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            "Stop all dialing?",
            "Nobody is dialled, in no campaign, until somebody allows it again. Open calls go on.",
            "Stop all dialing",
            ReasonForm,
        ),
    )
    def stop_all(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        campaigns.stop_all_dialing(by=request.user.get_username(), reason=form.cleaned_data["reason"])
        messages.warning(request, "All dialing is stopped.")
        return go_to(request, reverse("admin:index"))

    @action(
        description="Allow dialing again",
        url_path="resume",
        permissions=["use_kill_switch"],
        icon="play_arrow",
        dialog=dialog("Allow dialing again?", "Running campaigns go on at once.", "Allow dialing"),
    )
    def resume(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        campaigns.resume_dialing(by=request.user.get_username())
        messages.success(request, "Dialing is allowed again.")
        return go_to(request, reverse("admin:index"))

    @display(description="")
    def name(self, control: DialingControl) -> str:
        return "All dialing"

    @display(description="Dialing")
    def switch(self, control: DialingControl) -> str:
        if control.stopped:
            return badge("stopped", "Stopped", variant="danger")
        return badge("running", "Allowed")

    @display(description="Stopped at")
    def stopped(self, control: DialingControl) -> str:
        return when(control.stopped_at)


@admin.register(AgentWorker)
class AgentWorkerAdmin(FactsAdmin):
    """Which workers report, and how many calls each may still take."""

    list_display = ("worker_id", "places", "free", "n_calls", "draining", "reported")
    ordering = ("-reported_at",)

    @display(description="Calls held")
    def n_calls(self, worker: AgentWorker) -> int:
        return len(worker.calls)

    @display(description="Last report", ordering="reported_at")
    def reported(self, worker: AgentWorker) -> str:
        return f"{worker.reported_at:%d %b %H:%M:%S} UTC"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
