"""One program on its leash: start it, know whether it lives, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

LEASH = Path(__file__).with_name("leash.py")


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run and how to stop it; `grace` is seconds between the stop signal and SIGKILL."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    user: str = ""
    directory: Path | None = None


class Child:
    """A running program. It ends with this process, whatever ends this process."""

    def __init__(self, program: Program, *, output: int | IO[bytes] | None = None) -> None:
        """Start `program`; its output and errors go to `output` (a descriptor, file or PIPE)."""
        self.program = program
        self.started_at = time.monotonic()
        reader, writer = os.pipe()
        try:
            self._leash = subprocess.Popen(
                self._leash_argv(writer),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT if output is not None else None,
                env={**program.environment},
                cwd=program.directory,
                pass_fds=[writer],
                # A Ctrl-C in the terminal is for us alone: we decide who stops when.
                start_new_session=True,
            )
        finally:
            os.close(writer)
        with os.fdopen(reader) as report:
            self.pid = int(report.readline().strip() or 0)

    def _leash_argv(self, report: int) -> list[str]:
        program = self.program
        return [
            *(sys.executable, "-I", "-S", str(LEASH)),
            *("--report-fd", str(report)),
            *("--stop-signal", str(int(program.stop_signal))),
            *("--grace", str(program.grace)),
            *(("--user", program.user) if program.user else ()),
            *("--", *program.argv),
        ]

    @property
    def output(self) -> IO[bytes] | None:
        """The pipe to read when it was started with PIPE."""
        return self._leash.stdout

    @property
    def exit_code(self) -> int | None:
        """The program's exit code (128 + n after signal n), or None while it runs."""
        return self._leash.poll()

    def ask_to_stop(self) -> None:
        """Send the stop signal; after the grace it is killed."""
        if self.exit_code is None:
            self._leash.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the program with all it started, at once."""
        if self.exit_code is None:
            self._leash.send_signal(signal.SIGQUIT)

    def wait(self, seconds: float) -> bool:
        """Return whether it has ended within `seconds`."""
        try:
            self._leash.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Stop it and return when it is gone: at the latest its grace and a little later."""
        self.ask_to_stop()
        if not self.wait(self.program.grace + 5):
            self.kill()
            self.wait(5)

    def close(self) -> None:
        """Let go of the pipes of a program that has ended."""
        for pipe in (self._leash.stdin, self._leash.stdout):
            if pipe is not None:
                pipe.close()
