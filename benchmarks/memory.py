"""The memory of everything that `make up` starts, at rest, each shared page counted once."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from benchmarks.figures import Figure, Report, main, median
from benchmarks.processes import pss_bytes, tree
from outreach.management.supervisor.child import Child, Program
from outreach.management.supervisor.ports import free_ports

ROOT = Path(__file__).resolve().parents[1]
EVERYTHING_RUNS = b"Everything runs"
#: Seconds in which everything must run, and in which it then comes to rest.
STARTS_WITHIN, RESTS_FOR = 180.0, 30.0
LOOKS, LOOK_EVERY = 7, 2.0

#: What of a command line names the service; descendants belong to the one above them.
_SERVICES = {
    "leash.py": "leashes",
    "manage.py up": "up",  # its options name the others
    "postgres": "postgres",
    "valkey-server": "valkey",
    "granian": "hooks",
    "uvicorn": "web",
    "flower": "flower",
    "manage.py record": "recorder",
    "-n dial@": "worker",
    "-n ops@": "ops",
    "agentworker": "agent",
    "beat": "beat",
    "clock_jumper": "clock",
    "-m sandbox": "sandbox",
}


def measure(report: Report) -> None:
    """Start everything without a campaign, let it come to rest, and look a few times."""
    looks: list[Counter[str]] = []
    with _everything() as running:
        time.sleep(RESTS_FOR)
        for _ in range(LOOKS):
            looks.append(_look(running.pid))
            time.sleep(LOOK_EVERY)
    whole = median([look.total() for look in looks])
    report.figures.append(
        Figure(name="the whole tree of make up, PSS", value=whole / 1e9, unit="GB", at_most=1.2)
    )
    for name, _ in looks[-1].most_common():
        megabytes = median([look[name] for look in looks]) / 1e6
        report.figures.append(Figure(name=name, value=megabytes, unit="MB"))
    report.remarks.append(f"{LOOKS} looks, {RESTS_FOR:.0f} s after everything ran; no campaign, no call.")


@contextmanager
def _everything() -> Iterator[Child]:
    """Run `manage.py up` on free ports and a directory of its own; stop it and remove both after."""
    with tempfile.TemporaryDirectory(prefix="outreach-memory-") as place:
        directory = Path(place)
        directory.chmod(0o755)
        ports = [f"--port-{name}={port}" for name, port in asdict(free_ports()).items()]
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        program = Program(
            name="up",
            argv=[sys.executable, "manage.py", "up", "--no-sample", "--data", str(directory / "up"), *ports],
            environment=kept | {"OUTREACH_IGNORE_DOTENV": "1"},
            directory=ROOT,
            grace=60.0,
        )
        with (directory / "said").open("w+b") as said:
            child = Child(program, output=said)
            try:
                _wait_until_it_runs(child, directory / "said")
                yield child
            finally:
                child.stop()
                child.close()


def _wait_until_it_runs(child: Child, said: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while EVERYTHING_RUNS not in said.read_bytes():
        if child.exit_code is not None or time.monotonic() > deadline:
            raise subprocess.SubprocessError(f"make up did not start: {said.read_text()[-2000:]}")
        time.sleep(0.2)


def _look(pid: int) -> Counter[str]:
    """Return the bytes of each service of the tree below `pid`."""
    names: dict[int, str] = {}
    found: Counter[str] = Counter()
    for one in tree(pid):  # parents come before their children
        names[one] = _service(one) or names.get(_parent(one), "others")
        found[names[one]] += pss_bytes(one)
    return found


def _service(pid: int) -> str:
    try:
        command = (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return next((name for part, name in _SERVICES.items() if part in command), "")


def _parent(pid: int) -> int:
    try:
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


if __name__ == "__main__":
    sys.exit(main("memory", measure, description=__doc__))
