"""One map from stored values to the colour of their badge."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from outreach.domain.call_status import CallStatus
from outreach.models import Call

#: Stored value → unfold's variant. Values not listed are grey.
VARIANTS: dict[str, str] = {
    # statuses of a call
    "queued": "",
    "preparing": "info",
    "dialing": "info",
    "ringing": "info",
    "in_progress": "primary",
    "completed": "success",
    "no_answer": "warning",
    "busy": "warning",
    "failed": "danger",
    "canceled": "",
    "not_placed": "warning",
    "unknown": "danger",
    # what a conversation achieved
    "interested": "success",
    "callback_requested": "primary",
    "not_interested": "warning",
    "do_not_call": "danger",
    "wrong_person": "warning",
    # standings
    "in_call": "primary",
    "retry_due": "info",
    "callback_due": "primary",
    "suppressed": "danger",
    "exhausted": "warning",
    "held": "warning",
    "needs_review": "danger",
    # campaigns, uploads, callbacks, transcripts
    "running": "success",
    "paused": "warning",
    "uploaded": "primary",
    "importing": "info",
    "imported": "success",
    "refused": "danger",
    "undone": "warning",
    "promised": "primary",
    "kept": "success",
    "missed": "danger",
    "complete": "success",
    "incomplete": "danger",
    "waiting_for_go": "warning",
    # checks
    "ok": "success",
    "warn": "warning",
    "fail": "danger",
}


#: Who or what picked up, as an operator reads it.
ANSWERED_BY: dict[str, str] = {
    "human": "A person",
    "voicemail": "Voicemail",
    "ivr": "Phone menu",
    "screening": "Call screening",
    "unavailable": "Announcement",
    "uncertain": "Unclear",
}


def words_of(value: str) -> str:
    """Return a stored value as an operator reads it: "no_answer" → "No answer"."""
    return value.replace("_", " ").capitalize()


def stage_badge(call: Call) -> SafeString | str:
    """Return the badge of where an open call stands: of the conversation once there are words, else before.

    Words often come before the carrier's news that somebody has picked up.
    """
    if call.stage or getattr(call, "last_text", None):
        return badge(CallStatus.IN_PROGRESS.value, words_of(call.stage) if call.stage else "Talking")
    return badge(call.status)


def badge(value: str, text: str = "", *, title: str = "", variant: str | None = None) -> SafeString | str:
    """Return the badge of a stored value, or a dash when there is none."""
    if not value:
        return "–"
    context = {
        "text": text or words_of(value),
        "type": VARIANTS.get(value, "") if variant is None else variant,
        "label_title": title,
    }
    return mark_safe(render_to_string("unfold/helpers/label.html", context))  # noqa: S308  (the template escapes)
