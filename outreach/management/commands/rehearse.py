"""`manage.py rehearse`: a whole campaign against the sandbox, and whether every promise was kept."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from rich.console import Console
from rich.table import Table

from outreach.management.commands import _entering
from outreach.management.rehearsal.course import Course, TookTooLong
from outreach.management.rehearsal.evidence import Persona, ask_sandbox, gather
from outreach.management.rehearsal.verdict import Verdict, judge
from outreach.management.supervisor import preparing, programs
from outreach.management.supervisor.journal import Journal
from outreach.management.supervisor.running import started_at
from outreach.management.supervisor.stack import Stack
from outreach.models import Campaign, DialingControl, Facilitator
from outreach.services import campaigns
from outreach.services.campaigns import NewCampaign
from outreach.tasks import dial_due, price_calls, retry_due, summarise_calls
from sandbox import clock_jumper, sample
from sandbox.callees import persona_for

KILLABLE = ("worker", "ops", "agent", "recorder", "valkey", "beat", "hooks", "web")
#: A rehearsal calls faster than anybody would. Only what an operator may edit differs from the defaults:
#: pacing, patience, and how often beat looks.
#: Callees think a tenth as long as at `make up`, where somebody reads along.
THINKING = 0.1
DIAL_TICK = timedelta(milliseconds=100)
AFTER_TICK = timedelta(milliseconds=500)
PACE = {"calls_per_second": 20.0, "max_open_calls": 20, "silence": 0.5}


class Command(BaseCommand):
    """Rehearse a campaign."""

    help = (
        "Call a whole campaign against the sandbox on fresh, throw-away servers: retries and callbacks of "
        "the following days included, no real phone rings. Prints what happened; exits with 1 when a "
        "promise was broken. Example: manage.py rehearse people.csv --seed 7, or "
        "manage.py rehearse --people 40 --json"
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("csv", nargs="?", type=Path, help="the list to call (default: made-up people)")
        parser.add_argument("--people", type=int, default=40, help="how many made-up people (default 40)")
        parser.add_argument("--attempts", type=int, help="how often each is tried (default: the campaign's)")
        parser.add_argument("--seed", type=int, default=1, help="decides who is who and what fails")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
        parser.add_argument(
            "--faults", default="", metavar="PRESET", help='e.g. "network20": a fifth of all calls fails'
        )
        parser.add_argument(
            "--kill",
            action="append",
            default=[],
            choices=KILLABLE,
            help="kill this process once, in the middle",
        )
        parser.add_argument(
            "--at-most", type=float, default=1800.0, metavar="SECONDS", help="give up after this long"
        )
        parser.add_argument("--keep", type=Path, metavar="DIR", help="copy the logs there when it is over")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Rehearse, judge, print."""
        entered = _entering.entered()
        if entered is None:
            raise CommandError("Start it as a process of its own: manage.py rehearse")
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        if console.is_terminal:
            logging.getLogger("outreach").setLevel(logging.WARNING)
        with entered.held:
            verdict = Rehearsal(entered=entered, options=options, console=console).run()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(verdict)))
        else:
            _print(verdict)
        if verdict.promises_broken:
            sys.exit(1)


