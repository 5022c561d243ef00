"""Every benchmark, one after the other, each in a process of its own: `python -m benchmarks [NAME …]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.figures import MET, MISSED

HERE = Path(__file__).parent
#: Seconds after which a benchmark is given up: `pages` takes ten minutes, each other one to three.
GIVE_UP_AFTER = 1800.0


def names() -> list[str]:
    """Return the benchmarks: the modules here that can be started by themselves."""
    modules = sorted(HERE.glob("[a-z]*.py"))
    return [module.stem for module in modules if "sys.exit(main(" in module.read_text()]


def run(name: str) -> bool:
    """Run one benchmark and let it print; return whether its goals are met."""
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    try:
        finished = subprocess.run(command, cwd=HERE.parent, check=False, timeout=GIVE_UP_AFTER)
    except subprocess.TimeoutExpired:
        print(f"{name}\n  was given up after {GIVE_UP_AFTER:.0f} s.", flush=True)
        return False
    return finished.returncode == MET


def main(wanted: list[str]) -> int:
    """Run the wanted benchmarks, or all; return 0 only if every goal of each is met."""
    unknown = set(wanted) - set(names())
    if unknown:
        print(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names())}.")
        return 2
    met = {name: run(name) for name in wanted or names()}
    missed = [name for name, was_met in met.items() if not was_met]
    print(f"Goals missed: {', '.join(missed)}." if missed else "Every goal is met.", flush=True)
    return MISSED if missed else MET


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
