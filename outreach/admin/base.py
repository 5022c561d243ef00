"""What every admin class of the product shares: capped counts, narrow saves, no deleting of facts."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Paginator
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from outreach.models import AccessKind
from outreach.services.accesses import note_access

COUNT_CAP = 500
"""Rows that a list counts exactly; of more, so many can be paged through."""


class CappedPaginator(Paginator):
    """Count no further than `COUNT_CAP`, so that a list of millions opens as fast as one of ten."""

    template_name = "outreach/pagination.html"

    @cached_property
    def _counted(self) -> int:
        rows: models.QuerySet[Any] = self.object_list  # type: ignore[assignment]
        # Only the key: whatever else a list asks for each row would be worked out for all that are counted.
        return rows.order_by().values("pk")[: COUNT_CAP + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNT_CAP)

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than are counted."""
        return self._counted > COUNT_CAP


class DeskChangeList(ChangeList):
    """A list that offers to show all only where something narrows it, and is sorted only as it offers."""

    def get_ordering(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> list[Any]:
        """Sort by what the heads offer; by itself where an address asks for more, as an old bookmark may."""
        if self.sortable_by is not None:
            offered = {place for place, name in enumerate(self.list_display) if name in self.sortable_by}
            if not offered.issuperset(self.get_ordering_field_columns()):
                self.params.pop(ORDER_VAR, None)
        return super().get_ordering(request, queryset)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class DeskAdmin(ModelAdmin):
    """A list and a page of one model, with the product's common ways."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each count would read all rows that a filter finds
    sorted_by_index: tuple[str, ...] = ()
    """Columns that a list of millions can be sorted by; all, as long as it is short."""
    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    compressed_fields = True
    warn_unsaved_form = True

    class Media:
        css = {"all": ["outreach/desk.css"]}

    def get_sortable_by(self, request: HttpRequest) -> Sequence[str]:
        """Return the columns to sort by: of a long list only those with an index."""
        if self.sortable_by is not None:
            return self.sortable_by
        rows = self.model._default_manager.order_by().values("pk")
        is_short = rows[: COUNT_CAP + 1].count() <= COUNT_CAP
        return self.get_list_display(request) if is_short else self.sorted_by_index

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DeskChangeList

    # unfold looks a dotted permission up in the database when it checks an action, which no fresh
    # database survives: its tables are made after the checks. So actions name these instead.

    def has_place_call_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may have somebody called out of turn."""
        return request.user.has_perm("outreach.place_call")

    def has_hang_up_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may end a call in progress."""
        return request.user.has_perm("outreach.hang_up")

    def has_talk_in_browser_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may talk to Alex."""
        return request.user.has_perm("outreach.talk_in_browser")

    def has_import_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may upload people."""
        return request.user.has_perm("outreach.import_facilitators")

    def has_export_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may take people, calls or suppressions out as a file."""
        return request.user.has_perm("outreach.export_people")

    def has_suppress_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may say that a number is never called again."""
        return request.user.has_perm("outreach.add_suppression")

    def has_use_kill_switch_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may stop and allow all dialing."""
        return request.user.has_perm("outreach.use_kill_switch")

    def has_run_checks_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may have the accounts and servers checked."""
        return request.user.has_perm("outreach.run_checks")

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm, change: bool) -> None:  # noqa: FBT001
        """Write only what the operator changed: tasks write the other columns at the same time."""
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            obj.save(update_fields=self.written_fields(form))

    def written_fields(self, form: ModelForm) -> list[str]:
        """Return the columns that a save may write."""
        return [name for name in form.changed_data if name in form.fields]


class KeptAdmin(DeskAdmin):
    """A model whose rows are never deleted by hand."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class FactsAdmin(KeptAdmin):
    """A model whose rows come from the outside world only: looked at, never edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class WordsAdmin(FactsAdmin):
    """What was said: for those who may read transcripts, each look written down."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", None) or {}
        if "cl" in shown:
            # What was searched for may be a name.
            filters = {name: value for name, value in request.GET.items() if name != "q"}
            note_access(
                user=request.user,
                kind=AccessKind.TRANSCRIPT,
                what=f"{self.model._meta.model_name}s {urlencode(filters)}".strip(),
                n_rows=len(shown["cl"].result_list),
            )
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        if response.status_code == HTTPStatus.OK:
            what = f"{self.model._meta.model_name} {object_id}"
            note_access(user=request.user, kind=AccessKind.TRANSCRIPT, what=what)
        return response

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and request.user.has_perm("outreach.read_transcript")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) and request.user.has_perm("outreach.read_transcript")


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Send the browser to `url`, out of a dialog as well as out of a plain form."""
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
