"""Uploads: what a file brought, and each row that was refused, with its reason."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from outreach.models.campaign import Campaign


class ImportState(models.TextChoices):
    IMPORTING = "importing", _("Importing")
    IMPORTED = "imported", _("Imported")
    REFUSED = "refused", _("Refused as a whole")


class ImportBatch(models.Model):
    """One upload of one file into one campaign."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="import_batches")
    file_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.IMPORTING.value)
    problem = models.CharField(
        max_length=500, blank=True, help_text=_("Why the file was refused as a whole.")
    )
    encoding = models.CharField(max_length=16, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    mapping = models.JSONField(default=dict, help_text=_("Our field to their column."))
    rows_read = models.PositiveIntegerField(default=0)
    rows_created = models.PositiveIntegerField(default=0)
    rows_updated = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_rejected = models.PositiveIntegerField(default=0)
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("import batches")
        indexes = [
            models.Index(name="import_unfinished", fields=["campaign"], condition=models.Q(state="importing"))
        ]
        permissions = [("import_facilitators", "Can upload people into a campaign")]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.pk})"


class ImportRow(models.Model):
    """A row that was not imported, or imported with a warning: its line, its cells, and what to do."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(help_text=_("Line in the file; the header is line 1."))
    field = models.CharField(max_length=40, blank=True)
    code = models.CharField(max_length=40)
    problem = models.CharField(max_length=500)
    rejected = models.BooleanField(default=True)
    cells = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(name="import_row_by_line", fields=["batch", "line"])]

    def __str__(self) -> str:
        return f"{self.batch_id} line {self.line}"
