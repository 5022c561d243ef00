"""Numbers that must never be called."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from outreach.admin.base import KeptAdmin
from outreach.admin.searching import with_number_prefix
from outreach.desk.badges import badge
from outreach.desk.rendering import DASH, admin_link, when
from outreach.models import Suppression, SuppressionSource


@admin.register(Suppression)
class SuppressionAdmin(KeptAdmin):
    """Do not call. Added from a person's page or here; for ever, so nothing is edited or deleted."""

    list_display = ("number", "source_badge", "reason", "of_call", "added_by", "created")
    list_filter = ("source",)
    list_select_related = ("call__facilitator",)
    search_fields = ("number__startswith",)
    search_help_text = "Any spelling of the start of a number"
    ordering = ("-id",)
    fields = ("number", "source_badge", "reason", "of_call", "added_by", "created")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        found = with_number_prefix(search_term)
        return (
            (queryset.filter(found), False)
            if found
            else (queryset.none() if search_term else queryset, False)
        )

    @display(description="Source", ordering="source")
    def source_badge(self, suppression: Suppression) -> str:
        return badge(suppression.source, suppression.get_source_display())

    @display(description="Said in")
    def of_call(self, suppression: Suppression) -> str:
        call = suppression.call
        return DASH if call is None else admin_link(call, f"the call with {call.who}")

    @display(description="Added by")
    def added_by(self, suppression: Suppression) -> str:
        if suppression.source == SuppressionSource.CALLED_BACK.value:
            return "Themselves, by phone"
        return suppression.created_by or ("Alex" if suppression.call_id else DASH)

    @display(description="Since", ordering="created_at")
    def created(self, suppression: Suppression) -> str:
        return when(suppression.created_at)
