"""`manage.py doctor`: what stands between these settings and a first call, and what to do about it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import DatabaseError
from rich.text import Text

from outreach.doctor import results
from outreach.doctor.finding import Result, Surroundings
from outreach.doctor.registry import AREAS, checks_of
from outreach.doctor.running import run
from outreach.management.campaigns import find_campaign
from outreach.management.operating import OperatorCommand, plain
from outreach.models import CheckStatus

_MARKS = {
    CheckStatus.OK: ("ok", "green"),
    CheckStatus.WARN: ("look", "yellow"),
    CheckStatus.FAIL: ("FAIL", "bold red"),
    CheckStatus.SKIPPED: ("–", "dim"),
}
_TITLES = {
    "local": "This machine",
    "twilio": "Twilio",
    "public": "Public address",
    "livekit": "LiveKit",
    "groq": "Groq",
}


class Command(OperatorCommand):
    """Check everything that a call needs."""

    help = (
        "Check everything that a call needs, and say for each thing that is missing what to do and which "
        "page to open. Nobody is called. The exit status is 1 when something stands in the way."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "doctor",
        "doctor --only twilio --only public",
        'doctor --campaign "Autumn onboarding"',
        "doctor --json | jq '.checks[] | select(.status == \"fail\")'",
    )
    # It must also say that the database is another mode's, or not there.
    needs_own_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what is checked."""
        parser.add_argument(
            "--only",
            action="append",
            choices=AREAS,
            metavar="AREA",
            help=f"one of {', '.join(AREAS)}; repeat",
        )
        parser.add_argument("--campaign", metavar="NAME", help="its people, caller IDs and costs")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def operate(self, options: Mapping[str, Any]) -> None:
        """Check, keep the results, show them."""
        campaign = find_campaign(options["campaign"]) if options["campaign"] else None
        about = Surroundings(campaign=campaign)
        done = run(checks_of(options["only"] or AREAS), about)
        kept = _keep(done, about)
        if options["json"]:
            name = campaign.name if campaign else None
            self.desk.console.file.write(json.dumps(_as_json(done, campaign=name), indent=2) + "\n")
        else:
            self._show(done, kept=kept)
        if any(result.failed for result in done):
            sys.exit(1)

    def _show(self, done: Sequence[Result], *, kept: bool) -> None:
        self.desk.write(self.desk.headline("What a call needs"))
        for area, found in groupby(done, key=lambda result: result.check.area):
            self.desk.write(Text(_TITLES[area], style="bold"))
            for result in found:
                self._show_one(result)
        n_failed = sum(result.failed for result in done)
        if n_failed:
            self.desk.say(f"{n_failed} of {len(done)} checks stand in the way of a call.", "bold red")
        else:
            self.desk.say("Nothing stands in the way of a call.", "bold green")
        if not kept:
            self.desk.say("The database could not keep the results for the admin.", "dim")

    def _show_one(self, result: Result) -> None:
        finding = result.finding
        mark, style = _MARKS[finding.status]
        line = Text(f"  {mark:<4} ", style=style)
        line.append(plain(finding.says), style="not bold default")
        line.append(f"  {result.check.name}", style="not bold dim")
        self.desk.write(line)
        for more in (finding.remedy, finding.page):
            if more:
                self.desk.write(Text(f"       → {plain(more)}"))


def _keep(done: Sequence[Result], about: Surroundings) -> bool:
    """Store the results, if there is a database that can; return whether there is."""
    try:
        results.store(done, about)
    except DatabaseError:
        return False
    return True


def _as_json(done: Sequence[Result], *, campaign: str | None) -> dict[str, Any]:
    return {
        "mode": settings.DIALING.value,
        "campaign": campaign,
        "ok": not any(result.failed for result in done),
        "checks": [
            {
                "name": result.check.name,
                "area": result.check.area,
                "status": result.finding.status.value,
                "finding": result.finding.says,
                "remedy": result.finding.remedy,
                "page": result.finding.page,
                "seconds": round(result.seconds, 3),
            }
            for result in done
        ],
    }
