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
        "counted_day", "campaign", "dialled", "picked_up", "reached", "success", "callbacks", "refused",
        "our_faults", "average_talk",
    )  # fmt: skip
    list_filter = ("campaign",)
    list_select_related = ("campaign",)
    date_hierarchy = "day"
    ordering = ("-day", "campaign")

    @display(description="Day", ordering="day")
    def counted_day(self, day: DailyStatistics) -> str:
        return f"{day.day.day} {day.day:%b %Y}"

    @display(description="Picked up", ordering="answered")
    def picked_up(self, day: DailyStatistics) -> str:
        """Return the calls that a person or a machine picked up, and their share of those dialled."""
        return _with_share(day.answered, day.dialled)

    @display(description="Interested", ordering="interested")
    def success(self, day: DailyStatistics) -> str:
        """Return the people who are interested, and their share of those reached."""
        return _with_share(day.interested, day.reached)

    @display(description="Talk")
    def average_talk(self, day: DailyStatistics) -> str:
        """Return the average talk of calls that were picked up."""
        return duration(day.talk_seconds / day.answered) if day.answered else DASH


def _with_share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else str(part)
