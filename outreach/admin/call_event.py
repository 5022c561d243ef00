"""The raw inbox: every event that came from outside."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.desk.rendering import admin_link, moment
from outreach.models import CallEvent


@admin.register(CallEvent)
class CallEventAdmin(FactsAdmin):
    """Events as they arrived, newest first."""

    list_display = ("received", "source", "kind", "of_call", "is_incident")
    list_filter = ("source", "incident")
    list_select_related = ("call",)
    search_fields = ("=call__id", "=event_id")
    search_help_text = "A call's id, or an event's"
    ordering = ("-id",)
    fields = ("received", "source", "kind", "event_id", "of_call", "incident", "payload")
    readonly_fields = fields

    @display(description="Received", ordering="received_at")
    def received(self, event: CallEvent) -> str:
        return f"{event.received_at:%d %b %H:%M:%S.%f}"[:-3] if event.received_at else moment(None)

    @display(description="Call")
    def of_call(self, event: CallEvent) -> str:
        return admin_link(event.call)

    @display(description="Incident", label={"Incident": "danger"})
    def is_incident(self, event: CallEvent) -> str:
        return "Incident" if event.incident else ""
