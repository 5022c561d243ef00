"""How the desk writes what people who rang us asked for, and what came of it."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from outreach.desk.badges import badge
from outreach.desk.rendering import DASH, their_moment
from outreach.models import IncomingCall, IncomingChoice

_VARIANTS = {IncomingChoice.CALLBACK.value: "primary", IncomingChoice.STOP.value: "danger"}


def choice_badge(call: IncomingCall) -> str:
    """Return the badge of what the caller asked for; it says so, too, when that was nothing."""
    return badge(
        call.choice or "no_choice", call.get_choice_display(), variant=_VARIANTS.get(call.choice, "")
    )


def what_followed(call: IncomingCall) -> SafeString | str:
    """Return what the caller's wish led to. Expects `callback` to be loaded."""
    if call.choice == IncomingChoice.STOP.value:
        return "Never called again, in any campaign"
    if call.choice != IncomingChoice.CALLBACK.value:
        return DASH
    callback = call.callback
    if callback is None:
        return "A person decides: Alex may not call this number, or does not know it"
    if callback.by != "alex":
        return format_html("A person calls: {}", callback.get_state_display().lower())
    at = their_moment(callback.promised_at, callback.time_zone)
    return format_html("Alex calls {}: {}", at, callback.get_state_display().lower())
