"""Starting a campaign from a terminal: behind the same preflight as the button on its page."""

from __future__ import annotations

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import CommandError

from outreach.desk.preflight import doctors
from outreach.management.operating import Desk
from outreach.models import Campaign, CampaignState
from outreach.services.campaigns import Refused
from outreach.services.preflight import inspect, start_checked
from outreach.services.preflight_items import Item, Level, Rank

DESPITE = "--despite-red"


def add_start_arguments(parser: ArgumentParser) -> None:
    """Declare what may be said of a start."""
    parser.add_argument(
        DESPITE,
        action="store_true",
        help="start in spite of what is red: you answer for it; what the law asks for, or no call can do "
        "without, still refuses",
    )
    parser.add_argument("--yes", action="store_true", help="live mode: do not ask before starting")


def start_campaign(campaign: Campaign, *, desk: Desk, despite_red: bool, yes: bool) -> None:
    """Start or resume a campaign in whose way nothing stands; leave one alone that runs.

    What is yellow, and what is started in spite of, is printed.

    :raises CommandError: saying what is red and what to do, or when the operator does not want to.
    """
    if campaign.state == CampaignState.RUNNING:
        desk.say("It is running already.")
        return
    checked = doctors(campaign)
    found = inspect(campaign, checked=checked)
    for item in found.items:
        if item.level is Level.WARN:
            desk.say(_in_words(item), "yellow")
        elif item.level is Level.FAIL and despite_red and item not in found.final:
            desk.say(f"In spite of this: {_in_words(item)}", "red")
    refused = found.final if despite_red else found.red
    try:
        if not refused:
            people = f"{found.people.now} can be called now, {found.people.n_later} later"
            desk.confirm_live(f"Start calling the people of {campaign.name}? {people}.", yes=yes)
        start_checked(campaign_id=campaign.pk, by=desk.operator, overrides=despite_red, checked=checked)
    except Refused as refusal:
        raise CommandError(_refused(refused, campaign, said=str(refusal))) from refusal


def _in_words(item: Item) -> str:
    return " ".join(part for part in (f"{item.title}:", item.says, item.remedy, item.page) if part)


def _refused(items: list[Item], campaign: Campaign, *, said: str) -> str:
    """Return what is in the way, one thing a line, and where to mend it."""
    lines = [f"- {_in_words(item)}" for item in items] or [f"- {said}"]
    page = f"{settings.ADMIN_BASE_URL.rstrip('/')}/admin/outreach/campaign/{campaign.pk}/change/"
    lines.append(f"The campaign's page in the admin: {page}")
    if items and all(item.rank is Rank.ANSWERABLE for item in items):
        lines.append(f"Whoever answers for it may start it all the same: {DESPITE}")
    return "\n".join([f"“{campaign.name}” was not started. In its way:", *lines])
