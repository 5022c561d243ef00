"""What a benchmark says: figures beside their goals, the machine they were measured on, the exit status."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

#: Exit status: every goal is met; one is missed.
MET, MISSED = 0, 1
#: What was measured against what; their versions belong to every figure.
_VERSIONS = ("django", "psycopg", "celery", "redis", "granian", "livekit-agents")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number. Without a goal it only explains the others."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def goal(self) -> str:
        """The goal in words; empty when there is none."""
        if self.at_least is not None:
            return f"≥ {_number(self.at_least)}"
        return "" if self.at_most is None else f"≤ {_number(self.at_most)}"

    @property
    def is_met(self) -> bool:
        """Whether the goal is met; a figure without one misses nothing."""
        if self.at_least is not None and not self.value >= self.at_least:
            return False
        return self.at_most is None or self.value <= self.at_most


@dataclass(kw_only=True)
class Report:
    """The figures of one benchmark, and remarks without which they could be misread."""

    benchmark: str
    figures: list[Figure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        """Whether every goal is met; a report without figures has shown nothing."""
        return bool(self.figures) and all(figure.is_met for figure in self.figures)

    @property
    def status(self) -> int:
        """The exit status of the process."""
        return MET if self.is_met else MISSED

    def lines(self) -> list[str]:
        """Return the report as a table of text."""
        width = max((len(figure.name) for figure in self.figures), default=0)
        shown = [self.benchmark]
        for figure in self.figures:
            value = f"{_number(figure.value)} {figure.unit}".strip()
            verdict = ("met" if figure.is_met else "MISSED") if figure.goal else ""
            shown.append(f"  {figure.name:<{width}}  {value:>16}  {figure.goal:>10}  {verdict}".rstrip())
        return shown + [f"  {remark}" for remark in self.remarks]

    def as_json(self) -> dict[str, Any]:
        """Return the report for a program to read."""
        figures = [
            asdict(figure) | {"goal": figure.goal, "met": figure.is_met if figure.goal else None}
            for figure in self.figures
        ]
        return {
            "benchmark": self.benchmark,
            "met": self.is_met,
            "figures": figures,
            "remarks": self.remarks,
        }


def median(values: Sequence[float]) -> float:
    """Return the median; of nothing there is none.

    :raises ValueError: when there are no values: the benchmark measured nothing.
    """
    return float(statistics.median(values))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (0…1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Return `ours` as a share of `theirs`, round by round: both were measured one after the other.

    :raises ValueError: when there are not equally many.
    """
    return [own / other for own, other in zip(ours, theirs, strict=True)]


def machine() -> dict[str, Any]:
    """Return what the figures depend on. The load is other people's: the benchmark has not begun."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": cpu,
        "memory_gb": round(int(memory) / 1024**2, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in _VERSIONS},
        "load_before": round(os.getloadavg()[0], 2),
    }


def main(benchmark: str, measure: Callable[[Report], None], *, description: str) -> int:
    """Run one benchmark from the command line: print its report, return the exit status."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{benchmark}", description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    wanted = parser.parse_args()
    report, surroundings, started = Report(benchmark=benchmark), machine(), time.monotonic()
    measure(report)
    took = round(time.monotonic() - started, 1)
    if wanted.json:
        print(json.dumps(report.as_json() | {"machine": surroundings, "seconds": took}))
    else:
        print("\n".join(report.lines()))
        print(
            f"  {surroundings['cores']} cores of {surroundings['cpu']}, load {surroundings['load_before']} "
            f"before; took {took:.0f} s."
        )
    sys.stdout.flush()
    return report.status


def _number(value: float) -> str:
    if value and abs(value) < 10:
        return f"{value:.2f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
