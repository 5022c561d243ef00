"""The numbers that we call from: how much each may be used, and when it rests."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outreach.models.history import EditHistory


class CallerId(models.Model):
    """One of our numbers; campaigns name theirs, what is set here holds for all of them."""

    number = models.CharField(max_length=16, unique=True, help_text=_("E.164, e.g. +14155550100."))
    label = models.CharField(max_length=80, blank=True)
    daily_cap = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Calls a day at most; empty: no cap of its own."),
    )
    rests_until = models.DateTimeField(
        null=True, blank=True, help_text=_("It is not called from before; empty: it does not rest.")
    )
    rest_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    history = EditHistory()

    class Meta:
        verbose_name = _("caller ID")
        constraints = [
            models.CheckConstraint(
                name="caller_id_is_e164", condition=Q(number__regex=r"^\+[1-9][0-9]{5,14}$")
            ),
        ]
        permissions = [("rest_number", "Can rest a number that we call from")]

    def __str__(self) -> str:
        return self.number
