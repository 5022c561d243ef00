"""How the desk writes why somebody is not being called: one phrase, and what holds beside it in grey."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from outreach.desk.rendering import their_moment
from outreach.services.explaining import Because


def told(reasons: Sequence[Because], zone_name: str) -> SafeString:
    """Return the reasons, with their times on the person's clock."""
    first, *others = reasons
    quiet: list[SafeString | str] = [] if first.at is None else [_when(first, zone_name)]
    quiet += [_in_one_line(other, zone_name) for other in others]
    lines = format_html_join("", '<br><small class="desk-quiet">{}</small>', ((line,) for line in quiet))
    return format_html('<span class="desk-why">{}{}</span>', first.sentence, lines)


def _in_one_line(reason: Because, zone_name: str) -> SafeString | str:
    if reason.at is None:
        return reason.sentence
    return format_html("{}, {}", reason.sentence.removesuffix("."), _when(reason, zone_name))


def _when(reason: Because, zone_name: str) -> SafeString:
    return format_html("{} {}", reason.lead, their_moment(reason.at, zone_name))
