"""Callbacks: the times that people asked for."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.desk.badges import badge
from outreach.desk.rendering import admin_link, their_moment, when
from outreach.models import Callback


@admin.register(Callback)
class CallbackAdmin(FactsAdmin):
    """The agenda: promised first, soonest first."""

    list_display = ("promised", "ours", "person", "campaign", "by", "state_badge", "reason")
    list_filter = ("state", "by", "was_missed", "facilitator__campaign")
    list_select_related = ("facilitator__campaign",)
    search_fields = ("facilitator__name__istartswith", "=facilitator__number")
    search_help_text = "Start of a name, or the whole number"
    date_hierarchy = "promised_at"
    ordering = ("-promised_at",)
    fields = (
        "person", "campaign", "promised", "ours", "by", "reason", "state_badge", "was_missed",
        "agreed_in_call", "evidence_seq", "caller_id", "closed_at", "created_at",
    )  # fmt: skip
    readonly_fields = fields

    @display(description="Promised (theirs)", ordering="promised_at")
    def promised(self, callback: Callback) -> str:
        return their_moment(callback.promised_at, callback.time_zone)

    @display(description="Ours", ordering="promised_at")
    def ours(self, callback: Callback) -> str:
        return when(callback.promised_at)

    @display(description="Person")
    def person(self, callback: Callback) -> str:
        return admin_link(callback.facilitator, callback.facilitator.name)

    @display(description="Campaign")
    def campaign(self, callback: Callback) -> str:
        return callback.facilitator.campaign.name

    @display(description="State", ordering="state")
    def state_badge(self, callback: Callback) -> str:
        if callback.state == "promised" and callback.was_missed:
            return badge("missed", "Late, not called yet")
        return badge(callback.state, callback.get_state_display())

    @display(description="Agreed in")
    def agreed_in_call(self, callback: Callback) -> str:
        return admin_link(callback.agreed_in)
