"""A set of programs that belong together: start in order, restart what dies, stop in reverse order."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from outreach.management.supervisor.child import Child, Program

#: Seconds before a restart: doubled with every death in a row, forgotten after a while of health.
FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 30.0
HEALTHY_AFTER = 60.0
WATCH_EVERY = 0.1


@dataclass(frozen=True, kw_only=True)
class Service:
    """A program in its place: lower groups start first and stop last; one group stops at once.

    `ready` is asked until it says True; without it the service counts as ready once it runs.
    """

    program: Program
    group: int
    ready: Callable[[], bool] | None = None
    ready_within: float = 60.0

    @property
    def name(self) -> str:
        """Name of its program."""
        return self.program.name


@dataclass(frozen=True, kw_only=True)
class Restart:
    """A service died (128 + n: by signal n) and is started again after `delay` seconds."""

    name: str
    exit_code: int
    delay: float


class Audience(Protocol):
    """Who hears what the services print and when one dies. Called from several threads."""

    def hear(self, name: str, line: str) -> None:
        """Take one line of output of the service `name`."""

    def restarting(self, restart: Restart) -> None:
        """Take note of a death."""


class NotReady(Exception):
    """A service did not become ready in time."""


@dataclass
class _Place:
    service: Service
    child: Child | None = None
    deaths: int = 0
    start_at: float | None = None
    reader: threading.Thread | None = None


class Stack:
    """Running services. Whatever ends this process ends them too."""

    def __init__(self, *, audience: Audience) -> None:
        """Make an empty stack whose services report to `audience`."""
        self._audience = audience
        self._places: dict[str, _Place] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self.restarts: list[Restart] = []

    def start(self, services: Sequence[Service]) -> None:
        """Start `services` in the order of their groups, without waiting for any to be ready."""
        for service in sorted(services, key=lambda service: service.group):
            with self._lock:
                place = self._places[service.name] = _Place(service)
                self._launch(place)
        if not self._watcher.is_alive():
            self._watcher.start()

    def wait_until_ready(self, *names: str, give_up: Callable[[], bool] = lambda: False) -> None:
        """Return once the named services (all of them without names) are ready.

        :raises NotReady: when one is not in its time, or `give_up` says so.
        """
        for name in names or tuple(self._places):
            service = self._places[name].service
            deadline = time.monotonic() + service.ready_within
            while service.ready is not None and not service.ready():
                if give_up():
                    raise NotReady("Stopped while starting.")
                if time.monotonic() > deadline:
                    raise NotReady(f"{name} was not ready within {service.ready_within:.0f} s.")
                time.sleep(0.05)

    def pids(self) -> dict[str, int]:
        """Return the process id of every service that runs now."""
        with self._lock:
            return {
                name: place.child.pid
                for name, place in self._places.items()
                if place.child is not None and place.child.exit_code is None
            }

    def stop(self) -> None:
        """Stop every service: the highest group first, each group at once."""
        self._stopping.set()
        for group in sorted({place.service.group for place in self._places.values()}, reverse=True):
            self.stop_group(group)
        if self._watcher.is_alive():
            self._watcher.join(timeout=5)

    def stop_group(self, group: int) -> None:
        """Stop the services of one group and return when they are gone."""
        with self._lock:
            places = [place for place in self._places.values() if place.service.group == group]
            running = [(place, place.child) for place in places if place.child is not None]
            for place in places:
                place.child = place.start_at = None
        for _, child in running:
            child.ask_to_stop()
        for place, child in running:
            child.wait(child.program.grace + 5)
            self._part_with(place, child)

    def kill(self) -> None:
        """Kill every service at once: for when stopping has to be over now."""
        self._stopping.set()
        with self._lock:
            for place in self._places.values():
                if place.child is not None:
                    place.child.kill()

    def _launch(self, place: _Place) -> None:
        place.child = Child(place.service.program, output=subprocess.PIPE)
        place.start_at = None
        place.reader = threading.Thread(
            target=self._listen, args=(place.service.name, place.child.output), daemon=True
        )
        place.reader.start()

    @staticmethod
    def _part_with(place: _Place, child: Child) -> None:
        """Hear the last words of a service that has ended, then let go of it."""
        child.stop()
        if place.reader is not None:
            place.reader.join(timeout=2)
        child.close()

    def _listen(self, name: str, output: IO[bytes] | None) -> None:
        if output is None:
            return
        try:
            for line in output:
                self._audience.hear(name, line.decode(errors="replace").rstrip())
        except ValueError:
            return  # the pipe was closed under us: the service is being stopped

    def _watch(self) -> None:
        while not self._stopping.wait(WATCH_EVERY):
            with self._lock:
                restarts = [restart for place in self._places.values() if (restart := self._look_at(place))]
            for restart in restarts:
                self._audience.restarting(restart)

    def _look_at(self, place: _Place) -> Restart | None:
        """Start a service whose back-off is over; note one that has died."""
        if place.start_at is not None:
            if time.monotonic() >= place.start_at:
                self._launch(place)
            return None
        child = place.child
        if child is None or child.exit_code is None:
            return None
        if time.monotonic() - child.started_at > HEALTHY_AFTER:
            place.deaths = 0
        delay = min(FIRST_BACKOFF * 2**place.deaths, LONGEST_BACKOFF)
        place.deaths += 1
        self._part_with(place, child)
        place.child, place.start_at = None, time.monotonic() + delay
        restart = Restart(name=place.service.name, exit_code=child.exit_code, delay=delay)
        self.restarts.append(restart)
        return restart
