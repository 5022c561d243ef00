"""What the voice tests measure, printed beside what is aimed at; figures never fail a test."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator

GOALS = {
    "leg joined → first audible sample": 0.35,
    "callee silent → Alex audible": 0.6,
}


class Measured:
    """Seconds, by what they measure."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def add(self, what: str, seconds: float) -> None:
        """Keep one measurement."""
        self._seconds[what].append(seconds)

    def sentences(self) -> Iterator[str]:
        """Yield one line for each thing that was measured, with its median."""
        for what, seconds in self._seconds.items():
            goal = f"aimed at {GOALS[what]:.2f} s" if what in GOALS else "nothing aimed at"
            each = ", ".join(f"{value:.2f}" for value in seconds)
            yield f"{what}: {statistics.median(seconds):.2f} s ({goal}; each: {each})"
