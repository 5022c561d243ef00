"""Callbacks: the times that people asked for."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Q, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from outreach.admin.base import FactsAdmin, go_to
from outreach.admin.callback_pages import agenda_page, done_page
from outreach.admin.list_filters import DaysFromTo
from outreach.admin.searching import people_found
from outreach.desk.badges import badge
from outreach.desk.rendering import DASH, admin_link, moment, on_both_clocks, their_moment
from outreach.desk.titles import Titled
from outreach.models import AccessKind, Callback
from outreach.services import clock
from outreach.services.accesses import note_access


@admin.register(Callback)
class CallbackAdmin(FactsAdmin):
    """An agenda by day, and a list of all: the furthest away first; who is late says so."""

    class Media:
        css = {"all": ["outreach/calls.css"]}

    list_before_template = "outreach/callback_list.html"
    actions_detail = ("say_done",)
    list_display = ("promised_for", "person", "campaign", "who_calls", "state_badge", "why")
    list_filter = (("promised_at", DaysFromTo), "state", "by", "was_missed", "facilitator__campaign")
    list_select_related = ("facilitator__campaign",)
    search_fields = ("facilitator__name",)
    search_help_text = "Name, e-mail, organisation or number"
    ordering = ("-promised_at",)
    sorted_by_index = ("promised_for",)
    fields = (
        "person", "campaign", "promised", "who_calls", "why", "state_badge", "agreed_in_call", "known_by",
        "agreed", "closed",
    )  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Callback]:
        """Return the callbacks, each with whether its time has passed, and whether its words may be read."""
        may_read = Value(request.user.has_perm("outreach.read_transcript"), BooleanField())
        is_past = Q(promised_at__lt=clock.now())
        return super().get_queryset(request).annotate(is_past=is_past, may_read=may_read)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Callback], search_term: str
    ) -> tuple[QuerySet[Callback], bool]:
        return queryset.filter(people_found(search_term, "facilitator__")), False

    def get_urls(self) -> list[URLPattern]:
        """Add the agenda, and the page that says that a person has called."""
        view = self.admin_site.admin_view
        return [
            path("agenda/", view(self.agenda), name="outreach_callback_agenda"),
            path("<int:callback_id>/done/", view(self.done), name="outreach_callback_done"),
            *super().get_urls(),
        ]

    def has_say_done_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may say that a person has called."""
        return request.user.has_perm("outreach.change_callback")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Return the button where a person still has to call."""
        open_ones = Callback.objects.filter(pk=object_id, by="human", state="promised")
        return super().get_actions_detail(request, object_id) if open_ones.exists() else []

    @action(description="Done", url_path="say-done", permissions=["say_done"], icon="check")
    def say_done(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return go_to(request, reverse("admin:outreach_callback_done", args=[object_id]))

    def agenda(self, request: HttpRequest) -> HttpResponse:
        """Show the callbacks of a week."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        self._note_reading(request)
        return agenda_page(self, request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        self._note_reading(request)
        return super().changelist_view(request, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        self._note_reading(request)
        row = self.get_object(request, object_id)
        name = row.facilitator.name if row is not None else ""
        head = {"original": Titled(row, f"{name}, {moment(row.promised_at)}")} if row is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **head})

    def done(self, request: HttpRequest, callback_id: int) -> HttpResponse:
        """Ask how a person's call went, and close the callback."""
        if not self.has_say_done_permission(request):
            raise PermissionDenied
        self._note_reading(request)
        return done_page(self, request, callback_id)

    def _note_reading(self, request: HttpRequest) -> None:
        """Write down that somebody reads what people gave Alex as their reasons."""
        if request.user.has_perms(["outreach.view_callback", "outreach.read_transcript"]):
            note_access(user=request.user, kind=AccessKind.TRANSCRIPT, what="reasons of callbacks")

    @display(description="Promised, on their clock", ordering="promised_at", header=True)
    def promised_for(self, callback: Callback) -> list[str]:
        return on_both_clocks(callback.promised_at, callback.time_zone)

    @display(description="Promised for")
    def promised(self, callback: Callback) -> str:
        return their_moment(callback.promised_at, callback.time_zone)

    @display(description="Person")
    def person(self, callback: Callback) -> str:
        return admin_link(callback.facilitator, callback.facilitator.name)

    @display(description="Campaign")
    def campaign(self, callback: Callback) -> str:
        return callback.facilitator.campaign.name

    @display(description="Who calls", ordering="by")
    def who_calls(self, callback: Callback) -> SafeString | str:
        if callback.by == "alex":
            return "Alex"
        return format_html('<span class="desk-nowrap">{}</span>', callback.get_by_display())

    @display(description="State", ordering="state")
    def state_badge(self, callback: Any) -> str:
        if callback.state == "promised" and (callback.was_missed or callback.is_past):
            return badge("missed", "Late, not called yet")
        return badge(callback.state, callback.get_state_display())

    @display(description="Reason")
    def why(self, callback: Any) -> str:
        """Return the reason: what Alex heard in a call is for those who may read what was said."""
        return callback.reason if callback.may_read or callback.agreed_in_id is None else DASH

    @display(description="Agreed in")
    def agreed_in_call(self, callback: Callback) -> SafeString | str:
        """Return the call in which it was agreed, at the turn that says so; or theirs to us."""
        if callback.agreed_in_id is None:
            rang = callback.incoming_calls.first()
            return admin_link(rang, "their call to us")
        page = reverse("admin:outreach_call_change", args=[callback.agreed_in_id])
        turn = callback.evidence_seq
        place, text = (f"{page}#turn-{turn}", f"turn {turn} of ") if turn else (page, "")
        who = callback.facilitator.name
        return format_html('<a href="{}" class="desk-link">{}the call with {}</a>', place, text, who)

    @display(description="They know us by")
    def known_by(self, callback: Callback) -> str:
        return callback.caller_id or DASH

    @display(description="Agreed at")
    def agreed(self, callback: Callback) -> SafeString | str:
        return their_moment(callback.created_at, callback.time_zone)

    @display(description="Closed at")
    def closed(self, callback: Callback) -> SafeString | str:
        return their_moment(callback.closed_at, callback.time_zone)
