"""What was said and noted, as plain lists; the conversation itself is on the call's page."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from outreach.admin.base import WordsAdmin
from outreach.desk.badges import words_of
from outreach.desk.rendering import DASH, admin_link, when
from outreach.models import Note, Turn


@admin.register(Turn)
class TurnAdmin(WordsAdmin):
    """Turns of all calls, newest first."""

    list_display = ("said", "of_call", "number", "speaker", "text", "in_stage")
    list_filter = ("speaker", "stage", "interrupted")
    list_select_related = ("call__facilitator",)
    search_fields = ("=call__id",)
    search_help_text = "A call's id"
    ordering = ("-id",)
    fields = ("of_call", "seq", "speaker", "text", "stage", "interrupted", "said")
    readonly_fields = fields

    @display(description="Said", ordering="said_at")
    def said(self, turn: Turn) -> str:
        return when(turn.said_at)

    @display(description="Turn", ordering="seq")
    def number(self, turn: Turn) -> int:
        return turn.seq

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
    search_fields = ("=call__id",)
    search_help_text = "A call's id"
    ordering = ("-id",)
    fields = ("of_call", "seq", "text", "turn_seq", "noted")
    readonly_fields = fields

    @display(description="At turn", ordering="turn_seq")
    def at_turn(self, note: Note) -> str:
        return str(note.turn_seq or DASH)

    @display(description="Noted", ordering="noted_at")
    def noted(self, note: Note) -> str:
        return when(note.noted_at)

    @display(description="Call")
    def of_call(self, note: Note) -> str:
        return admin_link(note.call, note.call.who)
