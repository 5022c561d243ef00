"""How a terminal words what the rows say: times on the person's own clock, endings, what follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from outreach.domain.call_status import CallStatus
from outreach.domain.disposition import AnsweredBy
from outreach.domain.standing import CallKind, Standing
from outreach.domain.zones import UnknownZone, zones_of
from outreach.models import Call, Facilitator

KINDS = {
    CallKind.FIRST: "first call",
    CallKind.RETRY: "another try",
    CallKind.CALLBACK: "the callback they asked for",
    CallKind.MANUAL: "called by hand",
}
ENDINGS = {
    CallStatus.COMPLETED: "The line is free",
    CallStatus.NO_ANSWER: "Nobody answered",
    CallStatus.BUSY: "Busy",
    CallStatus.FAILED: "The number could not be reached",
    CallStatus.CANCELED: "Canceled before anybody answered",
    CallStatus.NOT_PLACED: "Never dialled",
}
ANSWERERS = {
    AnsweredBy.HUMAN: "a person",
    AnsweredBy.VOICEMAIL: "a voicemail",
    AnsweredBy.IVR: "a menu",
    AnsweredBy.SCREENING: "a call screening service",
    AnsweredBy.UNAVAILABLE: "an announcement",
    AnsweredBy.UNCERTAIN: "somebody, taken for a person",
}
_CLOSINGS = {
    Standing.INTERESTED: "An operator goes on from here.",
    Standing.NOT_INTERESTED: "Left in peace.",
    Standing.SUPPRESSED: "Never called again, in no campaign.",
    Standing.EXHAUSTED: "Tried often enough; not called again.",
    Standing.HELD: "Waits for an operator.",
    Standing.NEEDS_REVIEW: "Waits for an operator's decision.",
}
#: Standings whose stored reason says more than the standing does.
_EXPLAINED = {Standing.HELD, Standing.NEEDS_REVIEW, Standing.EXHAUSTED}


def in_words(value: str) -> str:
    """Return a stored value as an operator reads it: "no_answer" becomes "no answer"."""
    return value.replace("_", " ")


def zone_of(person: Facilitator) -> str:
    """Return the zone to show a person's times in; their country's first when theirs is not known."""
    try:
        return zones_of(time_zone=person.time_zone, country=person.country)[0]
    except UnknownZone:
        return "UTC"


def their_time(moment: datetime, person: Facilitator) -> str:
    """Return a moment on the person's clock and in UTC."""
    zone = zone_of(person)
    utc = moment.astimezone(UTC)
    if zone == "UTC":
        return f"{utc:%a %d %b %H:%M} UTC"
    theirs = moment.astimezone(ZoneInfo(zone))
    return f"{theirs:%a %d %b %H:%M} {zone} ({utc:%a %H:%M} UTC)"


def span(seconds: float) -> str:
    """Return a length of time: "0:42", "12:05", "1:02:03"."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def ahead(until: timedelta) -> str:
    """Return roughly how far away a moment is: "now", "in 12 min", "in 3 h", "in 4 days"."""
    seconds = until.total_seconds()
    if seconds <= 0:
        return "now"
    if seconds < 3600:
        return f"in {max(1, round(seconds / 60))} min"
    return f"in {round(seconds / 3600)} h" if seconds < 48 * 3600 else f"in {round(seconds / 86400)} days"


def ending_of(call: Call) -> str:
    """Return how the network ended a call."""
    ending = ENDINGS.get(CallStatus(call.status), in_words(call.status))
    if call.status == CallStatus.COMPLETED.value and call.duration_seconds is not None:
        return f"{ending} after {span(call.duration_seconds)}"
    why = call.failure_reason or call.failure_code
    return f"{ending} ({why.rstrip('.')})" if why else ending


def what_follows(person: Facilitator) -> str:
    """Return what happens to a person next, in one sentence or two."""
    standing = Standing(person.standing)
    if person.next_call_at is not None:
        verb = "They are called back" if standing is Standing.CALLBACK_DUE else "The next try is"
        return f"{verb} {their_time(person.next_call_at, person)}."
    reason = f" {person.standing_reason}" if standing in _EXPLAINED else ""
    return f"{_CLOSINGS.get(standing, '')}{reason}".strip()
