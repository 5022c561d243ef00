"""Why somebody was not called: the gate's stored verdicts."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from outreach.models.facilitator import Facilitator


class Decision(models.Model):
    """One verdict of the gate about one person; written only when the reason changes."""

    facilitator = models.ForeignKey(
        Facilitator, on_delete=models.PROTECT, db_index=False, related_name="decisions"
    )
    code = models.CharField(max_length=40)
    reason = models.CharField(max_length=300)
    next_call_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(name="decision_by_facilitator", fields=["facilitator", "decided_at"]),
            models.Index(name="decision_by_code", fields=["code", "id"]),
            BrinIndex(name="decision_by_time", fields=["decided_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.facilitator_id} {self.code}"
