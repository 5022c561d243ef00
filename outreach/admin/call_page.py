"""What the page of one call shows beyond its row."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from outreach.admin.conversation import conversation_of
from outreach.desk import after_call
from outreach.desk.call_timeline import latencies_of, timeline_of
from outreach.desk.rendering import duration, seconds_between
from outreach.models import Call, CallEvent
from outreach.services.accesses import note_look
from outreach.services.detector import was_right

EVENTS_SHOWN = 200
EDITS_SHOWN = 20


def page_of(call: Call, user: Any) -> dict[str, Any]:
    """Return what the template needs; that a transcript was opened is written down."""
    may_read = user.has_perm("outreach.read_transcript")
    events = list(CallEvent.objects.filter(call=call).order_by("received_at", "id")[:EVENTS_SHOWN])
    conversation = conversation_of(call, events) if may_read else None
    if conversation is not None and (conversation.lines or conversation.is_live):
        note_look(user=user, call_id=call.pk, n_turns=conversation.n_turns)
    corrections = call.history.exclude(history_type="+")  # that an operator asked for it corrects nothing
    return {
        "call": call,
        "talk_time": duration(seconds_between(call.answered_at, call.ended_at)),
        "ring_time": duration(seconds_between(call.ringing_at, call.answered_at or call.ended_at)),
        "may_read": may_read,
        "conversation": conversation,
        "summary": after_call.summary_of(call) if may_read else None,
        "cost": after_call.cost_of(call),
        "timeline": timeline_of(call, events),
        "latencies": latencies_of(call, conversation.turns if conversation else []),
        "edits": corrections.select_related("history_user").order_by("-history_date")[:EDITS_SHOWN],
        "may_judge": call.answered_at is not None and user.has_perm("outreach.change_call"),
        "was_right": was_right(call),
        "flower_url": settings.FLOWER_URL if user.is_superuser else "",
    }
