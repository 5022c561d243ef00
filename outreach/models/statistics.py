"""Counted facts, so that pages never count calls or people anew."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from outreach.models.campaign import Campaign, ScriptVersion


class Tally(models.Model):
    """How often something happened, added up as calls are settled and corrected when they are.

    One row per day, campaign, script version, caller ID, thing and key: see `outreach.domain.tally.Thing`.
    """

    day = models.DateField(help_text=_("UTC day on which it was dialled."))
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="tallies")
    script = models.ForeignKey(ScriptVersion, on_delete=models.CASCADE, related_name="tallies")
    caller_id = models.CharField(max_length=16)
    thing = models.CharField(max_length=10)
    key = models.CharField(max_length=24)
    n = models.IntegerField(default=0)
    amount = models.DecimalField(
        max_digits=16, decimal_places=6, default=0, help_text=_("Seconds of talk, or money.")
    )

    class Meta:
        verbose_name_plural = _("tallies")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "campaign", "script", "caller_id", "thing", "key"], name="tally_once"
            )
        ]
        indexes = [models.Index(name="tally_by_campaign", fields=["campaign", "thing", "day"])]

    def __str__(self) -> str:
        return f"{self.day} {self.thing} {self.key}"


class PeopleCount(models.Model):
    """How many people of a campaign stand where, and for what reason they are not called.

    A trigger appends what changed, a tick adds the rows up: nobody waits for a row that everybody changes.
    """

    # Without a constraint in the database: its check would lock the campaign's row at every change.
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, db_constraint=False, related_name="people_counts"
    )
    standing = models.CharField(max_length=14)
    code = models.CharField(max_length=40, blank=True)
    opens_at = models.DateTimeField(null=True, help_text=_("When their hours open, for who waits for these."))
    time_zone = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text=_("Theirs, for who waits for hours.")
    )
    n = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(name="people_count_by_campaign", fields=["campaign", "standing", "code"])]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.standing} {self.n}"
