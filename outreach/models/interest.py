"""The work list of people who are interested: whose it is, by when, and what came of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from outreach.models.call import Call
from outreach.models.facilitator import Facilitator


class Interest(models.Model):
    """One person who said yes; one row per person, made when their call settles or an operator says so."""

    facilitator = models.OneToOneField(Facilitator, on_delete=models.PROTECT, related_name="interest")
    call = models.ForeignKey(
        Call,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="interests",
        help_text=_("Empty: an operator learned of it without a call."),
    )
    turn_seq = models.PositiveIntegerField(null=True, blank=True, help_text=_("The turn that says so."))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="interests"
    )
    due_at = models.DateTimeField()
    note = models.TextField(blank=True)
    handled_at = models.DateTimeField(null=True, blank=True)
    handled_by = models.CharField(max_length=150, blank=True)
    told_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the campaign's address was told of it.")
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = _("interested")
        indexes = [
            # The order of the work list: who is open and due first, then who was handled last.
            models.Index(F("handled_at").desc(nulls_first=True), "due_at", "id", name="interest_in_order"),
            models.Index(name="interest_open", fields=["due_at"], condition=Q(handled_at__isnull=True)),
            models.Index(name="interest_untold", fields=["created_at"], condition=Q(told_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"interest of {self.facilitator_id}"
