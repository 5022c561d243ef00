"""`manage.py provision`: set up LiveKit and the numbers for calls; the plan first, then only what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from rich.text import Text

from outreach.integrations import livekit_sip, twilio_numbers
from outreach.integrations.telephony import TelephonyError
from outreach.management.operating import OperatorCommand, plain
from outreach.services import provisioning
from outreach.services.setup_steps import Doing, Plan, Step

_MARKS = {
    Doing.KEEP: ("as it is", "green"),
    Doing.CREATE: ("create", "bold yellow"),
    Doing.CHANGE: ("change", "bold yellow"),
    Doing.BLOCKED: ("BLOCKED", "bold red"),
}


class Command(OperatorCommand):
    """Set up the accounts."""

    help = (
        "Set up what calls need at LiveKit and Twilio: the SIP inbound trunk with user and password, the "
        "dispatch rule for it, and whom Twilio asks when somebody calls one of our numbers back. Shows the "
        "plan, asks, changes only what differs, and says what is left to be clicked by hand."
    )
    examples: ClassVar[tuple[str, ...]] = (
        "provision",
        "provision --dry-run",
        "provision --yes --number +14155550100",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what is set up."""
        parser.add_argument("--yes", action="store_true", help="do it without asking")
        parser.add_argument("--dry-run", action="store_true", help="show the plan and stop")
        parser.add_argument(
            "--number",
            action="append",
            default=[],
            metavar="+…",
            help="a number of ours besides the campaigns' caller IDs; repeat",
        )
        parser.add_argument(
            "--set-password",
            action="store_true",
            help="write the trunk's password although LiveKit does not show whether it differs",
        )

    def operate(self, options: Mapping[str, Any]) -> None:
        """Plan, ask, do, look again."""
        if not settings.SIP_USERNAME or not settings.PUBLIC_BASE_URL:
            raise CommandError(
                "No phone can ring with these settings, so there is nothing to set up: set SIP_USERNAME, "
                "SIP_PASSWORD, PUBLIC_BASE_URL and Twilio's first (see .env.example)."
            )
        try:
            plan = self._plan(options, set_password=options["set_password"])
            self._show(plan)
            if plan.pending and not options["dry_run"] and self._is_wanted(options):
                provisioning.carry_out(plan)
                plan = self._plan(options)
                self.desk.say("Done. It is now so:")
                self._show_steps(plan)
        except TelephonyError as problem:
            raise CommandError(f"{problem}. What was done before stays; run this again.") from problem
        self._show_the_rest(plan)
        if plan.blocked:
            raise CommandError("Something stands in the way; see BLOCKED above.")

    def _plan(self, options: Mapping[str, Any], *, set_password: bool = False) -> Plan:
        return provisioning.make_plan(
            sip=livekit_sip.sip_project(),
            book=twilio_numbers.number_book(),
            numbers={*provisioning.caller_ids(), *options["number"]},
            set_password=set_password,
        )

    def _is_wanted(self, options: Mapping[str, Any]) -> bool:
        if options["yes"]:
            return True
        return self.desk.choose("Do this?", {"y": "do it", "n": "leave all as it is"}, default="n") == "y"

    def _show(self, plan: Plan) -> None:
        self.desk.write(self.desk.headline("What calls need at LiveKit and Twilio"))
        self._show_steps(plan)
        if not plan.pending and not plan.blocked:
            self.desk.say("Nothing is to be changed.", "bold green")

    def _show_steps(self, plan: Plan) -> None:
        for step in plan.steps:
            self._show_step(step)

    def _show_step(self, step: Step) -> None:
        mark, style = _MARKS[step.doing]
        line = Text(f"  {mark:<9} ", style=style)
        line.append(plain(f"{step.what}: {step.says}"), style="not bold default")
        self.desk.write(line)
        for change in step.changes:
            self.desk.write(Text(f"            + {plain(change)}"))

    def _show_the_rest(self, plan: Plan) -> None:
        for remark in plan.remarks:
            self.desk.say(f"Note: {remark}", "yellow")
        for left in plan.by_hand:
            self.desk.say(f"By hand: {left.says}")
            self.desk.say(f"         → {left.page}")
        self.desk.say("Then run manage.py doctor: it checks all of this.")
