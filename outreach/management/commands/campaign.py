"""`manage.py campaign`: create, start, pause, look at campaigns."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from outreach.domain.phone_number import InvalidNumber, parse_number
from outreach.domain.zones import is_country
from outreach.management.board_view import standings_of, state_of
from outreach.management.campaigns import find_campaign
from outreach.management.figures import standings_in
from outreach.management.operating import OperatorCommand
from outreach.management.starting import add_start_arguments, start_campaign
from outreach.management.watching import Watch
from outreach.models import Campaign
from outreach.services import campaigns
from outreach.services.campaigns import NewCampaign

#: Characters that the columns of a campaign's names hold.
LONGEST = 120


class Command(OperatorCommand):
    """Create campaigns and say which of them call."""

    help = (
        "Create a campaign, start or pause it, say go after its first calls, or see how it stands. `start` "
        "looks first at all that stands in the way, as the button in the admin does. When `pause` has "
        "returned, nobody new is dialled; calls in progress go on."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "campaign status",
        'campaign start "Autumn onboarding"',
        'campaign pause "Autumn onboarding" --reason "the team is out"',
        'campaign create "Spring" --company Acme --platform "Acme Circle" --country US'
        ' --caller-id "+1 202 555 0199" --fact "Joining is free." --fact "People set their own prices."',
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare one sub-command per thing to do."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        status = actions.add_parser("status", help="how one campaign stands, or all of them")
        status.add_argument("name", nargs="?", metavar="NAME")
        start = actions.add_parser("start", help="start or resume it: people are called from now on")
        pause = actions.add_parser("pause", help="nobody new is dialled")
        go = actions.add_parser("go", help="go on after the first people of a live campaign were called")
        for action in (start, pause, go):
            action.add_argument("name", metavar="NAME")
        add_start_arguments(start)
        go.add_argument("--yes", action="store_true", help="live mode: do not ask")
        pause.add_argument("--reason", default="", metavar="TEXT", help="shown beside the campaign")
        _declare_facts(actions.add_parser("create", help="create it, in draft; nobody is called yet"))

    def operate(self, options: Mapping[str, Any]) -> None:
        """Do the one thing that was asked for."""
        if options["action"] == "status" and options["name"] is None:
            self._list()
        elif options["action"] == "create":
            self._create(options)
        else:
            campaign = find_campaign(options["name"])
            self._change(campaign, options)
            Watch(campaign_id=campaign.pk, desk=self.desk).once()

    def _change(self, campaign: Campaign, options: Mapping[str, Any]) -> None:
        by = self.desk.operator
        if options["action"] == "pause":
            campaigns.pause(campaign_id=campaign.pk, by=by, reason=options["reason"])
        elif options["action"] == "start":
            start_campaign(campaign, desk=self.desk, despite_red=options["despite_red"], yes=options["yes"])
        elif options["action"] == "go":
            self.desk.confirm_live(f"Go on calling the people of {campaign.name}?", yes=options["yes"])
            campaigns.go_on_after_canary(campaign_id=campaign.pk, by=by)

    def _list(self) -> None:
        self.desk.write(self.desk.headline("Campaigns"))
        found = list(Campaign.objects.order_by("name"))
        for campaign in found:
            line = state_of(campaign)
            line.pad_right(2)
            line.append(campaign.name, style="bold not dim")
            self.desk.write(line)
            line = standings_of(standings_in(campaign))
            line.pad_left(4)
            self.desk.write(line)
        if not found:
            self.desk.say("There is none yet: manage.py campaign create --help")

    def _create(self, options: Mapping[str, Any]) -> None:
        country = options["country"].strip().upper()
        if not is_country(country):
            raise CommandError(f"{options['country']!r} is no country: give an ISO 3166 code such as US.")
        facts = NewCampaign(
            name=options["name"].strip(),
            company=options["company"].strip(),
            platform=options["platform"].strip(),
            platform_facts="\n".join(_facts(options)),
            caller_ids=[_number("--caller-id", raw, country) for raw in options["caller_id"]],
            default_country=country,
            callback_number=_number("--callback-number", options["callback_number"], country),
        )
        for name in ("name", "company", "platform"):
            if not 1 <= len(getattr(facts, name)) <= LONGEST:
                raise CommandError(f"The {name} must have 1 to {LONGEST} characters.")
        campaign = campaigns.create_campaign(facts)
        self.desk.write(self.desk.headline(f"{campaign.name} is created, in draft"))
        self.desk.say(
            f'Next: manage.py import_facilitators people.csv --campaign "{campaign.name}", then '
            f'manage.py dial "{campaign.name}". Hours, pacing and retries are set in the admin.'
        )


def _declare_facts(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--company", required=True, help="named in Alex's first sentence")
    parser.add_argument("--platform", required=True, help="what people are invited to join")
    parser.add_argument(
        "--fact", action="append", default=[], metavar="TEXT", help="what Alex may say of it; repeat"
    )
    parser.add_argument("--facts-file", metavar="FILE", help="the same from a file, one fact a line")
    parser.add_argument(
        "--caller-id", action="append", required=True, metavar="NUMBER", help="what we call from; repeat"
    )
    parser.add_argument("--country", required=True, metavar="XX", help="of numbers without a country code")
    parser.add_argument("--callback-number", default="", metavar="NUMBER", help="one that answers")


def _facts(options: Mapping[str, Any]) -> list[str]:
    facts = [fact.strip() for fact in options["fact"]]
    if options["facts_file"]:
        try:
            facts += Path(options["facts_file"]).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as problem:
            raise CommandError(f"The facts cannot be read: {problem}") from problem
    facts = [fact for fact in facts if fact.strip()]
    if not facts:
        raise CommandError("Alex must know something of the platform: --fact TEXT or --facts-file FILE.")
    return facts


def _number(option: str, raw: str, country: str) -> str:
    if not raw.strip():
        return ""
    try:
        return parse_number(raw, default_country=country).e164
    except InvalidNumber as invalid:
        raise CommandError(f"{option}: {invalid}") from invalid
