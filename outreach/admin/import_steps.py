"""The steps of an upload after its file is there: other columns, import, discard, undo."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

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
from outreach.admin.list_choices import ListChoices
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
            "choices": self.choices,
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

    def choices(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        """Take what the operator says the columns hold and decides otherwise, and look again."""
        batch = self._posted(request, batch_id)
        return self._chosen(request, batch) or self._page(batch_id)

    def begin(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        """Begin the import of what was looked at; what was chosen since then is looked at first."""
        batch = self._posted(request, batch_id)
        if "known" in request.POST and (again := self._chosen(request, batch)):
            return again
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

    def _chosen(self, request: HttpRequest, batch: ImportBatch) -> HttpResponse | None:
        """Take the choices of a form and look again; None when it says nothing new."""
        known = {value for value, _ in import_page.MEANINGS}
        fields = [request.POST.get(f"column-{number}", "") for number in range(len(batch.columns))]
        if not set(fields) <= known:
            messages.error(request, "Choose for each column what it holds, then look again.")
            return self._page(batch.pk)
        form = ListChoices(request.POST)
        if not form.is_valid():
            messages.error(request, "Something is missing among your choices: it is marked below.")
            return self._page(batch.pk, typed={name: request.POST.get(name, "") for name in form.fields})
        was_short = (batch.rows_in_file or 0) <= _LOOKED_AT_ONCE
        if not import_checking.choose(
            batch_id=batch.pk,
            fields=fields,
            options=form.options(),
            campaign_id=form.cleaned_data["campaign"].pk,
        ):
            return None
        if was_short and batch.rows_in_file:
            import_checking.check_import(batch_id=batch.pk)
            messages.info(request, "The list was looked at again with your choices. Nobody is stored yet.")
        else:
            look_later(batch.pk)
        return self._page(batch.pk)

    def _page(self, batch_id: int, *, typed: Mapping[str, str] | None = None) -> HttpResponse:
        """Go to the list's page, which shows again what was typed where that was refused."""
        url = reverse("admin:outreach_importbatch_change", args=[batch_id])
        return HttpResponseRedirect(f"{url}?{urlencode(typed)}" if typed else url)
