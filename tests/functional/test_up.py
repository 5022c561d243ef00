"""`manage.py up` as a newcomer meets it: people are called, mistakes get sentences, nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from outreach.management.supervisor.ports import free_ports

pytestmark = [pytest.mark.functional, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]


class Up:
    """One `manage.py up` in a process of its own, with its own data and ports."""

    def __init__(self, data: Path, *arguments: str, ports: dict[str, int] | None = None) -> None:
        self.ports = ports or asdict(free_ports())
        options = [f"--port-{name}={port}" for name, port in self.ports.items()]
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", f"--data={data}", *options, *arguments],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(data.parent), "OUTREACH_IGNORE_DOTENV": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())

    @property
    def said(self) -> str:
        """Everything that it has printed so far."""
        return "\n".join(self.lines)

    def says(self, words: str, *, within: float = 90.0) -> bool:
        """Wait until `words` are printed."""
        return eventually(lambda: words in self.said or self.process.poll() is not None, seconds=within) and (
            words in self.said
        )

    def ends(self, *, within: float = 60.0) -> int:
        """Wait for its end and return the exit code."""
        code = self.process.wait(within)
        self._reader.join(5)
        return code


def eventually(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def processes_of(data: Path) -> list[str]:
    """Return the command lines of every process that knows this data directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(data).encode() in environment and process.name != str(os.getpid()):
            found.append(command)
    return found


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("up") / "data"
    # PostgreSQL's own user must get there.
    for parent in (directory.parent, directory.parent.parent, directory.parent.parent.parent):
        parent.chmod(0o755)
    yield directory
    assert eventually(lambda: processes_of(directory) == [], seconds=15), processes_of(directory)


@pytest.fixture
def up(data: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start(*arguments: str, ports: dict[str, int] | None = None) -> Up:
        started.append(Up(data, *arguments, ports=ports))
        return started[-1]

    yield start
    for run in started:
        if run.process.poll() is None:
            run.process.kill()
        run.ends()


def test_calls_the_sample_and_stops_in_order(up: Callable[..., Up]) -> None:
    run = up("--people", "3")
    assert run.says("The first conversation is finished"), run.said
    assert "REHEARSAL: no real phone rings." in run.said
    assert "user admin, password " in run.said

    second = up("--people", "3")
    assert second.ends() == 1
    assert f"(PID {run.process.pid}): stop it with Ctrl-C first" in second.said

    run.process.send_signal(signal.SIGINT)
    assert run.ends() == 0, run.said
    assert run.lines[-1].endswith("Everything has stopped.")


def test_names_who_holds_a_port_and_starts_nothing(up: Callable[..., Up], data: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", "import socket, time\ns = socket.create_server(('127.0.0.1', 0))\n"
         "print(s.getsockname()[1], flush=True)\ntime.sleep(60)"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    try:
        with holder.stdout as output:
            port = int(output.readline())
        run = up(ports={**asdict(free_ports()), "web": port})
        assert run.ends() == 1
        assert f"Port {port} (web) is held by PID {holder.pid} (" in run.said
        assert not (data / "postgres").exists()
    finally:
        holder.kill()
        holder.wait()


def test_leaves_nothing_running_when_it_is_killed(up: Callable[..., Up], data: Path) -> None:
    run = up("--no-sample")
    assert run.says("Everything runs after"), run.said
    assert len(processes_of(data)) > 10
    run.process.kill()
    run.ends()
    assert eventually(lambda: processes_of(data) == [], seconds=15), processes_of(data)
