"""How the admin writes times, durations, links and numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

DASH = "–"


def admin_link(row: Any, text: str | None = None) -> SafeString | str:
    """Return a link to a row's admin page, or a dash when there is no row."""
    if row is None:
        return DASH
    meta = row._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}" class="desk-link">{}</a>', url, text if text is not None else str(row))


def zone_of(name: str) -> ZoneInfo | None:
    """Return the zone called `name`, or None when it is empty or unknown."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def moment(at: datetime | None) -> str:
    """Return a time in UTC, short: "Tue 2 Jun 09:14 UTC"."""
    return (
        DASH
        if at is None
        else f"{at.astimezone(UTC):%a} {at.astimezone(UTC).day} {at.astimezone(UTC):%b %H:%M} UTC"
    )


def when(at: datetime | None) -> SafeString | str:
    """Return a time in UTC that does not break across lines."""
    return DASH if at is None else format_html('<span class="desk-nowrap">{}</span>', moment(at))


def their_moment(at: datetime | None, zone_name: str) -> SafeString | str:
    """Return a time on the person's clock, with ours in the tooltip; ours alone when theirs is unknown."""
    if at is None:
        return DASH
    zone = zone_of(zone_name)
    if zone is None:
        return moment(at)
    local = at.astimezone(zone)
    return format_html(
        '<span title="{}" class="desk-nowrap">{} {} {} <span class="desk-quiet">{}</span></span>',
        moment(at),
        f"{local:%a}",
        local.day,
        f"{local:%b %H:%M}",
        city_of(zone_name),
    )


def their_clock(at: datetime, zone_name: str) -> SafeString:
    """Return a time to the second on the person's clock, with UTC in the tooltip."""
    local = at.astimezone(zone_of(zone_name) or UTC)
    return format_html(
        '<time title="{}">{}</time>', f"{at.astimezone(UTC):%H:%M:%S} UTC", f"{local:%H:%M:%S}"
    )


def city_of(zone_name: str) -> str:
    """Return the town by which a zone is known: "New York"; "UTC" when there is no zone."""
    return zone_name.rsplit("/", 1)[-1].replace("_", " ") if zone_of(zone_name) else "UTC"


def duration(seconds: float | None) -> str:
    """Return seconds as "m:ss"."""
    if seconds is None:
        return DASH
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from `start` to `end`, or None when one of them has not happened."""
    return None if start is None or end is None else (end - start).total_seconds()
