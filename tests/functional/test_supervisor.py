"""Programs on a leash: nothing outlives us, what dies comes back, and order is kept."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from outreach.management.supervisor.child import Child, Program
from outreach.management.supervisor.ports import Ports, taken
from outreach.management.supervisor.stack import NotReady, Restart, Service, Stack
from outreach.management.supervisor.state import DataInUse, kept_secrets, locked

pytestmark = pytest.mark.functional

#: A program with a daemon of its own: a grandchild in another session, deaf to TERM.
WITH_A_DAEMON = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(60)
"""
#: A supervisor that is about to be killed: it holds a leash, says the child's id, and waits.
HOLDER = """
import sys, time
from pathlib import Path
from outreach.management.supervisor.child import Child, Program
child = Child(Program(name="x", argv=[sys.executable, "-c", sys.argv[1], sys.argv[2]], grace=0.2))
print(child.pid, flush=True)
time.sleep(60)
"""
OBEDIENT = "import time; print('up', flush=True); time.sleep(60)"


def eventually(condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def program(code: str, *arguments: str, name: str = "dummy", grace: float = 5.0) -> Program:
    return Program(name=name, argv=[sys.executable, "-c", code, *arguments], grace=grace)


class Ear:
    """Remembers what the services said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.restarts: list[Restart] = []

    def hear(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def restarting(self, restart: Restart) -> None:
        self.restarts.append(restart)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def stack(ear: Ear) -> Iterator[Stack]:
    stack = Stack(audience=ear)
    yield stack
    stack.kill()
    stack.stop()


class TestLeash:
    def test_kills_the_daemons_that_a_stopped_program_leaves(self, tmp_path: Path) -> None:
        noted = tmp_path / "daemon"
        child = Child(program(WITH_A_DAEMON, str(noted), grace=0.2))
        assert eventually(lambda: noted.exists() and noted.read_text() != "")
        child.stop()
        child.close()
        assert child.exit_code == 128 + signal.SIGKILL
        assert not alive(child.pid)
        assert not alive(int(noted.read_text()))

    def test_leaves_no_orphan_when_its_holder_is_killed(self, tmp_path: Path) -> None:
        noted = tmp_path / "daemon"
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, WITH_A_DAEMON, str(noted)], stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        with holder.stdout:
            child = int(holder.stdout.readline())
        assert eventually(lambda: noted.exists() and noted.read_text() != "")
        daemon = int(noted.read_text())
        holder.kill()
        holder.wait()
        assert eventually(lambda: not alive(child) and not alive(daemon))

    def test_tells_the_exit_code_of_the_program(self) -> None:
        child = Child(program("raise SystemExit(7)"))
        assert child.wait(10)
        assert child.exit_code == 7
        child.stop()
        child.close()

    def test_takes_the_program_along_when_the_leash_itself_is_killed(self) -> None:
        child = Child(program(OBEDIENT), output=subprocess.PIPE)
        assert child.output is not None
        assert child.output.readline() == b"up\n"
        leash = int(Path(f"/proc/{child.pid}/stat").read_text().rsplit(") ", 1)[1].split()[1])
        os.kill(leash, signal.SIGKILL)
        assert eventually(lambda: not alive(child.pid))
        child.stop()
        child.close()


class TestStack:
    def test_starts_a_killed_service_again_and_says_so(self, stack: Stack, ear: Ear) -> None:
        stack.start([Service(program=program(OBEDIENT), group=1)])
        first = stack.pids()["dummy"]
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: stack.pids().get("dummy", first) != first)
        assert ear.restarts == [Restart(name="dummy", exit_code=137, delay=0.5)]

    def test_waits_longer_with_every_death_in_a_row(self, stack: Stack, ear: Ear) -> None:
        stack.start([Service(program=program("raise SystemExit(3)"), group=1)])
        assert eventually(lambda: len(ear.restarts) >= 2)
        assert [restart.delay for restart in ear.restarts[:2]] == [0.5, 1.0]

    def test_stops_the_highest_group_first(self, stack: Stack, ear: Ear) -> None:
        says_when = (
            "import signal, sys, time\n"
            "signal.signal(signal.SIGTERM, lambda *_: (print('stopped', flush=True), sys.exit(0)))\n"
            "print('up', flush=True)\ntime.sleep(60)"
        )
        stack.start(
            [Service(program=program(says_when, name=f"group {group}"), group=group) for group in (2, 1, 3)]
        )
        assert eventually(lambda: len(ear.lines) == 3)
        stack.stop()
        stopped = [name for name, line in ear.lines if line == "stopped"]
        assert stopped == ["group 3", "group 2", "group 1"]
        assert stack.pids() == {}
        assert ear.restarts == []

    def test_names_the_service_that_did_not_become_ready(self, stack: Stack) -> None:
        stack.start([Service(program=program(OBEDIENT), group=1, ready=lambda: False, ready_within=0.1)])
        with pytest.raises(NotReady, match="dummy was not ready"):
            stack.wait_until_ready()


class TestPorts:
    def test_names_the_process_that_holds_a_taken_port(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            [sentence] = taken(Ports(web=port), unused=frozenset(set(vars(Ports())) - {"web"}))
        assert f"Port {port} (web) is held by PID {os.getpid()} (" in sentence
        assert f"pass --port-web {port + 10}." in sentence


class TestState:
    def test_refuses_a_second_run_on_the_same_data(self, tmp_path: Path) -> None:
        with (
            locked(tmp_path),
            pytest.raises(DataInUse, match=f"already runs on .*PID {os.getpid()}"),
            locked(tmp_path),
        ):
            pass

    def test_lets_the_next_run_in_when_the_first_is_over(self, tmp_path: Path) -> None:
        with locked(tmp_path):
            pass
        with locked(tmp_path):
            assert (tmp_path / "lock").read_text() == str(os.getpid())

    def test_keeps_its_secrets_to_itself_and_for_the_next_run(self, tmp_path: Path) -> None:
        made = kept_secrets(tmp_path, rehearsal=True)
        assert kept_secrets(tmp_path, rehearsal=True) == made
        assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
