"""What was said and noted: a search in all of it; the conversation itself is on the call's page."""

# Django dictates signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from outreach.admin.base import WordsAdmin
from outreach.admin.list_filters import InStage
from outreach.desk import spoken
from outreach.desk.badges import words_of
from outreach.desk.rendering import DASH, admin_link, when
from outreach.models import Note, Turn

FREQUENT_WORDS = (
    f"This is said so often that only the newest {spoken.NEWEST:,} turns were looked through. "
    "Add another word to look through all of them."
)


@admin.register(Turn)
class TurnAdmin(WordsAdmin):
    """Turns of all calls, newest first; searched by the words in them."""

    class Media:
        css = {"all": ["outreach/calls.css"]}

    list_display = ("said", "of_call", "who", "words", "in_stage")
    list_filter = ("speaker", InStage, "interrupted")
    list_select_related = ("call__facilitator",)
    search_fields = ("text",)
    search_help_text = "Words that were said, or how they begin"
    ordering = ("-id",)
    sorted_by_index = ("said",)
    fields = ("of_call", "seq", "speaker", "text", "stage", "interrupted", "said")
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Turn], search_term: str
    ) -> tuple[QuerySet[Turn], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        call_id = _uuid(term)
        if call_id is not None:
            return queryset.filter(call=call_id), False
        found = spoken.turns_with(queryset, term)
        if found.of_newest:
            messages.info(request, FREQUENT_WORDS)
        return found.turns.annotate(searched=Value(term)), False

    @display(description="Said", ordering="id")
    def said(self, turn: Turn) -> str:
        return when(turn.said_at)

    @display(description="Speaker", ordering="speaker")
    def who(self, turn: Turn) -> str:
        return turn.get_speaker_display()

    @display(description="Words")
    def words(self, turn: Any) -> SafeString | str:
        """Return what was said, as a link to its place in the conversation."""
        place = f"{reverse('admin:outreach_call_change', args=[turn.call_id])}#turn-{turn.seq}"
        text = spoken.marked(turn.text, getattr(turn, "searched", ""))
        return format_html('<a href="{}" class="calls-words">{}</a>', place, text)

    @display(description="Stage", ordering="stage")
    def in_stage(self, turn: Turn) -> str:
        return f"{words_of(turn.stage)}, cut off" if turn.interrupted else words_of(turn.stage)

    @display(description="Call")
    def of_call(self, turn: Turn) -> str:
        return admin_link(turn.call, turn.call.who)


@admin.register(Note)
class NoteAdmin(WordsAdmin):
    """Notes of all calls, newest first."""

    list_display = ("noted", "of_call", "text", "at_turn")
    list_select_related = ("call__facilitator",)
    search_fields = ("call",)
    search_help_text = "A call's id"
    ordering = ("-id",)
    fields = ("of_call", "seq", "text", "turn_seq", "noted")
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Note], search_term: str
    ) -> tuple[QuerySet[Note], bool]:
        term = search_term.strip()
        call_id = _uuid(term)
        found = queryset.filter(call=call_id) if call_id is not None else queryset.none()
        return found if term else queryset, False

    @display(description="At turn", ordering="turn_seq")
    def at_turn(self, note: Note) -> str:
        return str(note.turn_seq or DASH)

    @display(description="Noted", ordering="noted_at")
    def noted(self, note: Note) -> str:
        return when(note.noted_at)

    @display(description="Call")
    def of_call(self, note: Note) -> str:
        return admin_link(note.call, note.call.who)


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None
