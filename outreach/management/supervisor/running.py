"""Everything on one machine: start in order, tell what happens, stop with calls in progress first."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.utils.dateparse import parse_datetime

from outreach.domain.call_status import CallStatus
from outreach.integrations import livekit, twilio
from outreach.management.supervisor.console import Terminal
from outreach.management.supervisor.journal import Journal, OwnLog
from outreach.management.supervisor.preparing import STOPPED_BY
from outreach.management.supervisor.stack import Stack
from outreach.management.supervisor.story import Story
from outreach.models import Call, DialingControl
from outreach.services import campaigns, clock, dialing

TELL_EVERY = 0.25
#: Seconds that calls in progress get when we are asked to stop.
CALLS_MAY_LAST = 90.0
HURRIED_CALLS_MAY_LAST = 5.0
END_AT_ONCE = 3
#: What a look raises while the database is away for a moment.
AWAY = (DatabaseError, InterfaceError, ConnectionError)
_BEFORE_DIAL = [CallStatus.QUEUED.value, CallStatus.PREPARING.value]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where everything is kept, and what every process is told."""

    directory: Path
    environment: Mapping[str, str]
    started_at: float
    """Unix time at which the person pressed enter."""


class Asked:
    """What signals have asked for: to stop, then to hurry."""

    def __init__(self) -> None:
        """Nothing has been asked for yet."""
        self.times = 0

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """Take one Ctrl-C or SIGTERM; the third ends this process, and the leashes end the others."""
        self.times += 1
        if self.times >= END_AT_ONCE:
            os._exit(130)

    @property
    def to_stop(self) -> bool:
        """Whether we are asked to stop."""
        return self.times >= 1

    @property
    def to_hurry(self) -> bool:
        """Whether we are asked not to wait for calls in progress."""
        return self.times >= 2


@contextmanager
def asked_by_signals() -> Iterator[Asked]:
    """Turn Ctrl-C and SIGTERM into questions that can be asked."""
    asked = Asked()
    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Running:
    """One run of everything, told on one terminal."""

    def __init__(self, *, plan: Plan, terminal: Terminal, asked: Asked) -> None:
        """Prepare a run; nothing is started yet."""
        self.plan = plan
        self.asked = asked
        self.terminal = terminal
        self.journal = Journal(
            directory=plan.directory / "logs", say=terminal.say, hear_clock=self._clock_jumped
        )
        OwnLog(self.journal)
        self.stack = Stack(audience=self.journal)
        self._story: Story | None = None
        self._told_first = False

    def keep_telling(self, until: Callable[[], bool]) -> None:
        """Tell what happens until `until` says so; everything has started by now."""
        self.journal.starting = False
        while not until():
            self.tell()
            time.sleep(TELL_EVERY)

    def tell(self) -> None:
        """Tell what has happened since the last time; a database that is away for a moment is waited for."""
        try:
            if self._story is None:
                self._story = Story()
            self.terminal.ahead = clock.now() - datetime.now(UTC)
            for line in self._story.go_on():
                self.terminal.say(line.source, line.text)
        except AWAY:
            # A connection that the server has ended stays unusable; the next look opens another.
            connection.close()
            time.sleep(1)
            return
        if self._story.conversations and not self._told_first:
            self._told_first = True
            seconds = time.time() - self.plan.started_at
            self.terminal.say("up", f"The first conversation is finished, {seconds:.1f} s after the start.")

    def stop(self) -> None:
        """Stop everything: new calls first, then wait for those in progress, the databases last."""
        connection.close_if_unusable_or_obsolete()
        try:
            self._let_calls_end()
        except (*AWAY, OSError) as problem:
            self.terminal.say("up", f"Calls in progress could not be waited for: {problem}")
        self.terminal.say("up", "Stopping the processes.")
        self.journal.stopping = True
        self.stack.stop()
        if self._story is not None:
            self._story.close()
        self.journal.close()
        self.terminal.say("up", "Everything has stopped.")

    def _let_calls_end(self) -> None:
        if "worker" not in self.stack.pids():
            return
        if not DialingControl.objects.get(pk=1).stopped:
            campaigns.stop_all_dialing(by=STOPPED_BY, reason="Everything on this machine is being stopped.")
        self._end(Call.objects.open().filter(status__in=_BEFORE_DIAL))
        in_progress = Call.objects.open().exclude(status=CallStatus.UNKNOWN.value)
        if count := in_progress.count():
            self.terminal.say(
                "up",
                f"No new calls. Waiting for {count} in progress, at most {CALLS_MAY_LAST:.0f} s "
                "(Ctrl-C again hangs up).",
            )
        self._wait_for_calls(CALLS_MAY_LAST, unless=lambda: self.asked.to_hurry)
        if in_progress.exists():
            self.terminal.say("up", f"Hanging up {in_progress.count()} calls.")
            self._end(in_progress)
        self._wait_for_calls(HURRIED_CALLS_MAY_LAST, unless=lambda: False)

    def _wait_for_calls(self, seconds: float, *, unless: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        # One whose fate only the carrier knows is looked into at the next start.
        unsettled = Call.objects.filter(settled_at=None).exclude(status=CallStatus.UNKNOWN.value)
        self.keep_telling(lambda: unless() or time.monotonic() > deadline or not unsettled.exists())

    @staticmethod
    def _end(calls: Any) -> None:
        for call in calls:
            dialing.hang_up(
                call_id=call.pk, telephony=twilio.telephony(), rooms=livekit.rooms(), our_fault=True
            )

    def _clock_jumped(self, fields: dict[str, Any]) -> None:
        moment = parse_datetime(str(fields["jumped_to"]))
        if moment is None:
            return
        skipped = _for_how_long(float(fields["skipped_seconds"]))
        self.terminal.say(
            "clock",
            f"Nobody can be called for {skipped}, so the rehearsal's clock jumps to "
            f"{moment:%A} {moment.day} {moment:%B, %H:%M} UTC.",
        )


def _for_how_long(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours <= 48 else f"{round(hours / 24)} days"


def started_at() -> float:
    """Return the Unix time at which this start began: the bootstrap's, or now."""
    return float(os.environ.get("OUTREACH_STARTED_AT") or time.time())
