"""Outgoing webhooks: who is told of what, and the log of what was sent."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminURLInputWidget

from outreach.admin.base import FactsAdmin, KeptAdmin
from outreach.admin.shown_once import show_once
from outreach.desk.badges import badge
from outreach.desk.rendering import DASH, admin_link, when
from outreach.integrations.hook_posts import address_problem
from outreach.models import HookDelivery, HookEndpoint, HookEvent
from outreach.services import clock, hook_deliveries, hook_events


class HookEndpointForm(forms.ModelForm):
    """An address and the events that it is told of."""

    url = forms.URLField(
        label="Address", max_length=300, assume_scheme="https", widget=UnfoldAdminURLInputWidget()
    )
    events = forms.MultipleChoiceField(
        choices=HookEvent.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget()
    )

    class Meta:
        model = HookEndpoint
        fields = ("url", "events", "active")

    def clean_url(self) -> str:
        """Refuse an address that nothing would be posted to."""
        url = str(self.cleaned_data["url"])
        problem = address_problem(url)
        if problem:
            raise ValidationError(problem)
        return url


@admin.register(HookEndpoint)
class HookEndpointAdmin(KeptAdmin):
    """One address per row; switched off rather than deleted, so that its log stays."""

    form = HookEndpointForm
    list_display = ("url", "told_of", "is_on", "made")
    ordering = ("-id",)
    fields = ("url", "events", "active")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Give a new endpoint its secret; let this process listen for it at once."""
        if not change:
            obj.secret, obj.created_at = hook_deliveries.new_secret(), clock.now()
        super().save_model(request, obj, form, change)
        hook_events.look_again()

    def response_add(
        self, request: HttpRequest, obj: HookEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        says = "Every delivery is signed with it; docs/api.md says how the other program checks that."
        return show_once(self, request, title="Secret of the outgoing webhook", says=says, secret=obj.secret)

    @display(description="Told of")
    def told_of(self, endpoint: HookEndpoint) -> str:
        return ", ".join(endpoint.events)

    @display(description="State")
    def is_on(self, endpoint: HookEndpoint) -> str:
        return badge("on", "On", variant="success") if endpoint.active else badge("off", "Off", variant="")

    @display(description="Made", ordering="created_at")
    def made(self, endpoint: HookEndpoint) -> str:
        return when(endpoint.created_at)


_VARIANTS = {"due": "info", "sent": "success", "given_up": "danger"}


@admin.register(HookDelivery)
class HookDeliveryAdmin(FactsAdmin):
    """One event for one endpoint per row, newest first."""

    list_display = ("noted", "event", "to", "of_call", "state_badge", "tries", "answer", "again_at")
    list_filter = ("state", "event", "endpoint")
    list_select_related = ("endpoint", "call__facilitator")
    ordering = ("-id",)
    fields = (
        "noted", "event", "event_id", "to", "of_call", "state_badge", "tries", "answer", "again_at", "sent",
        "payload",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("send_again",)

    def has_send_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may have deliveries sent again."""
        return request.user.has_perm("outreach.change_hookdelivery")

    @action(description="Send again", permissions=["send"], icon="replay")
    def send_again(self, request: HttpRequest, queryset: QuerySet[HookDelivery]) -> None:
        n_due = hook_deliveries.send_again(delivery_ids=list(queryset.values_list("pk", flat=True)))
        if n_due:
            messages.success(request, f"{n_due} will be sent within seconds, under their old ids.")
        else:
            messages.warning(request, "Nothing is sent: switch the outgoing webhook on first.")

    @display(description="Noted", ordering="id")
    def noted(self, delivery: HookDelivery) -> str:
        return when(delivery.created_at)

    @display(description="To")
    def to(self, delivery: HookDelivery) -> str:
        return admin_link(delivery.endpoint, delivery.endpoint.url)

    @display(description="Call")
    def of_call(self, delivery: HookDelivery) -> str:
        return DASH if delivery.call is None else admin_link(delivery.call, delivery.call.who)

    @display(description="State", ordering="state")
    def state_badge(self, delivery: HookDelivery) -> str:
        variant = _VARIANTS.get(delivery.state, "")
        return badge(delivery.state, delivery.get_state_display(), variant=variant)

    @display(description="Next try", ordering="due_at")
    def again_at(self, delivery: HookDelivery) -> str:
        return when(delivery.due_at)

    @display(description="Sent", ordering="sent_at")
    def sent(self, delivery: HookDelivery) -> str:
        return when(delivery.sent_at)
