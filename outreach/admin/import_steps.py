"""The steps of an upload after its file is there: other columns, import, discard, undo."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from kombu.exceptions import OperationalError
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from outreach import tasks
from outreach.admin.base import go_to
from outreach.admin.dialogs import dialog
from outreach.admin.upload import look_later
from outreach.desk import import_page
from outreach.models import ImportBatch
from outreach.services import import_checking, import_undoing, importing
from outreach.services.import_undoing import CannotUndo
from outreach.services.importing import NotReady

_LOOKED_AT_ONCE = 10_000
"""Rows of a list that is looked at again while the browser waits."""


class ImportSteps:
    """What an operator does with an uploaded list. Every step is a POST, and asks for the permission."""

    actions_detail = ("undo_import",)

    def get_urls(self) -> list[URLPattern]:
        """Return the steps' addresses beside the page's own."""
        site: Any = self.admin_site  # type: ignore[attr-defined]
        steps = {
            "progress": self.progress,
            "columns": self.columns,
            "begin": self.begin,
            "discard": self.discard,
        }
        return [
            *(
                path(f"<int:batch_id>/{name}/", site.admin_view(step), name=f"outreach_importbatch_{name}")
                for name, step in steps.items()
            ),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Return the button that undoes where there is something to undo."""
        batch = ImportBatch.objects.filter(pk=object_id).first()
        undoable = batch is not None and not import_undoing.why_not(batch)
        return super().get_actions_detail(request, object_id) if undoable else []  # type: ignore[misc]

    def progress(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        """Return the bar as it stands; once nothing is under way the page is loaded anew."""
        batch = self._batch(request, batch_id)
        advance = import_page.advance(batch)
        if advance is None:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return render(request, "outreach/import/progress.html", {"batch": batch, "advance": advance})

    def columns(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        """Take the columns for what the operator says they are, and look again."""
        batch = self._posted(request, batch_id)
        known = {value for value, _ in import_page.MEANINGS}
        fields = [request.POST.get(f"column-{number}", "") for number in range(len(batch.columns))]
        if not set(fields) <= known:
            messages.error(request, "Choose for each column what it holds, then look again.")
            return self._page(batch_id)
        was_short = (batch.rows_in_file or 0) <= _LOOKED_AT_ONCE
        import_checking.choose_fields(batch_id=batch_id, fields=fields)
        if was_short and batch.rows_in_file:
            import_checking.check_import(batch_id=batch_id)
        else:
            look_later(batch_id)
        return self._page(batch_id)

    def begin(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        """Begin the import."""
        self._posted(request, batch_id)
        try:
            importing.begin_import(batch_id=batch_id)
            tasks.run_import.apply_async(kwargs={"batch_id": batch_id}, retry=False)
        except NotReady as exc:
            messages.error(request, str(exc))
        except OperationalError:
            messages.warning(request, "Redis takes no tasks. The import begins once it runs again.")
        return self._page(batch_id)

    def discard(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        """Let the list go."""
        self._posted(request, batch_id)
        import_checking.discard(batch_id=batch_id, by=request.user.get_username())
        return self._page(batch_id)

    @action(
        description="Undo this import",
        url_path="undo",
        permissions=["import"],
        icon="undo",
        variant=ActionVariant.WARNING,
        dialog=dialog(
            "Undo this import?",
            "The people it added are removed, and known people get back what it changed. "
            "Nobody of it has been called.",
            "Undo it",
        ),
    )
    def undo_import(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        """Undo the import."""
        try:
            n_people = import_undoing.undo_import(batch_id=int(object_id), by=request.user.get_username())
        except CannotUndo as exc:
            messages.error(request, str(exc))
        else:
            messages.success(request, f"The import is undone: {n_people} people are as they were before.")
        return go_to(request, reverse("admin:outreach_importbatch_change", args=[object_id]))

    def _batch(self, request: HttpRequest, batch_id: int) -> ImportBatch:
        """Return the batch for those who may see it."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        batch = ImportBatch.objects.select_related("campaign").filter(pk=batch_id).first()
        if batch is None:
            raise Http404
        return batch

    def _posted(self, request: HttpRequest, batch_id: int) -> ImportBatch:
        """Return the batch for a step that those take who may import."""
        if not self.has_import_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        if request.method != "POST":
            raise Http404
        return self._batch(request, batch_id)

    def _page(self, batch_id: int) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:outreach_importbatch_change", args=[batch_id]))
