"""The files of an import: refused rows, the list with results, a sample and the guide to its columns."""

# Django dictates the signatures.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from outreach.admin.downloads import download
from outreach.domain.csv_guide import column_guide, sample_list
from outreach.models import AccessKind, ImportBatch
from outreach.services.accesses import note_access
from outreach.services.import_rejects import rejected_rows
from outreach.services.import_results import with_results

_CSV = "text/csv; charset=utf-8"


class ImportDownloads:
    """What can be taken away; whatever is about people is written down first."""

    def get_urls(self) -> list[URLPattern]:
        """Return the files' addresses beside the page's own."""
        view: Any = self.admin_site.admin_view  # type: ignore[attr-defined]
        name = "outreach_importbatch"
        return [
            path("<int:batch_id>/rejected.csv", view(self.rejected_file), name=f"{name}_rejected"),
            path("<int:batch_id>/results.csv", view(self.results_file), name=f"{name}_results"),
            path("sample.csv", view(self.sample_file), name=f"{name}_sample"),
            path("columns.csv", view(self.guide_file), name=f"{name}_guide"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def rejected_file(self, request: HttpRequest, batch_id: int) -> HttpResponseBase:
        """Return the refused rows, to be mended and uploaded again: for those who may upload or export."""
        may = self.has_import_permission(request) or self.has_export_permission(request)  # type: ignore[attr-defined]
        batch = self._of(request, batch_id, may=may)
        what = f"refused rows of import {batch.pk}"
        note_access(user=request.user, kind=AccessKind.EXPORT, what=what, n_rows=batch.rows_rejected)
        name = f"rejected-{batch.pk}.csv"
        return download(request, rejected_rows(batch), file_name=name, content_type=_CSV)

    def results_file(self, request: HttpRequest, batch_id: int) -> HttpResponseBase:
        """Return the list with what became of everybody: for those who may export."""
        batch = self._of(request, batch_id, may=self.has_export_permission(request))  # type: ignore[attr-defined]
        spoken = request.user.has_perm("outreach.read_transcript")
        what = f"import {batch.pk} with results{' and notes' if spoken else ''}"
        note_access(user=request.user, kind=AccessKind.EXPORT, what=what, n_rows=batch.rows_read)
        name = f"results-{batch.pk}.csv"
        return download(request, with_results(batch, spoken=spoken), file_name=name, content_type=_CSV)

    def sample_file(self, request: HttpRequest) -> HttpResponse:
        """Return a list that can be uploaded as it is."""
        return _attached(sample_list(), "people.csv")

    def guide_file(self, request: HttpRequest) -> HttpResponse:
        """Return what each column may hold."""
        return _attached(column_guide(), "columns.csv")

    def _of(self, request: HttpRequest, batch_id: int, *, may: bool) -> ImportBatch:
        if not may or not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        batch = ImportBatch.objects.select_related("campaign").filter(pk=batch_id).first()
        if batch is None:
            raise Http404
        return batch


def _attached(text: str, name: str) -> HttpResponse:
    # Excel takes UTF-8 only with a byte order mark.
    response = HttpResponse("\ufeff" + text, content_type=_CSV)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
