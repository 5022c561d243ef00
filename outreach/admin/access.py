"""Who read what was said, and who took data with them."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.desk.badges import badge
from outreach.desk.rendering import when
from outreach.models import Access


@admin.register(Access)
class AccessAdmin(FactsAdmin):
    """One look or one export per row; never changed."""

    list_display = ("at_time", "user", "kind_badge", "what", "n_rows")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("user__username__istartswith",)
    search_help_text = "Start of a user's name"
    ordering = ("-id",)
    fields = ("at_time", "user", "kind_badge", "what", "n_rows")
    readonly_fields = fields

    @display(description="When", ordering="id")
    def at_time(self, access: Access) -> str:
        return when(access.at)

    @display(description="Did", ordering="kind")
    def kind_badge(self, access: Access) -> str:
        return badge(access.kind, access.get_kind_display(), variant="info")
