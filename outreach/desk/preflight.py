"""A campaign's preflight as its page tells it, with doctor's checks; the forecast in a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from outreach.desk.reasons import as_sentence
from outreach.desk.rendering import moment
from outreach.doctor import results
from outreach.domain.forecast import HORIZON
from outreach.models import Campaign, CheckStatus
from outreach.services import clock
from outreach.services.forecasting import Outlook
from outreach.services.preflight import Preflight, inspect
from outreach.services.preflight_items import Item, Level
from outreach.services.preflight_people import AFTER_THE_END, CALLED_BEFORE, Why

#: Older findings may have become wrong.
_FRESH = timedelta(hours=24)
_CHECK_AGAIN = "Press “Check again” under “What a call needs”"
_OWN_WORDS = {
    CALLED_BEFORE: "They were called before; each is looked at when their turn comes",
    AFTER_THE_END: "Their hours open only after the campaign's last day",
}


_UPLOAD = "admin:outreach_campaign_upload"
#: Where something is mended, if not on the campaign's own page: permission, address, words.
_WAYS_OUT = {
    "people": ("outreach.import_facilitators", _UPLOAD, "Open the upload"),
    "consent": ("outreach.import_facilitators", _UPLOAD, "Open the upload"),
    "agents": ("outreach.view_agentworker", "admin:outreach_agentworker_changelist", "Agent workers"),
    "switch": ("outreach.view_call", "admin:index", "Dashboard"),
    "cost": ("outreach.view_rate", "admin:outreach_rate_changelist", "Rates"),
}


@dataclass(frozen=True, kw_only=True)
class WayOut:
    """The page on which something is mended."""

    url: str
    says: str
    outside: bool = False
    """Whether it is somebody else's page."""


def preflight_of(campaign: Campaign) -> Preflight:
    """Return a campaign's preflight, doctor's last checks included."""
    return inspect(campaign, checked=doctors(campaign))


def doctors(campaign: Campaign) -> list[Item]:
    """Return what doctor found last, as items of a preflight."""
    title = "Checks"
    rows = results.latest(campaign=campaign)
    if not rows:
        return [
            Item(
                name="doctor",
                title=title,
                level=Level.WARN,
                says="Nothing was checked yet.",
                remedy=f"{_CHECK_AGAIN}: accounts and servers are asked, nobody is called.",
            )
        ]
    failed = [row for row in rows if row.status == CheckStatus.FAIL]
    if failed:
        return [
            Item(
                name=f"doctor.{row.name}",
                title=title,
                level=Level.FAIL,
                says=row.finding,
                remedy=row.remedy,
                page=row.page,
            )
            for row in failed
        ]
    oldest = min(row.checked_at for row in rows)
    if clock.now() - oldest > _FRESH:
        says = f"The checks found nothing wrong, but the oldest is of {moment(oldest)}."
        remedy = f"{_CHECK_AGAIN}."
        return [Item(name="doctor", title=title, level=Level.WARN, says=says, remedy=remedy)]
    return [Item(name="doctor", title=title, level=Level.OK, says=f"{len(rows)} checked, all in order.")]


def ways_out(items: Iterable[Item], campaign: Campaign, user: Any) -> list[tuple[Item, WayOut | None]]:
    """Return each item with the page on which it is mended, where there is one that `user` may open."""
    return [(item, _way_out(item, campaign, user)) for item in items]


def _way_out(item: Item, campaign: Campaign, user: Any) -> WayOut | None:
    if item.page:
        return WayOut(url=item.page, says="Open the page", outside=True)
    if item.level is Level.OK or item.name not in _WAYS_OUT:
        return None
    permission, address, says = _WAYS_OUT[item.name]
    if not user.has_perm(permission):
        return None
    args = [campaign.pk] if address == _UPLOAD else []
    return WayOut(url=reverse(address, args=args), says=says)


def why_in_words(why: Why) -> str:
    """Return why people cannot be called, as the beginning of a line."""
    return why.says or _OWN_WORDS.get(why.code) or as_sentence(why.code)


def forecast_in_words(outlook: Outlook | None, campaign: Campaign) -> str:
    """Return when the campaign will be through, with the range and what it goes by, in a sentence or two."""
    if outlook is None:
        return "Nobody is left to call."
    observed, rate = outlook.observed, outlook.observed.answer_rate
    basis = (
        f"{rate.likely:.0%} answer as so far ({observed.reached} of {observed.calls} calls)"
        if observed.calls >= 20
        else f"{rate.likely:.0%} answer, which is a guess until twenty calls are made"
    )
    pace = f"{outlook.pace.calls_per_hour:,.0f} calls an hour at most"
    likely = outlook.likely.at
    if likely is None:
        return f"Not through within {HORIZON.days} days, if {basis}, with {pace}."
    spread = _spread(outlook.soonest.at, outlook.latest.at)
    says = f"Through on {moment(likely)}{spread}, if {basis}, with {pace}."
    if campaign.ends_at is not None and likely > campaign.ends_at:
        says += f" It ends before that, on {moment(campaign.ends_at)}: not everybody will have been called."
    return says


def _spread(soonest: datetime | None, latest: datetime | None) -> str:
    if soonest is None or moment(soonest) == moment(latest):
        return ""
    until = moment(latest) if latest is not None else f"more than {HORIZON.days} days from now"
    return f" (between {moment(soonest)} and {until})"
