"""`manage.py dial`: call a whole campaign, on a live board or person by person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from outreach.management.board_view import state_of
from outreach.management.campaigns import find_campaign
from outreach.management.one_by_one import OneByOne
from outreach.management.operating import OperatorCommand
from outreach.management.starting import add_start_arguments, start_campaign
from outreach.management.watching import Watch
from outreach.models import Campaign, CampaignState


class Command(OperatorCommand):
    """Call a campaign."""

    help = (
        "Start a campaign, if nothing stands in its way, and watch its board: people, calls in the air with "
        "what is said, who is due, why the rest wait. Ctrl-C asks whether to pause it. With --interactive "
        "nothing starts by itself: the next person is shown with their history, and you decide."
    )
    examples: ClassVar[tuple[str, ...]] = (
        'dial "Autumn onboarding"',
        'dial "Autumn onboarding" --no-board',
        'dial "Autumn onboarding" --interactive',
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what is dialled, and how it is watched."""
        parser.add_argument("campaign", metavar="CAMPAIGN", help="the campaign's name")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--interactive", action="store_true", help="one person at a time, as you decide")
        how.add_argument("--no-board", action="store_true", help="start it, print the board once, return")
        add_start_arguments(parser)

    def operate(self, options: Mapping[str, Any]) -> None:
        """Start and watch, or go through the people."""
        campaign = find_campaign(options["campaign"])
        self.desk.write(self.desk.headline(campaign.name))
        if options["interactive"]:
            self._person_by_person(campaign)
            return
        start_campaign(campaign, desk=self.desk, despite_red=options["despite_red"], yes=options["yes"])
        watch = Watch(campaign_id=campaign.pk, desk=self.desk)
        if options["no_board"] or not self.desk.console.is_terminal:
            watch.once()
        else:
            watch.until_enough()

    def _person_by_person(self, campaign: Campaign) -> None:
        if campaign.state in (CampaignState.PAUSED, CampaignState.HELD):
            raise CommandError(
                f"The campaign is {state_of(campaign).plain}. Nobody is called in it, not by hand either: "
                f'manage.py campaign start "{campaign.name}"'
            )
        if campaign.state == CampaignState.RUNNING:
            self.desk.say(
                "The campaign is running: beside the people you choose, others are called by themselves.",
                "yellow",
            )
        OneByOne(campaign=campaign, desk=self.desk).run()
