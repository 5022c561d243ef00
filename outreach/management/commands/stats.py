"""`manage.py stats`: people and calls in figures, each with its formula."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from outreach.management.campaigns import find_campaign
from outreach.management.figures import figures
from outreach.management.figures_table import tables_of
from outreach.management.operating import OperatorCommand
from outreach.services import clock


class Command(OperatorCommand):
    """Show the figures of a campaign, or of all."""

    help = (
        "Show how people stand, what calls achieved, answer and success rates, talk times, callbacks kept, "
        "and our own faults; every figure has a footnote that says how it is counted."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "stats",
        'stats "Autumn onboarding" --days 7',
        "stats --json | jq .answer_rate",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what is counted."""
        parser.add_argument("campaign", nargs="?", metavar="CAMPAIGN", help="default: all campaigns")
        parser.add_argument(
            "--days", type=int, metavar="N", help="the last N UTC days, today among them; default: all"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def operate(self, options: Mapping[str, Any]) -> None:
        """Count, then show."""
        campaign = find_campaign(options["campaign"]) if options["campaign"] else None
        days = options["days"]
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError("--days takes a number of days, at least 1.")
        now = clock.now()
        counted = figures(campaign=campaign, since=(now - timedelta(days=days - 1)).date() if days else None)
        name = campaign.name if campaign else None
        if options["json"]:
            about = {
                "mode": settings.DIALING.value,
                "campaign": name,
                "days": days,
                "counted_at": now.isoformat(),
            }
            self.desk.console.file.write(json.dumps(about | counted.as_json(), indent=2) + "\n")
            return
        period = f"the last {days} days" if days else "all days"
        title = f"{name or 'All campaigns'} · {period} · counted {now:%a %d %b %H:%M} UTC"
        self.desk.write(self.desk.headline(title))
        self.desk.console.print(tables_of(counted))
