"""Uploads: what a file brought, and each row that was refused, with its reason."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from outreach.models.campaign import Campaign


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("Waits for a look")
    IMPORTING = "importing", _("Importing")
    IMPORTED = "imported", _("Imported")
    REFUSED = "refused", _("Refused as a whole")
    UNDONE = "undone", _("Undone")


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
    path = models.CharField(
        max_length=200, blank=True, db_default="", help_text=_("Where the uploaded file is kept.")
    )
    options = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        help_text=_("What was chosen: known numbers, country, consent basis and its proof."),
    )
    columns = models.JSONField(
        default=list, db_default=[], blank=True, help_text=_("The file's own columns, in their order.")
    )
    rows_in_file = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Counted at the first look; the progress is measured by it.")
    )
    rows_done = models.PositiveIntegerField(default=0, db_default=0, help_text=_("Read and checked so far."))
    worked_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the task that imports it last showed that it lives.")
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True, db_default="")
    rows_read = models.PositiveIntegerField(default=0)
    rows_created = models.PositiveIntegerField(default=0)
    rows_updated = models.PositiveIntegerField(default=0)
    rows_unchanged = models.PositiveIntegerField(default=0)
    rows_rejected = models.PositiveIntegerField(default=0)
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
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
        indexes = [
            models.Index(name="import_row_by_line", fields=["batch", "line"]),
            models.Index(
                Cast(KT("cells__id"), models.BigIntegerField()),
                name="import_row_by_person",
                condition=models.Q(code="changed"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} line {self.line}"


class SourceRow(models.Model):
    """A row as it stood in the file, for "Download with results": original columns and order."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="source_rows")
    line = models.PositiveIntegerField()
    number = models.CharField(max_length=16, blank=True, help_text=_("E.164; empty: the row was rejected."))
    cells = models.JSONField(default=list, help_text=_("In the order of the batch's columns."))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="source_row_once_per_line")]

    def __str__(self) -> str:
        return f"{self.batch_id} line {self.line}"
