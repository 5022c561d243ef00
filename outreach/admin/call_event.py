"""The raw inbox: every event that came from outside."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.desk.rendering import admin_link, moment
from outreach.models import CallEvent, EventSource


@admin.register(CallEvent)
class CallEventAdmin(FactsAdmin):
    """Events as they arrived, newest first."""

    list_display = ("received", "source", "kind", "of_call", "is_incident")
    list_filter = ("source", "incident")
    list_select_related = ("call",)
    search_fields = ("=event_id",)
    search_help_text = "A call's id, or an event's"
    ordering = ("-id",)
    sorted_by_index = ("received",)
    fields = ("received", "source", "kind", "event_id", "of_call", "incident", "payload")
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[CallEvent], search_term: str
    ) -> tuple[QuerySet[CallEvent], bool]:
        """Find the events of a call, or one by its own id, as the indexes know them."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(call=UUID(term)), False
        except ValueError:
            return queryset.filter(source__in=EventSource.values, event_id=term), False

    @display(description="Received", ordering="received_at")
    def received(self, event: CallEvent) -> str:
        return f"{event.received_at:%d %b %H:%M:%S.%f}"[:-3] if event.received_at else moment(None)

    @display(description="Call")
    def of_call(self, event: CallEvent) -> str:
        return admin_link(event.call)

    @display(description="Incident", label={"Incident": "danger"})
    def is_incident(self, event: CallEvent) -> str:
        return "Incident" if event.incident else ""
