"""The course of a rehearsal: everything is started, the campaign is called to its end, things are killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from outreach.domain.standing import CALLABLE, Standing
from outreach.management.supervisor.stack import Stack
from outreach.models import (
    Call,
    Campaign,
    CampaignState,
    Facilitator,
    Summary,
    SummaryState,
    TranscriptState,
)
from outreach.services import clock

LOOK_EVERY = 0.25
#: Seconds that the last words may take into the database.
LAST_WORDS = 30.0
#: Seconds that summaries and costs may take after that.
AFTER_CALLS = 30.0


class TookTooLong(Exception):
    """The campaign did not come to its end in time."""


@dataclass
class Course:
    """One campaign on its way; `tell` hears a sentence about once a second."""

    campaign: Campaign
    stack: Stack
    tell: Callable[[str], None]
    kills: tuple[str, ...] = ()
    at_most: float = 1800.0
    outside_is_quiet: Callable[[], bool] = lambda: True
    """Whether nobody out there talks to us or is about to ring us."""
    killed: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Return when nobody is left to call and every word is stored.

        :raises TookTooLong: when that takes more than `at_most` seconds.
        """
        deadline = time.monotonic() + self.at_most
        told_at, told = 0.0, ""
        while not self._is_over():
            if time.monotonic() > deadline:
                raise TookTooLong(f"The campaign was not over after {self.at_most:.0f} s: {self._where()}")
            self._kill_when_due()
            if time.monotonic() - told_at >= 1:
                told_at = time.monotonic()
                if told != (told := self._where()):
                    self.tell(told)
            time.sleep(LOOK_EVERY)
        self._wait_for_words()
        self._wait_for_the_rest()

    def _is_over(self) -> bool:
        # Twice: whoever rang us just before it became quiet may have asked for a call.
        return self._nobody_is_left() and self.outside_is_quiet() and self._nobody_is_left()

    def _nobody_is_left(self) -> bool:
        people = Facilitator.objects.filter(campaign=self.campaign)
        callable_or_in_call = [s.value for s in (*CALLABLE, Standing.IN_CALL)]
        if people.filter(standing__in=callable_or_in_call).exists():
            return False
        return not Call.objects.filter(campaign=self.campaign, settled_at=None).exists()

    def _kill_when_due(self) -> None:
        """Kill what is to be killed, each once, while somebody talks and a share of the people is done."""
        if len(self.killed) == len(self.kills):
            return
        people = Facilitator.objects.filter(campaign=self.campaign)
        due = (len(self.killed) + 1) / (len(self.kills) + 1)
        touched = people.filter(Q(calls__settled_at__isnull=False)).distinct().count() / max(
            1, people.count()
        )
        talking = Call.objects.filter(campaign=self.campaign, status="in_progress").exists()
        if touched < min(due, 0.8) or not talking:
            return
        name = self.kills[len(self.killed)]
        pid = self.stack.pids().get(name)
        if pid is not None:
            os.killpg(os.getpgid(pid), signal.SIGKILL)
            self.killed.append(name)
            self.tell(f"killed {name} (PID {pid})")

    def _wait_for_words(self) -> None:
        deadline = time.monotonic() + LAST_WORDS
        ended = Call.objects.filter(campaign=self.campaign, n_turns__isnull=False)
        waiting = ended.exclude(transcript=TranscriptState.COMPLETE)
        while waiting.exists() and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)

    def _wait_for_the_rest(self) -> None:
        """Wait until what follows a call is done, or waits for a later try."""
        deadline = time.monotonic() + AFTER_CALLS
        calls = Call.objects.filter(campaign=self.campaign, settled_at__isnull=False, cost_state="")
        uncounted = calls.filter(Q(answered_at=None) | ~Q(transcript=TranscriptState.OPEN))
        due = Summary.objects.filter(call__campaign=self.campaign, state=SummaryState.DUE, problem="")
        while (uncounted.exists() or due.exists()) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)

    def _where(self) -> str:
        counts: Mapping[str, int] = {
            standing: Facilitator.objects.filter(campaign=self.campaign, standing=standing).count()
            for standing in sorted(Standing)
        }
        state = Campaign.objects.values_list("state", flat=True).get(pk=self.campaign.pk)
        held = f"; campaign {state}" if state != CampaignState.RUNNING else ""
        shown = ", ".join(f"{n} {standing.replace('_', ' ')}" for standing, n in counts.items() if n)
        return f"{clock.now():%a %d %b %H:%M} UTC: {shown}{held}"
