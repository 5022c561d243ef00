"""People who rang our numbers, and what they asked for."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.admin.searching import with_number_prefix
from outreach.desk.callers import choice_badge, what_followed
from outreach.desk.rendering import DASH, admin_link, when
from outreach.models import IncomingCall


@admin.register(IncomingCall)
class IncomingCallAdmin(FactsAdmin):
    """Calls from people, newest first: the record of what they asked for, which nobody edits."""

    list_display = ("received", "caller", "choice_made", "followed", "campaign_named", "called")
    list_filter = ("choice", "campaign")
    list_select_related = ("facilitator", "campaign", "callback")
    search_fields = ("number__startswith",)
    search_help_text = "Any spelling of the start of their number"
    ordering = ("-id",)
    fields = (
        "received", "caller", "number_shown", "called", "campaign_named", "choice_made", "followed",
        "twilio_sid",
    )  # fmt: skip
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[IncomingCall], search_term: str
    ) -> tuple[QuerySet[IncomingCall], bool]:
        if not search_term.strip():
            return queryset, False
        found = with_number_prefix(search_term)
        return (queryset.filter(found) if found else queryset.none()), False

    @display(description="Received", ordering="received_at")
    def received(self, call: IncomingCall) -> str:
        return when(call.received_at)

    @display(description="Caller")
    def caller(self, call: IncomingCall) -> SafeString | str:
        if call.facilitator is not None:
            return admin_link(call.facilitator, call.facilitator.name)
        return call.number or "Number withheld"

    @display(description="Their number")
    def number_shown(self, call: IncomingCall) -> str:
        return call.number or "withheld"

    @display(description="Asked for", ordering="choice")
    def choice_made(self, call: IncomingCall) -> str:
        return choice_badge(call)

    @display(description="What follows")
    def followed(self, call: IncomingCall) -> SafeString | str:
        return what_followed(call)

    @display(description="Campaign")
    def campaign_named(self, call: IncomingCall) -> str:
        return call.campaign.name if call.campaign else DASH
