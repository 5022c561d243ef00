"""Calls: what the network did, what was said, what came of it; corrected with a reason, never edited."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import Script
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.decorators import display

from outreach.admin.base import FactsAdmin
from outreach.admin.call_actions import CallActions
from outreach.admin.call_page import page_of
from outreach.admin.list_filters import DaysFromTo
from outreach.admin.searching import with_number_prefix, with_words
from outreach.desk.badges import ANSWERED_BY, badge
from outreach.desk.rendering import DASH, admin_link, duration, moment, seconds_between, their_own_moment
from outreach.desk.titles import Titled
from outreach.models import Call
from outreach.services.detector import detector_score

_TIMES = (
    "queued_at", "preparing_at", "ready_at", "dialing_at", "placed_at", "ringing_at", "answered_at",
    "ended_at", "end_received_at", "settled_at", "hangup_at", "deadline_at",
)  # fmt: skip


@admin.register(Call)
class CallAdmin(CallActions, FactsAdmin):
    """One attempt per row, newest first; the page holds the conversation."""

    class Media:
        css = {"all": ["outreach/calls.css"]}
        js = (Script("outreach/live.js", defer=True),)

    list_display = (
        "queued", "person", "campaign", "kind", "status_badge", "disposition_badge", "answered",
    )  # fmt: skip
    list_filter = (
        ("queued_at", DaysFromTo),
        "channel",
        "status",
        "disposition",
        "answered_by",
        "kind",
        "campaign",
        "our_fault",
        "transcript",
    )
    list_select_related = ("facilitator", "campaign")
    search_fields = ("number__startswith",)
    search_help_text = "Name, e-mail, organisation, number, id or Twilio SID"
    ordering = ("-queued_at",)
    sorted_by_index = ("queued",)
    change_form_outer_before_template = "outreach/call.html"
    list_before_template = "outreach/call_list.html"
    fieldsets = (
        (
            "Details",
            {
                "classes": ["collapse"],
                "fields": (
                    ("caller_id", "kind", "script"), ("callback", "twilio_sid", "ended_by"),
                    ("failure_code", "failure_reason", "counts"), ("agent_worker", "agent_job", "our_fault"),
                    ("n_turns", "n_notes", "duration_seconds"),
                ),
            },
        ),
        ("Times", {"classes": ["collapse"], "fields": (_TIMES[:3], _TIMES[3:6], _TIMES[6:9], _TIMES[9:])}),
    )  # fmt: skip

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.upper().startswith("CA") and len(term) > 10:
            return queryset.filter(twilio_sid=term), False
        if len(term) == 36:
            return queryset.filter(pk=term) if _is_uuid(term) else queryset.none(), False
        by_number = with_number_prefix(term)
        found = by_number if by_number is not None else with_words(term, "facilitator__")
        return queryset.filter(found), False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        call = self._call(object_id)
        more: dict[str, Any] = {}
        if call is not None:
            more = {
                "title": call.who,
                "subtitle": None,
                "original": Titled(call, f"{call.who}, {moment(call.queued_at)}"),
                **page_of(call, request.user),
            }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **more})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "detector": detector_score()})

    def _call(self, object_id: str) -> Call | None:
        related = ("facilitator", "campaign", "script")
        return (
            Call.objects.select_related(*related).filter(pk=object_id).first()
            if _is_uuid(object_id)
            else None
        )

    @display(description="When", ordering="queued_at", header=True)
    def queued(self, call: Call) -> list[str]:
        theirs = call.facilitator.time_zone if call.facilitator else ""
        return [moment(call.queued_at), their_own_moment(call.queued_at, theirs)]

    @display(description="Person", header=True)
    def person(self, call: Call) -> list[str]:
        who = admin_link(call.facilitator, call.who) if call.facilitator else call.who
        return [who, call.number or call.get_channel_display()]

    @display(description="Answered by", ordering="answered_by", header=True)
    def answered(self, call: Call) -> list[str]:
        """Return who or what picked up, for how long they talked, and how much was said."""
        if call.answered_at is None:
            return [DASH, ""]
        who = ANSWERED_BY.get(call.answered_by, "Somebody")
        talk = duration(seconds_between(call.answered_at, call.ended_at))
        if call.transcript == "incomplete":
            return [who, format_html("{} · {}", talk, badge("incomplete", "Gaps"))]
        turns = "1 turn" if call.n_turns == 1 else f"{call.n_turns} turns"
        return [who, f"{talk} · {turns}" if call.n_turns else talk]

    @display(description="Status", ordering="status")
    def status_badge(self, call: Call) -> str:
        return badge(call.status, title=call.failure_reason)

    @display(description="Outcome", ordering="disposition")
    def disposition_badge(self, call: Call) -> str:
        if call.our_fault:
            return badge("our_fault", "Our fault", variant="danger", title=call.failure_reason)
        return badge(call.disposition)


def _is_uuid(value: str) -> bool:
    try:
        Call._meta.pk.to_python(value)
    except ValidationError:
        return False
    return True
