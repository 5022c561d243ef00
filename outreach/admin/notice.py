"""What operators were told, and what is not over yet."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.desk.badges import badge, words_of
from outreach.desk.rendering import DASH, admin_link, when
from outreach.models import Notice


@admin.register(Notice)
class NoticeAdmin(FactsAdmin):
    """One matter per row, newest first; told once, until it is over."""

    list_display = ("raised", "about", "sentence", "of_campaign", "state", "told")
    list_filter = ("code", "campaign")
    list_select_related = ("campaign",)
    ordering = ("-id",)
    fields = ("raised", "about", "sentence", "of_campaign", "state", "told")
    readonly_fields = fields

    @display(description="Since", ordering="id")
    def raised(self, notice: Notice) -> str:
        return when(notice.raised_at)

    @display(description="About", ordering="code")
    def about(self, notice: Notice) -> str:
        return words_of(notice.code)

    @display(description="Campaign")
    def of_campaign(self, notice: Notice) -> str:
        return DASH if notice.campaign is None else admin_link(notice.campaign)

    @display(description="State")
    def state(self, notice: Notice) -> str:
        if notice.over_at is None:
            return badge("open", "Not over", variant="warning")
        return badge("over", f"Over {when(notice.over_at)}", variant="success")

    @display(description="Told", ordering="sent_at")
    def told(self, notice: Notice) -> str:
        return when(notice.sent_at)
