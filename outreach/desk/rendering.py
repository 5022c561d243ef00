"""How the admin writes times, durations, links and numbers."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.urls import reverse
from django.utils import timezone
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


def own_zone() -> str:
    """Return the IANA name of the zone of whoever looks: theirs while their page is made, else UTC."""
    return timezone.get_current_timezone_name()


def moment(at: datetime | None) -> str:
    """Return a time on the clock of whoever looks, short: "Tue 2 Jun 09:14 UTC", "Tue 2 Jun 11:14 Madrid"."""
    return DASH if at is None else f"{_short(at, own_zone())} {city_of(own_zone())}"


def _short(at: datetime, zone_name: str) -> str:
    local = at.astimezone(zone_of(zone_name) or UTC)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def when(at: datetime | None) -> SafeString | str:
    """Return a time on the clock of whoever looks that does not break across lines."""
    return DASH if at is None else format_html('<span class="desk-nowrap">{}</span>', moment(at))


def their_moment(at: datetime | None, zone_name: str) -> SafeString | str:
    """Return a time on the person's clock and on that of whoever looks; that alone if theirs is unknown.

    Where both clocks show the same, it is written once.
    """
    if at is None:
        return DASH
    zone, mine = zone_of(zone_name), zone_of(own_zone()) or UTC
    if zone is None:
        return moment(at)
    here = f"{_short(at, own_zone())} {city_of(own_zone())}"
    return format_html(
        '<span title="{}" class="desk-nowrap">{} <span class="desk-quiet">{}{}</span></span>',
        here,
        _short(at, zone_name),
        city_of(zone_name),
        "" if _agree(at, zone, mine) else f" · {_clock_if_near(at, zone, mine)} {city_of(own_zone())}",
    )


def their_own_moment(at: datetime, zone_name: str) -> str:
    """Return a time on the person's clock alone; empty where theirs is unknown or shows what mine does."""
    zone, mine = zone_of(zone_name), zone_of(own_zone()) or UTC
    if zone is None or _agree(at, zone, mine):
        return ""
    return f"{_short(at, zone_name)} {city_of(zone_name)}"


def on_both_clocks(at: datetime, zone_name: str) -> list[str]:
    """Return a time on the person's clock, and for the line below on mine; mine alone where they agree."""
    theirs = their_own_moment(at, zone_name)
    return [theirs, moment(at)] if theirs else [moment(at), ""]


def _agree(at: datetime, theirs: tzinfo, mine: tzinfo) -> bool:
    """Tell whether both clocks show the same at a moment."""
    return at.astimezone(theirs).replace(tzinfo=None) == at.astimezone(mine).replace(tzinfo=None)


def _clock_if_near(at: datetime, theirs: tzinfo, mine: tzinfo) -> str:
    """Return my time of a moment, with the day only where it is another one than theirs."""
    local = at.astimezone(mine)
    same_day = local.date() == at.astimezone(theirs).date()
    return f"{local:%H:%M}" if same_day else f"{local:%a %H:%M}"


def local_time(at: datetime, zone_name: str) -> str:
    """Return what a clock shows in a zone, with its town: "16:05 Madrid"; empty when there is no zone."""
    zone = zone_of(zone_name)
    return f"{at.astimezone(zone):%H:%M} {city_of(zone_name)}" if zone else ""


def their_clock(at: datetime, zone_name: str) -> SafeString:
    """Return a time to the second on the person's clock, with that of whoever looks in the tooltip."""
    local = at.astimezone(zone_of(zone_name) or UTC)
    mine = at.astimezone(zone_of(own_zone()) or UTC)
    return format_html(
        '<time title="{}">{}</time>', f"{mine:%H:%M:%S} {city_of(own_zone())}", f"{local:%H:%M:%S}"
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
