"""`manage.py up`: everything on this machine, with one command and, in a rehearsal, without an account."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from outreach.domain.dialing_mode import DialingMode
from outreach.management.commands import _entering
from outreach.management.supervisor import preparing, programs
from outreach.management.supervisor.console import Terminal
from outreach.management.supervisor.environment import FLOWER_USER
from outreach.management.supervisor.running import TELL_EVERY, Plan, Running, asked_by_signals, started_at
from outreach.management.supervisor.stack import NotReady
from outreach.services import capacity, clock
from outreach.services.campaigns import NewCampaign
from outreach.services.mode import WrongDatabase
from sandbox import clock_jumper, sample
from sandbox.servers import ServerError

#: Seconds until an agent worker must have reported: its libraries take a while on a small machine.
ALEX_WITHIN = 120.0


class Command(BaseCommand):
    """Run everything until Ctrl-C."""

    help = (
        "Start everything on this machine and tell what happens, until Ctrl-C. In a rehearsal (the "
        "default) the sample campaign is loaded and called; no real phone rings. "
        "Example: manage.py up --people 5 --port-web 8010"
    )

    # Checks of the admin ask the database, which is not there yet.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        _entering.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Start, tell, stop."""
        entered = _entering.entered()
        if entered is None:
            raise CommandError("Start it as a process of its own: manage.py up")
        terminal = Terminal()
        plan = Plan(directory=entered.directory, environment=dict(os.environ), started_at=started_at())
        problem: Exception | None = None
        with entered.held, asked_by_signals() as asked:
            running = Running(plan=plan, terminal=terminal, asked=asked)
            try:
                Start(running=running, entered=entered, options=options).run()
                running.keep_telling(lambda: asked.to_stop or entered.cut_off)
                if entered.cut_off:
                    problem = CommandError("The tunnel ended, so nobody reaches us: see logs/tunnel.log.")
            except (NotReady, ServerError, WrongDatabase, CommandError, OperationalError) as stopped_by:
                problem = stopped_by
            finally:
                running.stop()
        if problem is not None and not asked.to_stop:
            raise CommandError(str(problem)) from problem


@dataclass(frozen=True, kw_only=True)
class Start:
    """The steps from nothing to everything running."""

    running: Running
    entered: _entering.Entered
    options: Mapping[str, Any]

    def run(self) -> None:
        """Take every step; return when all is ready."""
        stack, environment = self.running.stack, self.running.plan.environment
        for notice in self.entered.notices:
            self.running.terminal.say("up", notice)
        ports = self.entered.ports
        services = programs.product(environment=environment, ports=ports)
        if self.entered.rehearsal:
            services += programs.outside_world(environment=environment, ports=ports)
        if self.entered.livekit is not None:
            services += [programs.room_server(self.entered.livekit, environment=environment, ports=ports)]
        early, later, ticks = programs.in_turns(services)
        _entering.start_stores(stack, self.entered)
        stack.start(early)
        password = preparing.prepare_database()
        if self.entered.rehearsal:
            self._set_clock()
        stack.start(later)
        self._load_sample()
        stack.wait_until_ready(give_up=self._given_up)
        if self.entered.rehearsal:
            self._wait_for_alex()
        stack.start(ticks)
        self._announce(password)

    def _given_up(self) -> bool:
        return self.running.asked.to_stop

    def _wait_for_alex(self) -> None:
        """Wait until an agent worker has a place: before that, calls are claimed by nobody."""
        deadline = time.monotonic() + ALEX_WITHIN
        while not capacity.agent_places(clock.now())[0]:
            if self._given_up() or time.monotonic() > deadline:
                raise NotReady("No agent worker has reported a free place: see logs/agent.log.")
            self.running.tell()
            time.sleep(TELL_EVERY)

    def _set_clock(self) -> None:
        """Let the rehearsal begin on a Tuesday morning, unless it has begun already."""
        with psycopg.connect(self.running.plan.environment["DATABASE_URL"], autocommit=True) as connection:
            clock_jumper.start_clock(connection, at=clock_jumper.first_morning(datetime.now(UTC)))
            self.running.terminal.ahead = timedelta(seconds=clock_jumper.ahead_seconds(connection))

    def _load_sample(self) -> None:
        if self.options["no_sample"]:
            return
        facts = NewCampaign(**asdict(sample.CAMPAIGN))
        sentences: Iterable[str] = ()
        if self.entered.rehearsal:
            at_most = self.options["people"]
            sentences = preparing.load_sample(facts=facts, people=sample.PEOPLE, at_most=at_most)
        elif settings.DIALING is DialingMode.TEST:
            sentences = preparing.draft_sample(facts=facts)
        for sentence in sentences:
            self.running.terminal.say("up", sentence)

    def _announce(self, password: str | None) -> None:
        ports = self.entered.ports
        mode = self.running.plan.environment.get("DIALING", "rehearsal").upper()
        calm = "real phones may ring"
        if self.entered.rehearsal:
            calm = "no real phone rings"
        elif settings.DIALING is DialingMode.TEST and not settings.TEST_NUMBERS:
            calm = "no phone can ring, since TEST_NUMBERS is empty"
        kept = "the password that was printed at the first start (manage.py changepassword admin)"
        shown = kept if password is None else f"password {password}"
        self.running.terminal.announce(
            f"{mode}: {calm}. Everything runs after {time.time() - self.running.plan.started_at:.1f} s.",
            f"Admin   http://127.0.0.1:{ports.web}/admin/   user admin, {shown}",
            f"Flower  http://127.0.0.1:{ports.flower}/   user {FLOWER_USER}, password in "
            f"{self.entered.directory / 'secrets.json'}",
            f"Hooks   http://127.0.0.1:{ports.hooks}/hooks/   Logs {self.entered.directory / 'logs'}",
            "Ctrl-C stops everything: calls in progress first. The times below are UTC.",
        )
        if not capacity.agent_places(clock.now())[0]:
            self.running.terminal.say(
                "up",
                "No agent has a free place yet, so nobody is called. If it stays so, LIVEKIT_URL or its keys "
                f"may be wrong: see {self.entered.directory / 'logs' / 'agent.log'}.",
            )