class Rehearsal:
    """One rehearsal from empty servers to the verdict."""

    def __init__(self, *, entered: _entering.Entered, options: dict[str, Any], console: Console) -> None:
        """Prepare; nothing is started yet."""
        self._entered = entered
        self._options = options
        self._console = console
        self._journal = Journal(
            directory=entered.directory / "logs", say=self._say, hear_clock=lambda _: None
        )
        self._stack = Stack(audience=self._journal)

    def run(self) -> Verdict:
        """Run the whole of it and return the verdict.

        :raises CommandError: when it could not be brought to its end.
        """
        started = started_at()
        try:
            campaign = self._start()
            course = Course(
                campaign=campaign,
                stack=self._stack,
                tell=lambda sentence: self._say("rehearse", sentence),
                kills=tuple(self._options["kill"]),
                at_most=self._options["at_most"],
                outside_is_quiet=self._outside_is_quiet,
            )
            course.run()
            return self._judge(campaign, tuple(course.killed), time.time() - started)
        except TookTooLong as problem:
            raise CommandError(str(problem)) from problem
        finally:
            self._journal.stopping = True
            self._stack.stop()
            self._journal.close()
            self._keep_logs()

    def _start(self) -> Campaign:
        environment = self._environment()
        ports = self._entered.ports
        early, later, ticks = programs.in_turns(
            [
                *programs.product(environment=environment, ports=ports),
                *programs.outside_world(environment=environment, ports=ports),
            ]
        )
        _entering.start_stores(self._stack, self._entered)
        self._stack.start(early)
        preparing.prepare_database()
        self._look_often()
        with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
            clock_jumper.start_clock(connection, at=clock_jumper.first_morning(datetime.now(UTC)))
        self._stack.start(later)
        campaign = self._load()
        self._stack.wait_until_ready()
        self._stack.start(ticks)
        campaigns.start(campaign_id=campaign.pk, by="manage.py rehearse")
        return campaign

    @staticmethod
    def _look_often() -> None:
        for tick, tasks in ((DIAL_TICK, (dial_due, retry_due)), (AFTER_TICK, (summarise_calls, price_calls))):
            interval, _ = IntervalSchedule.objects.get_or_create(
                every=tick // timedelta(microseconds=1), period=IntervalSchedule.MICROSECONDS
            )
            PeriodicTask.objects.filter(task__in=[task.name for task in tasks]).update(interval=interval)

    def _environment(self) -> dict[str, str]:
        faults = self._options["faults"]
        return dict(os.environ) | {
            "SANDBOX_SEED": str(self._options["seed"]),
            "SANDBOX_CALLS_PER_SECOND": str(PACE["calls_per_second"]),
            "SANDBOX_PACE": str(THINKING),
            "SANDBOX_FAULTS": json.dumps({"preset": faults}) if faults else "",
            "ALEX_MAX_JOBS": "16",
            "ALEX_EXECUTOR": "thread",
        }

    def _load(self) -> Campaign:
        facts = NewCampaign(**(asdict(sample.CAMPAIGN) | {"name": "Rehearsal"}))
        campaign = campaigns.create_campaign(facts)
        Campaign.objects.filter(pk=campaign.pk).update(**PACE)
        if self._options["attempts"] is not None:
            Campaign.objects.filter(pk=campaign.pk).update(max_attempts=self._options["attempts"])
        DialingControl.objects.update(calls_per_second=PACE["calls_per_second"], max_open_calls=100)
        path = self._options["csv"]
        if path is None:
            path = self._entered.directory / "people.csv"
            sample.write_people(path, sample.sample_people(self._options["people"], self._options["seed"]))
        call_command("import_facilitators", str(path), campaign=campaign.name, verbosity=0)
        people = Facilitator.objects.filter(campaign=campaign).count()
        self._say("rehearse", f"{people} people imported; no real phone rings")
        return campaign

    @staticmethod
    def _outside_is_quiet() -> bool:
        address, key = os.environ["TWILIO_API_URL"], os.environ["TWILIO_AUTH_TOKEN"]
        return clock_jumper.calls_carried(address, key=key) == 0

    def _judge(self, campaign: Campaign, killed: tuple[str, ...], seconds: float) -> Verdict:
        address, key = os.environ["TWILIO_API_URL"], os.environ["TWILIO_AUTH_TOKEN"]
        seed = self._options["seed"]
        numbers = Facilitator.objects.filter(campaign=campaign).values_list("number", flat=True)
        personas = {number: persona_for(number, seed) for number in numbers}
        return judge(
            gather(
                campaign=campaign,
                ledger=ask_sandbox(address, key=key, path="ledger"),
                ears=ask_sandbox(address, key=key, path="callees"),
                callers=ask_sandbox(address, key=key, path="callers"),
                personas={
                    number: Persona(name=one.name, intended=one.intended, stops=one.stops)
                    for number, one in personas.items()
                },
                killed=killed,
                seconds=seconds,
            )
        )

    def _say(self, source: str, sentence: str) -> None:
        self._console.print(
            f"{source:<9} {sentence}", style="dim" if source == "rehearse" else "yellow", markup=False
        )

    def _keep_logs(self) -> None:
        kept: Path | None = self._options["keep"]
        if kept is not None:
            kept.mkdir(parents=True, exist_ok=True)
            for log in (self._entered.directory / "logs").glob("*.log*"):
                (kept / log.name).write_bytes(log.read_bytes())


def _print(verdict: Verdict) -> None:
    table = Table(title="What happened", show_header=False, title_justify="left")
    for name, value in asdict(verdict).items():
        if isinstance(value, dict):
            table.add_row(
                name.replace("_", " "), ", ".join(f"{key} {n}" for key, n in value.items()) or "none"
            )
        elif name == "killed":
            table.add_row(name, ", ".join(value) or "nothing")
        elif name != "promises_broken":
            table.add_row(name.replace("_", " "), str(value))
    console = Console(highlight=False)
    console.print(table)
    for sentence in verdict.promises_broken:
        console.print(f"BROKEN promise {sentence}", style="bold red", markup=False)
    if not verdict.promises_broken:
        console.print("Every promise was kept.", style="bold green")
