"""Numbers that must never be called."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from outreach.admin.base import KeptAdmin, go_to
from outreach.admin.dialogs import dialog
from outreach.admin.searching import with_number_prefix
from outreach.admin.suppression_pages import add_page, export_page
from outreach.desk.badges import badge
from outreach.desk.rendering import DASH, admin_link, when
from outreach.desk.titles import Titled
from outreach.domain.disposition import Disposition
from outreach.models import Facilitator, Suppression, SuppressionSource
from outreach.services.edits import LONGEST_REASON
from outreach.services.suppression_lists import allow_again

TAKEN_OFF_SHOWN = 10
PEOPLE_SHOWN = 20


class KeptReasonForm(BaseDialogForm):
    """Yes, and why, no longer than the history keeps it whole."""

    reason = forms.CharField(
        label="Reason",
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
    )


@admin.register(Suppression)
class SuppressionAdmin(KeptAdmin):
    """Never call. For ever and everywhere, unless somebody who may takes a number off, with a reason."""

    class Media:
        css = {"all": ["outreach/calls.css"]}

    list_display = ("number", "source_badge", "reason", "of_call", "added_by", "created")
    list_filter = ("source",)
    list_select_related = ("call__facilitator",)
    search_fields = ("number__startswith",)
    search_help_text = "Any spelling of the start of a number"
    ordering = ("-id",)
    fields = ("number", "source_badge", "reason", "of_call", "people", "added_by", "created")
    readonly_fields = fields
    actions_list = ("export_all",)
    actions_detail = ("take_off",)
    list_after_template = "outreach/suppression_list.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page that writes the list out."""
        export = path("export/", self.admin_site.admin_view(self.export), name="outreach_suppression_export")
        return [export, *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_export_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may take numbers out of here."""
        return request.user.has_perm("outreach.export_people")

    def has_take_off_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may say that a number may be called again."""
        return request.user.has_perm("outreach.delete_suppression")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return add_page(self, request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        head = {"original": Titled(row, row.number), "title": row.number} if row is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **head})

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Write the list out, for those who may."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        return export_page(self, request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        removed = Suppression.history.filter(history_type="-").select_related("history_user")
        shown = {"taken_off": removed.order_by("-history_date")[:TAKEN_OFF_SHOWN]}
        return super().changelist_view(request, {**(extra_context or {}), **shown})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        found = with_number_prefix(search_term)
        return (
            (queryset.filter(found), False)
            if found
            else (queryset.none() if search_term else queryset, False)
        )

    @action(description="Export", url_path="export-all", permissions=["export"], icon="download")
    def export_all(self, request: HttpRequest) -> HttpResponse:
        return go_to(request, reverse("admin:outreach_suppression_export"))

    @action(
        description="Take off the list",
        url_path="take-off",
        permissions=["take_off"],
        icon="undo",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            "May this number be called again?",
            "Only if whoever has it says so, or if it was never theirs to say. People with it stay closed, "
            "under review, until somebody releases each of them. Who, when and why is kept.",
            "Take off the list",
            KeptReasonForm,
        ),
    )
    def take_off(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        n_people = allow_again(
            suppression_id=int(object_id),
            by=request.user.get_username(),
            reason=form.cleaned_data["reason"],
        )
        who = "1 person stays" if n_people == 1 else f"{n_people} people stay"
        stay = f"{who} under review until released." if n_people else "Nobody in a campaign has it."
        messages.warning(request, f"The number is off the list. {stay}")
        return go_to(request, reverse("admin:outreach_suppression_changelist"))

    @display(description="Source", ordering="source")
    def source_badge(self, suppression: Suppression) -> str:
        return badge(suppression.source, suppression.get_source_display())

    @display(description="Proof")
    def of_call(self, suppression: Suppression) -> SafeString | str:
        """Return the call in which they said so, at the words; or their call to us."""
        call = suppression.call
        if call is None:
            return (
                _their_calls(suppression)
                if suppression.source == SuppressionSource.CALLED_BACK.value
                else DASH
            )
        page = reverse("admin:outreach_call_change", args=[call.pk])
        turn = call.disposition_seq if call.disposition == Disposition.DO_NOT_CALL.value else None
        place, text = (f"{page}#turn-{turn}", f"turn {turn} of ") if turn else (page, "")
        return format_html('<a href="{}" class="desk-link">{}the call with {}</a>', place, text, call.who)

    @display(description="People with this number")
    def people(self, suppression: Suppression) -> SafeString | str:
        found = Facilitator.objects.filter(number=suppression.number).select_related("campaign")
        lines = ((admin_link(one, one.name), one.campaign.name) for one in found[:PEOPLE_SHOWN])
        return format_html_join("", "<div>{}, {}</div>", lines) or "Nobody in any campaign"

    @display(description="Added by")
    def added_by(self, suppression: Suppression) -> str:
        if suppression.source == SuppressionSource.CALLED_BACK.value:
            return "Themselves, by phone"
        return suppression.created_by or ("Alex" if suppression.call_id else DASH)

    @display(description="Since", ordering="created_at")
    def created(self, suppression: Suppression) -> str:
        return when(suppression.created_at)


def _their_calls(suppression: Suppression) -> SafeString:
    calls = reverse("admin:outreach_incomingcall_changelist", query={"q": suppression.number})
    return format_html('<a href="{}" class="desk-link">their call to us</a>', calls)
