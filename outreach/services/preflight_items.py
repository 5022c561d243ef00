"""What a preflight finds: one item per thing looked at; here those that the campaign's settings decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from outreach.domain import legal_hours
from outreach.domain.call_window import CallWindow, InvalidCallWindow
from outreach.domain.gate import EXPRESS_CONSENT
from outreach.models import Campaign, Facilitator
from outreach.services import clock
from outreach.services.caller_ids import pool_of

#: Attempts in 30 days that calls without express consent may have (FCC, 88 FR 3677).
LEGAL_IN_30_DAYS = 3
LEGAL_QUIET_DAYS = 60


class Level(StrEnum):
    """How much something stands in the way."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Rank(StrEnum):
    """Who may start in spite of something red."""

    ANSWERABLE = "answerable"
    """Somebody who answers for the machine."""
    NOBODY = "nobody"
    """Without it no call can be made."""
    LAW = "law"
    """The law asks for it: nobody."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that was looked at."""

    name: str
    title: str
    level: Level
    says: str
    remedy: str = ""
    rank: Rank = Rank.ANSWERABLE
    people: Sequence[tuple[int, str]] = ()
    """People whom it is about: id and name."""
    page: str = ""


def caller_ids(campaign: Campaign) -> Item:
    """Say which numbers are called from."""
    title = "Caller ID"
    if not campaign.caller_ids:
        return Item(
            name="caller_id",
            title=title,
            level=Level.FAIL,
            says="The campaign has no caller ID.",
            remedy="Add a number that Twilio lets you call from.",
            rank=Rank.NOBODY,
        )
    usable = pool_of(campaign, clock.now())
    if usable.why_none:
        return Item(name="caller_id", title=title, level=Level.FAIL, says=usable.why_none)
    says = f"Calls come from {', '.join(campaign.caller_ids[:3])}"
    says += f" and {len(campaign.caller_ids) - 3} more." if len(campaign.caller_ids) > 3 else "."
    n_closed = len(usable.closed & set(campaign.caller_ids))
    if n_closed:
        says += f" {n_closed} of them rest, or have made their calls of today."
    return Item(name="caller_id", title=title, level=Level.WARN if n_closed else Level.OK, says=says)


def hours_of(campaign: Campaign) -> Item:
    """Say in which hours people are called, and whether the law allows them."""
    title = "Hours"
    try:
        hours = CallWindow.parse(campaign.call_window, skip_public_holidays=campaign.skip_public_holidays)
        promised = CallWindow.parse(campaign.callback_window, skip_public_holidays=False)
    except InvalidCallWindow as problem:
        says = f"The hours cannot be read: {problem}"
        return Item(name="hours", title=title, level=Level.FAIL, says=says, rank=Rank.NOBODY)
    wide = legal_hours.outside(hours) or legal_hours.outside(promised)
    if wide:
        return Item(
            name="hours",
            title=title,
            level=Level.FAIL,
            says=f"{wide} lies outside {legal_hours.DESCRIBED}, the hours in which the law allows calls.",
            remedy="Narrow the call window.",
            rank=Rank.LAW,
        )
    holidays = "not on public holidays" if campaign.skip_public_holidays else "on public holidays, too"
    first = min(hours.hours)
    says = f"People are called in their own hours ({hours.describe_day(first)}), {holidays}."
    return Item(name="hours", title=title, level=Level.OK, says=says)


def caps(campaign: Campaign) -> Item:
    """Say how often people are called, and whether the law allows it."""
    title = "Caps"
    says = (
        f"At most {campaign.max_attempts} calls per person, {campaign.max_attempts_a_day} a day, "
        f"{campaign.max_attempts_in_30_days} in 30 days; "
        f"{campaign.quiet_days_after_no} days of peace after a no."
    )
    problem = ""
    if campaign.quiet_days_after_no < LEGAL_QUIET_DAYS:
        problem = f"After a no the law asks for {LEGAL_QUIET_DAYS} days of peace at least."
    elif campaign.max_attempts_in_30_days > LEGAL_IN_30_DAYS and _somebody_without_express(campaign):
        problem = (
            f"People without express consent may be called {LEGAL_IN_30_DAYS} times in 30 days at most, "
            "and some of these are."
        )
    if not problem:
        return Item(name="caps", title=title, level=Level.OK, says=says)
    return Item(
        name="caps", title=title, level=Level.FAIL, says=problem, remedy="Lower the cap.", rank=Rank.LAW
    )


def _somebody_without_express(campaign: Campaign) -> bool:
    people = Facilitator.objects.filter(campaign=campaign).exclude(consent_basis="")
    return people.exclude(consent_basis__in=EXPRESS_CONSENT).exists()


def days(campaign: Campaign) -> Item:
    """Say when the campaign begins, and whether it is over."""
    title = "First and last day"
    now = clock.now()
    if campaign.ends_at is not None and campaign.ends_at <= now:
        return Item(
            name="days",
            title=title,
            level=Level.FAIL,
            says="Its last day is over.",
            remedy="Move it, or leave it empty.",
            rank=Rank.NOBODY,
        )
    waits = campaign.starts_at is not None and campaign.starts_at > now
    says = "Nobody is called before its first day." if waits else "Calling begins as soon as it is started."
    return Item(name="days", title=title, level=Level.OK, says=says)
