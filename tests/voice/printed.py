"""What the voice tests measure, printed beside what is aimed at; figures never fail a test."""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict

GOALS = {
    "leg joined → first audible sample": 0.35,
    "callee silent → Alex audible": 0.6,
}


class Printed:
    """Seconds by what they measure."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def add(self, what: str, seconds: float) -> None:
        """Keep one measurement."""
        self._seconds[what].append(seconds)

    def show(self) -> None:
        """Print the medians with what they come from."""
        for what, seconds in self._seconds.items():
            goal = f"goal {GOALS[what]:.2f} s" if what in GOALS else "no goal"
            each = ", ".join(f"{value:.2f}" for value in seconds)
            sys.__stdout__.write(f"\n{what}: {statistics.median(seconds):.2f} s ({goal}; {each})")
        sys.__stdout__.write("\n")
