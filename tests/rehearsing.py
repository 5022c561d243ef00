"""Running `manage.py rehearse` as a process of its own, and reading its verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

#: What every rehearsal must say, whatever was killed or failed on the way.
KEPT: dict[str, Any] = {
    "double_dials": 0,
    "calls_outside_hours": 0,
    "calls_after_opt_out": 0,
    "turns_lost": 0,
    "stuck_calls": 0,
    "unknown_calls": 0,
    "promises_broken": [],
}


def rehearse(*arguments: str, within: float = 1800.0) -> dict[str, Any]:
    """Rehearse a campaign and return the verdict; what it said is in the failure when it did not come."""
    run = subprocess.run(
        [sys.executable, "manage.py", "rehearse", "--json", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    lines = run.stdout.strip().splitlines()
    assert len(lines) == 1, f"exit code {run.returncode}\n{run.stdout[-2000:]}\n{run.stderr[-4000:]}"
    verdict: dict[str, Any] = json.loads(lines[0])
    assert (run.returncode == 0) == (not verdict["promises_broken"]), run.stderr[-4000:]
    return verdict
