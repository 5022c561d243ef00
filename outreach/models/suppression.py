"""Numbers that must never be called, by anybody, in any campaign."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from outreach.models.call import Call
from outreach.models.history import EditHistory


class SuppressionSource(models.TextChoices):
    CALL = "call", _("Said in a call")
    CALLED_BACK = "called_back", _("Called us and asked")
    OPERATOR = "operator", _("An operator")
    IMPORT = "import", _("A list")


class Suppression(models.Model):
    """A number that must never be called (do not call). For ever, everywhere."""

    number = models.CharField(max_length=16, unique=True)
    source = models.CharField(max_length=12, choices=SuppressionSource.choices)
    reason = models.CharField(max_length=300, blank=True)
    call = models.ForeignKey(
        Call, on_delete=models.PROTECT, null=True, blank=True, related_name="suppressions"
    )
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField()

    history = EditHistory()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="suppression_number_is_e164", condition=Q(number__regex=r"^\+[1-9][0-9]{5,14}$")
            ),
        ]

    def __str__(self) -> str:
        return f"suppression {self.pk}"
