"""Uploads: what a file brought, and each row that was refused."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.admin.import_downloads import ImportDownloads
from outreach.admin.import_steps import ImportSteps
from outreach.admin.list_choices import choices_for
from outreach.desk import import_page
from outreach.desk.badges import badge
from outreach.desk.rendering import admin_link, when
from outreach.desk.titles import Titled
from outreach.models import ImportBatch, ImportRow


@admin.register(ImportBatch)
class ImportBatchAdmin(ImportSteps, ImportDownloads, FactsAdmin):
    """One upload per row; its page names every problem with its line."""

    list_display = (
        "file", "campaign", "state_badge", "n_read", "n_added", "n_updated", "n_unchanged", "rejected",
        "created",
    )  # fmt: skip
    list_filter = ("state", "campaign")
    list_select_related = ("campaign", "imported_by")
    search_fields = ("file_name__istartswith",)
    ordering = ("-id",)
    readonly_fields = (
        "of_campaign", "state_badge", "problem", "imported_by", "created", "encoding", "delimiter_name",
        "mapping", "sha256",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": (("of_campaign", "state_badge"), ("imported_by", "created"))}),
        (
            "How the file was read",
            {
                "classes": ["collapse"],
                "fields": (("encoding", "delimiter_name"), "mapping", "problem", "sha256"),
            },
        ),
    )
    change_form_outer_before_template = "outreach/import_batch.html"

    class Media:
        css = {"all": ["outreach/import.css"]}

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        batch = self.get_object(request, object_id)
        more: dict[str, Any] = {}
        if batch is not None:
            more = {
                **import_page.shown(batch),
                "title": batch.file_name,
                "subtitle": None,
                "original": Titled(batch, batch.file_name),
                "may_import": self.has_import_permission(request),
                "may_export": self.has_export_permission(request),
                "choices_form": choices_for(batch, typed=request.GET),
                "may_reject": self.has_import_permission(request) or self.has_export_permission(request),
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    @display(description="File", ordering="file_name", header=True)
    def file(self, batch: ImportBatch) -> list[str]:
        return [batch.file_name, f"by {batch.imported_by}" if batch.imported_by else "by a command"]

    @display(description="Rows", ordering="rows_read")
    def n_read(self, batch: ImportBatch) -> str:
        """Return the rows; of a list that nobody has imported yet, as many as were counted."""
        return f"{batch.rows_read or batch.rows_in_file or 0:,}"

    @display(description="Added", ordering="rows_created")
    def n_added(self, batch: ImportBatch) -> str:
        return f"{batch.rows_created:,}"

    @display(description="Updated", ordering="rows_updated")
    def n_updated(self, batch: ImportBatch) -> str:
        return f"{batch.rows_updated:,}"

    @display(description="Unchanged", ordering="rows_unchanged")
    def n_unchanged(self, batch: ImportBatch) -> str:
        return f"{batch.rows_unchanged:,}"

    @display(description="State", ordering="state")
    def state_badge(self, batch: ImportBatch) -> str:
        return badge(batch.state, batch.get_state_display())

    @display(description="Rejected", ordering="rows_rejected", label={"some": "danger"})
    def rejected(self, batch: ImportBatch) -> tuple[str, str] | str:
        return ("some", f"{batch.rows_rejected:,}") if batch.rows_rejected else "0"

    @display(description="Campaign")
    def of_campaign(self, batch: ImportBatch) -> str:
        return admin_link(batch.campaign)

    @display(description="Separator")
    def delimiter_name(self, batch: ImportBatch) -> str:
        return {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}.get(batch.delimiter, batch.delimiter)

    @display(description="Uploaded", ordering="created_at")
    def created(self, batch: ImportBatch) -> str:
        return when(batch.created_at)


@admin.register(ImportRow)
class ImportRowAdmin(FactsAdmin):
    """Problem rows of all uploads."""

    list_display = ("batch", "line", "field", "code", "problem", "rejected")
    list_filter = ("rejected", "code")
    list_select_related = ("batch",)
    ordering = ("-batch_id", "line")
