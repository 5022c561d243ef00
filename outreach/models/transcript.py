"""What was said and noted in a call; rows come from the recorder only."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outreach.models.call import Call


class Turn(models.Model):
    """One utterance by one speaker, numbered per call from 1 without gaps."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, db_index=False, related_name="turns")
    seq = models.PositiveIntegerField()
    speaker = models.CharField(max_length=6, choices=[("alex", "Alex"), ("person", _("Person"))])
    text = models.TextField()
    stage = models.CharField(max_length=12, blank=True)
    interrupted = models.BooleanField(default=False)
    said_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["call", "seq"], name="turn_once_per_call"),
            models.CheckConstraint(name="turn_seq_from_1", condition=Q(seq__gte=1)),
        ]
        indexes = [
            BrinIndex(name="turn_by_time", fields=["said_at"]),  # to forget them: written in this order
            # Names and several languages are searched, so no language's stemming. The list of pending words
            # (GIN's default) doubles what the recorder writes a second; flushing it holds up nobody.
            GinIndex(SearchVector("text", config="simple"), name="turn_by_words"),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} #{self.seq}"


class Note(models.Model):
    """A note that Alex took during a call, pointing at the turn that supports it."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, db_index=False, related_name="notes")
    seq = models.PositiveIntegerField()
    text = models.TextField()
    turn_seq = models.PositiveIntegerField(null=True, blank=True)
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "seq"], name="note_once_per_call")]
        indexes = [BrinIndex(name="note_by_time", fields=["noted_at"])]

    def __str__(self) -> str:
        return f"{self.call_id} note {self.seq}"
