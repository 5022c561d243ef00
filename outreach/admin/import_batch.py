"""Uploads: what a file brought, and each row that was refused."""

from __future__ import annotations

import io
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.desk.badges import badge
from outreach.desk.rendering import admin_link, when
from outreach.desk.titles import Titled
from outreach.models import ImportBatch, ImportRow
from outreach.services.import_rejects import write_rejected

PROBLEMS_SHOWN = 200


@admin.register(ImportBatch)
class ImportBatchAdmin(FactsAdmin):
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

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        batch = self.get_object(request, object_id)
        problems = list(batch.rows.order_by("line", "id")[: PROBLEMS_SHOWN + 1]) if batch else []
        title = {"subtitle": None, "original": Titled(batch, batch.file_name)} if batch else {}
        shown = {"problems": problems[:PROBLEMS_SHOWN], "more_problems": len(problems) > PROBLEMS_SHOWN}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown, **title})

    def get_urls(self) -> list[URLPattern]:
        download = self.admin_site.admin_view(self.rejected_rows)
        return [
            path("<int:batch_id>/rejected.csv", download, name="outreach_importbatch_rejected"),
            *super().get_urls(),
        ]

    def rejected_rows(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        """Return the rejected rows as a CSV, ready to be mended and uploaded again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = ImportBatch.objects.filter(pk=batch_id).first()
        if batch is None:
            raise Http404
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="rejected-{batch_id}.csv"'
        # Excel takes UTF-8 only with a byte order mark.
        text = io.StringIO("\ufeff")
        text.seek(0, io.SEEK_END)
        write_rejected(batch, text)
        response.write(text.getvalue())
        return response

    @display(description="File", ordering="file_name", header=True)
    def file(self, batch: ImportBatch) -> list[str]:
        return [batch.file_name, f"by {batch.imported_by}" if batch.imported_by else "by a command"]

    @display(description="Rows", ordering="rows_read")
    def n_read(self, batch: ImportBatch) -> int:
        return batch.rows_read

    @display(description="Added", ordering="rows_created")
    def n_added(self, batch: ImportBatch) -> int:
        return batch.rows_created

    @display(description="Updated", ordering="rows_updated")
    def n_updated(self, batch: ImportBatch) -> int:
        return batch.rows_updated

    @display(description="Unchanged", ordering="rows_unchanged")
    def n_unchanged(self, batch: ImportBatch) -> int:
        return batch.rows_unchanged

    @display(description="State", ordering="state")
    def state_badge(self, batch: ImportBatch) -> str:
        return badge(batch.state, batch.get_state_display())

    @display(description="Rejected", ordering="rows_rejected", label={"some": "danger"})
    def rejected(self, batch: ImportBatch) -> tuple[str, str] | str:
        return ("some", str(batch.rows_rejected)) if batch.rows_rejected else "0"

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
