"""What an event of a call means, for somebody who has never read a carrier's manual."""

from __future__ import annotations

from outreach.desk.badges import words_of
from outreach.models import CallEvent

_MEANINGS = {
    ("livekit", "room_started"): "Room opened",
    ("livekit", "participant_joined AGENT"): "Alex joined the room",
    ("livekit", "participant_joined SIP"): "The person's line joined the room",
    ("livekit", "participant_left AGENT"): "Alex left the room",
    ("livekit", "participant_left SIP"): "The person's line left the room",
    ("livekit", "participant_joined STANDARD"): "The browser joined the room",
    ("livekit", "participant_left STANDARD"): "The browser left the room",
    ("livekit", "room_finished"): "Room closed",
    ("twilio", "initiated"): "Carrier took the call",
    ("twilio", "ringing"): "Ringing",
    ("twilio", "answer"): "Picked up, asks where to connect",
    ("twilio", "in-progress"): "Picked up",
    ("twilio", "dialed"): "Connection to the room ended",
    ("twilio", "completed"): "Hung up",
    ("twilio", "busy"): "Busy",
    ("twilio", "no-answer"): "No answer",
    ("twilio", "failed"): "Could not be reached",
    ("twilio", "canceled"): "Canceled",
    ("agent", "ready"): "Ready to talk",
    ("agent", "answered"): "Knows who picked up",
    ("agent", "outcome"): "Reports the outcome",
    ("agent", "callback"): "Reports a callback",
    ("agent", "opt_out"): "Reports “never call again”",
    ("agent", "end"): "Reports the end",
}


def meaning_of(event: CallEvent) -> str:
    """Return an event in plain words; Alex's tools by their names."""
    known = _MEANINGS.get((event.source, event.kind))
    if known:
        return known
    tool = event.payload.get("name") if event.kind == "tool" and isinstance(event.payload, dict) else None
    return f"Used “{words_of(str(tool)).lower()}”" if tool else words_of(event.kind)
