"""The admin's own words for templates: badges, times, durations."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from outreach.desk import badges, call_events, callers, reasons, rendering
from outreach.models import Call, CallEvent, IncomingCall

register = template.Library()


@register.simple_tag(name="badge")
def badge_tag(value: str, text: str = "", title: str = "", variant: str | None = None) -> SafeString | str:
    """Write the badge of a stored value."""
    return badges.badge(value, text, title=title, variant=variant)


@register.simple_tag
def stage(call: Call) -> SafeString | str:
    """Write the badge of where an open call stands."""
    return badges.stage_badge(call)


@register.simple_tag
def local_time(at: datetime, zone_name: str) -> str:
    """Write what a clock shows where a person is; nothing where that is not known."""
    return rendering.local_time(at, zone_name)


@register.simple_tag
def theirs(at: datetime | None, zone_name: str) -> SafeString | str:
    """Write a time on the person's clock."""
    return rendering.their_moment(at, zone_name)


@register.simple_tag
def clock(at: datetime, zone_name: str) -> SafeString:
    """Write a time to the second on the person's clock."""
    return rendering.their_clock(at, zone_name)


@register.simple_tag
def caller_choice(call: IncomingCall) -> str:
    """Write what somebody who rang us asked for."""
    return callers.choice_badge(call)


@register.simple_tag
def caller_followed(call: IncomingCall) -> SafeString | str:
    """Write what came of it."""
    return callers.what_followed(call)


@register.simple_tag
def how(formula: str) -> SafeString:
    """Write the button that tells how a figure is counted, by mouse, keyboard and touch."""
    return format_html(
        '<button type="button" class="desk-how" title="{}" aria-label="How this is counted">'
        '<span class="material-symbols-outlined" aria-hidden="true">info</span></button>',
        formula,
    )


@register.filter
def city(zone_name: str) -> str:
    """Write the town of a zone."""
    return rendering.city_of(zone_name)


@register.filter
def answerer(answered_by: str) -> str:
    """Write who or what picked up."""
    return badges.ANSWERED_BY.get(answered_by, rendering.DASH)


@register.filter
def meaning(event: CallEvent) -> str:
    """Write what an event of a call means."""
    return call_events.meaning_of(event)


@register.filter
def moment(at: datetime | None) -> str:
    """Write a time in UTC."""
    return rendering.moment(at)


@register.filter
def minutes(seconds: float | None) -> str:
    """Write seconds as m:ss."""
    return rendering.duration(seconds)


@register.filter
def words(value: str) -> str:
    """Write a stored value as a person would."""
    return badges.words_of(value)


@register.filter
def reason(code: str) -> str:
    """Write why somebody waits."""
    return reasons.as_sentence(code)


@register.filter
def per(amount: float, n: float) -> float | None:
    """Return an amount per each of `n`, or None of nothing."""
    return amount / n if n else None


@register.filter
def share(part: float, whole: float) -> str:
    """Write a part of a whole in percent; a dash of nothing."""
    return f"{part / whole:.0%}" if whole else rendering.DASH
