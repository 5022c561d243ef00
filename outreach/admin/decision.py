"""Why somebody was not called."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from datetime import datetime

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.admin.list_filters import Because
from outreach.admin.searching import people_found
from outreach.desk.reasons import as_sentence
from outreach.desk.rendering import admin_link, their_moment, when
from outreach.models import Decision


@admin.register(Decision)
class DecisionAdmin(FactsAdmin):
    """The gate's verdicts, newest first."""

    list_display = ("decided", "person", "campaign", "reason", "next_try")
    list_filter = (Because, "facilitator__campaign")
    list_select_related = ("facilitator__campaign",)
    search_fields = ("facilitator__name",)
    search_help_text = "Name, e-mail, organisation or number"
    ordering = ("-id",)
    fields = ("person", "campaign", "why", "reason", "next_try", "decided")
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Decision], search_term: str
    ) -> tuple[QuerySet[Decision], bool]:
        return queryset.filter(people_found(search_term, "facilitator__")), False

    @display(description="When", ordering="decided_at")
    def decided(self, decision: Decision) -> str:
        return when(decision.decided_at)

    @display(description="Person")
    def person(self, decision: Decision) -> str:
        return admin_link(decision.facilitator, decision.facilitator.name)

    @display(description="Campaign")
    def campaign(self, decision: Decision) -> str:
        return decision.facilitator.campaign.name

    @display(description="Because")
    def why(self, decision: Decision) -> str:
        return as_sentence(decision.code)

    @display(description="Looked at again")
    def next_try(self, decision: Decision) -> str:
        at: datetime | None = decision.next_call_at
        return their_moment(at, decision.facilitator.time_zone)
