"""The work list of people who are interested: whose it is, by when, and what came of it."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from outreach.admin.base import KeptAdmin, go_to
from outreach.admin.dialogs import dialog
from outreach.admin.searching import people_found
from outreach.admin.telling import say_done
from outreach.desk.badges import badge
from outreach.desk.rendering import DASH, admin_link, on_both_clocks, their_moment, when
from outreach.desk.titles import Titled
from outreach.models import AccessKind, Interest, Turn
from outreach.services import clock, interests
from outreach.services.accesses import note_access


class Work(DropdownFilter):
    """What is to be done, and for whom."""

    title = "work"
    parameter_name = "work"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("open", "To be done"),
            ("mine", "Mine, to be done"),
            ("late", "Late"),
            ("nobodys", "Nobody's yet"),
            ("back", "Took it back"),
            ("handled", "Handled"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Interest]) -> QuerySet[Interest]:
        took_it_back = Q(facilitator__standing__in=interests.TOOK_IT_BACK)
        is_open = Q(handled_at__isnull=True) & ~took_it_back
        wanted = {
            "open": is_open,
            "mine": is_open & Q(owner=request.user),
            "late": is_open & Q(due_at__lt=clock.now()),
            "nobodys": is_open & Q(owner__isnull=True),
            "back": Q(handled_at__isnull=True) & took_it_back,
            "handled": Q(handled_at__isnull=False),
        }
        return queryset.filter(wanted[self.value()]) if self.value() in wanted else queryset


@admin.register(Interest)
class InterestAdmin(KeptAdmin):
    """Who said yes and waits to hear from us; the most urgent first."""

    class Media:
        css = {"all": ["outreach/calls.css"]}

    list_display = ("person", "state", "due", "owner_named", "campaign", "evidence", "note", "standing")
    list_filter = (Work, ("facilitator__campaign", RelatedDropdownFilter), ("owner", RelatedDropdownFilter))
    search_fields = ("facilitator__name",)
    search_help_text = "Name, e-mail, organisation or number"
    sortable_by = ()
    actions = ("take_them", "finish_them", "open_them_again")
    actions_detail = ("take_one", "finish_one")
    fieldsets = (
        ("Who said yes", {"fields": (("person_linked", "campaign"), ("said", "since"))}),
        ("What to do", {"fields": ("owner", "due_at", "note", "state")}),
    )
    readonly_fields = ("person_linked", "campaign", "said", "since", "state")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Interest]:
        late = Q(handled_at__isnull=True, due_at__lt=clock.now())
        rows = super().get_queryset(request).select_related("facilitator__campaign", "owner")
        return interests.interested_first(rows.annotate(is_late=late))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Interest], search_term: str
    ) -> tuple[QuerySet[Interest], bool]:
        return queryset.filter(people_found(search_term, "facilitator__")), False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "owner":
            kwargs["queryset"] = get_user_model().objects.filter(is_staff=True, is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row: Any = super().get_object(request, object_id, from_field)
        if row is not None:
            row.may_read = request.user.has_perm("outreach.read_transcript")
        return row

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        more: dict[str, Any] = {}
        if row is not None:
            self._note_reading(request, row)
            name = row.facilitator.name
            more = {"title": name, "subtitle": None, "original": Titled(row, name)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def _note_reading(self, request: HttpRequest, row: Any) -> None:
        """Write down that words of a transcript are shown."""
        if request.method == "GET" and row.may_read and row.turn_seq is not None:
            what = f"turn {row.turn_seq} of call {row.call_id}"
            note_access(user=request.user, kind=AccessKind.TRANSCRIPT, what=what)

    @action(
        description="Take it", permissions=["change"], icon="person_check", variant=ActionVariant.PRIMARY,
        dialog=dialog("Take this person on?", "You become the owner.", "Take it"),
    )  # fmt: skip
    def take_one(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        say_done(request, interests.take(interest_ids=[int(object_id)], owner_id=request.user.pk), "yours")
        return go_to(request, reverse("admin:outreach_interest_change", args=[object_id]))

    @action(
        description="Handled", permissions=["change"], icon="task_alt",
        dialog=dialog("Has this person been taken care of?", "They leave the list of work.", "Handled"),
    )  # fmt: skip
    def finish_one(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        by = request.user.get_username()
        say_done(request, interests.finish(interest_ids=[int(object_id)], by=by), "handled")
        return go_to(request, reverse("admin:outreach_interest_changelist"))

    @action(description="Take them", permissions=["change"])
    def take_them(self, request: HttpRequest, rows: QuerySet[Interest]) -> None:
        ids = list(rows.values_list("pk", flat=True))
        say_done(request, interests.take(interest_ids=ids, owner_id=request.user.pk), "yours")

    @action(description="Handled", permissions=["change"])
    def finish_them(self, request: HttpRequest, rows: QuerySet[Interest]) -> None:
        ids = list(rows.values_list("pk", flat=True))
        say_done(request, interests.finish(interest_ids=ids, by=request.user.get_username()), "handled")

    @action(description="Open again", permissions=["change"])
    def open_them_again(self, request: HttpRequest, rows: QuerySet[Interest]) -> None:
        ids = list(rows.values_list("pk", flat=True))
        say_done(request, interests.open_again(interest_ids=ids), "put back on the list")

    @display(description="Person", header=True)
    def person(self, row: Interest) -> list[str]:
        return [row.facilitator.name, row.facilitator.number]

    @display(description="Person")
    def person_linked(self, row: Interest) -> SafeString | str:
        return admin_link(row.facilitator, row.facilitator.name)

    @display(description="State")
    def state(self, row: Any) -> SafeString | str:
        if row.handled_at is None and row.facilitator.standing in interests.TOOK_IT_BACK:
            return badge("took_it_back", title="They have since said no: nobody has to get in touch.")
        if row.handled_at is None:
            return badge("late", "Late", variant="danger") if row.is_late else badge("to_do", "To do")
        return format_html(
            "{} {} {}", badge("handled", variant="success"), row.handled_by, when(row.handled_at)
        )

    @display(description="Due", header=True)
    def due(self, row: Interest) -> list[str]:
        return on_both_clocks(row.due_at, row.facilitator.time_zone)

    @display(description="Owner")
    def owner_named(self, row: Interest) -> str:
        return row.owner.get_username() if row.owner else DASH

    @display(description="Campaign")
    def campaign(self, row: Interest) -> str:
        return row.facilitator.campaign.name

    @display(description="Said yes")
    def since(self, row: Interest) -> SafeString | str:
        return their_moment(row.created_at, row.facilitator.time_zone)

    @display(description="Said in")
    def evidence(self, row: Interest) -> SafeString | str:
        if row.call_id is None:
            return "an operator's own word"
        url = reverse("admin:outreach_call_change", args=[row.call_id])
        if row.turn_seq is None:
            return format_html('<a class="desk-link" href="{}">the call</a>', url)
        return format_html('<a class="desk-link" href="{0}#turn-{1}">turn {1}</a>', url, row.turn_seq)

    @display(description="In their words")
    def said(self, row: Any) -> SafeString | str:
        """Return the turn that says so, for those who may read what is said; for others its place only."""
        turn = None
        if getattr(row, "may_read", False) and row.turn_seq is not None:
            turn = Turn.objects.filter(call=row.call_id, seq=row.turn_seq).first()
        return format_html("“{}” – {}", turn.text, self.evidence(row)) if turn else self.evidence(row)

    @display(description="Now")
    def standing(self, row: Interest) -> SafeString | str:
        return badge(row.facilitator.standing)
