"""New code in place of the old while people are on the phone.

The hooks and Alex are never away: the new ones start beside the old, and the old ones leave when they are
done. For Alex that is when his last call has ended. Everything else may be away for the seconds of a restart:
calls in progress do not need it, and what it would have done waits in the database or in the stream.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from subprocess import Popen
from typing import Any

from deploy.docker import Docker, Failed

HOOKS = "hooks"
ALEX = "agentworker"
#: What a restart may take away for seconds, in the order of starting.
RESTARTED = ("web", "recorder", "worker", "ops", "flower", "beat", "caddy")
ASK_EVERY = 1.0


@dataclass(frozen=True)
class Exchange:
    """One exchange of everything that runs."""

    docker: Docker
    services: Mapping[str, Any]
    """The compose file's."""
    say: Callable[[str], None]
    within: float
    """Seconds in which a new process must be well."""

    def run(self) -> None:
        """Exchange everything; return when the last call of the old Alex has ended.

        :raises Failed: when a new process does not get well; the old one of its kind goes on.
        """
        old_hooks = self._beside(HOOKS)
        self._remove(old_hooks, when=self._leave(HOOKS, old_hooks))
        old_alex = self._beside(ALEX)
        leaving = self._leave(ALEX, old_alex)
        self.docker.run(
            *("compose", "up", "--detach", "--no-deps", *RESTARTED),
            otherwise="Not everything could be exchanged: see above. Calls in progress go on.",
        )
        self.say("The old Alex takes no new call. His last one may take eleven minutes: waiting for its end.")
        self._remove(old_alex, when=leaving)
        self.make_as_described()

    def make_as_described(self) -> None:
        """Let compose start what is missing and remove what is too much.

        :raises Failed: when it cannot.
        """
        self.docker.run(
            *("compose", "up", "--detach", "--remove-orphans"),
            otherwise="Not everything could be started: see above, and docker compose ps --all.",
        )

    def _beside(self, service: str) -> list[str]:
        """Start new containers of `service` beside the old, wait until they are well; return the old."""
        old = self.docker.containers(service)
        wanted = len(old) + int(self.services[service].get("scale", 1))
        self.say(f"Starting new {service} beside {len(old)} old.")
        self.docker.run(
            *("compose", "up", "--detach", "--no-deps", "--no-recreate"),
            *("--scale", f"{service}={wanted}", service),
            otherwise=f"No new {service} could be started: see above. The old ones go on.",
        )
        new = [container for container in self.docker.containers(service) if container not in old]
        if not new or not self._are_well(new):
            if new:
                self._stop_now(new)
            raise Failed(
                f"The new {service} did not get well within {self.within:.0f} s and was stopped: its last "
                "words are above. The old goes on."
            )
        return old

    def _are_well(self, containers: Sequence[str]) -> bool:
        deadline = time.monotonic() + self.within
        while not all(self.docker.is_well(container) for container in containers):
            if time.monotonic() > deadline:
                return False
            time.sleep(ASK_EVERY)
        return True

    def _leave(self, service: str, containers: Sequence[str]) -> Popen[bytes] | None:
        """Ask old containers to finish, within the service's own time for it."""
        grace = seconds(str(self.services[service].get("stop_grace_period", "10s")))
        return self.docker.begin("stop", "-t", str(grace), *containers) if containers else None

    def _stop_now(self, containers: Sequence[str]) -> None:
        for container in containers:
            self.say(self.docker.tell("logs", "--tail", "30", container).stderr)
        self._remove(containers, when=self.docker.begin("stop", "-t", "10", *containers))

    def _remove(self, containers: Sequence[str], *, when: Popen[bytes] | None) -> None:
        if when is not None:
            when.wait()
            self.docker.tell("rm", *containers)


def seconds(duration: str) -> int:
    """Return a duration as compose writes it in seconds, e.g. 750 for "12m30s"."""
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)(h|m|s)", duration))
