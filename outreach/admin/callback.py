"""Callbacks: the times that people asked for."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.desk.badges import badge
from outreach.desk.rendering import admin_link, moment, their_moment, when
from outreach.models import Callback
from outreach.services import clock


@admin.register(Callback)
class CallbackAdmin(FactsAdmin):
    """The agenda: the furthest away first; who is late says so."""

    list_display = ("promised_for", "person", "campaign", "who_calls", "state_badge", "reason")
    list_filter = ("state", "by", "was_missed", "facilitator__campaign")
    list_select_related = ("facilitator__campaign",)
    search_fields = ("facilitator__name__istartswith", "=facilitator__number")
    search_help_text = "Start of a name, or the whole number"
    date_hierarchy = "promised_at"
    ordering = ("-promised_at",)
    fields = (
        "person", "campaign", "promised", "ours", "who_calls", "reason", "state_badge", "was_missed",
        "agreed_in_call", "evidence_seq", "caller_id", "closed_at", "created_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Callback]:
        """Return the callbacks, each with whether its time has passed."""
        return super().get_queryset(request).annotate(is_past=Q(promised_at__lt=clock.now()))

    @display(description="Promised, on their clock", ordering="promised_at", header=True)
    def promised_for(self, callback: Callback) -> list[str]:
        """Return the promised time on the person's clock, and below it in UTC."""
        return [their_moment(callback.promised_at, callback.time_zone), moment(callback.promised_at)]

    @display(description="Promised (theirs)", ordering="promised_at")
    def promised(self, callback: Callback) -> str:
        return their_moment(callback.promised_at, callback.time_zone)

    @display(description="In UTC", ordering="promised_at")
    def ours(self, callback: Callback) -> str:
        return when(callback.promised_at)

    @display(description="Person")
    def person(self, callback: Callback) -> str:
        return admin_link(callback.facilitator, callback.facilitator.name)

    @display(description="Campaign")
    def campaign(self, callback: Callback) -> str:
        return callback.facilitator.campaign.name

    @display(description="Who calls", ordering="by")
    def who_calls(self, callback: Callback) -> SafeString | str:
        if callback.by == "alex":
            return "Alex"
        return format_html('<span class="desk-nowrap">{}</span>', callback.get_by_display())

    @display(description="State", ordering="state")
    def state_badge(self, callback: Any) -> str:
        if callback.state == "promised" and (callback.was_missed or callback.is_past):
            return badge("missed", "Late, not called yet")
        return badge(callback.state, callback.get_state_display())

    @display(description="Agreed in")
    def agreed_in_call(self, callback: Callback) -> str:
        rang = None if callback.agreed_in else callback.incoming_calls.first()
        if rang is not None:
            return admin_link(rang, "their call to us")
        return admin_link(callback.agreed_in, f"the call with {callback.facilitator.name}")
