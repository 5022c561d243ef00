"""Counted days."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.desk.rendering import DASH, duration
from outreach.models import DailyStatistics


@admin.register(DailyStatistics)
class DailyStatisticsAdmin(FactsAdmin):
    """One row per campaign and UTC day, newest first."""

    list_display = (
        "day", "campaign", "dialled", "answered", "answer_rate", "reached", "interested", "success_rate",
        "callbacks", "refused", "our_faults", "talk",
    )  # fmt: skip
    list_filter = ("campaign",)
    list_select_related = ("campaign",)
    date_hierarchy = "day"
    ordering = ("-day", "campaign")

    @display(description="Answer rate")
    def answer_rate(self, day: DailyStatistics) -> str:
        return _share(day.answered, day.dialled)

    @display(description="Success rate")
    def success_rate(self, day: DailyStatistics) -> str:
        return _share(day.interested, day.reached)

    @display(description="Talk", ordering="talk_seconds")
    def talk(self, day: DailyStatistics) -> str:
        return duration(day.talk_seconds)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else DASH
