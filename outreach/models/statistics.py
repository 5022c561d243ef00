"""Counted facts per campaign and day, so that pages never count calls anew."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from outreach.models.campaign import Campaign


class DailyStatistics(models.Model):
    """What happened in one campaign on one UTC day; rewritten whole by `refresh_statistics`."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="daily_statistics")
    day = models.DateField()
    dialled = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    reached = models.PositiveIntegerField(default=0, help_text=_("People who talked with Alex."))
    interested = models.PositiveIntegerField(default=0)
    callbacks = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    our_faults = models.PositiveIntegerField(default=0)
    talk_seconds = models.PositiveIntegerField(default=0)
    refreshed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = _("daily statistics")
        constraints = [models.UniqueConstraint(fields=["campaign", "day"], name="statistics_one_row_per_day")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.day}"
