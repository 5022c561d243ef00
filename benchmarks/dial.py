"""From a due row to a call that the carrier has accepted, with all the processes that this takes."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import redis
from django.conf import settings

from benchmarks.figures import Figure, Report, main, median
from benchmarks.people import a_running_campaign, add_people
from benchmarks.processes import cpu_seconds
from benchmarks.quick_agents import QuickAgents
from benchmarks.stage import Stage, stage
from config.celery import app
from outreach.models import Call

#: What the pace allows: more than is aimed at, so that it limits nothing.
CALLS_PER_SECOND = 120.0
PEOPLE = 3_000
#: Accepted calls per window; the first window is left out: claims, connections and caches begin there.
WINDOW = 100
WINDOWS = 6
PATIENCE = 150.0
EMPTY_TASKS = 600
#: A task of Celery's own that does nothing but be received, run and acknowledged.
EMPTY_TASK = "celery.accumulate"


def measure(report: Report) -> None:
    """Measure the worker with tasks that do nothing, then let beat's ticks call people."""
    with stage() as running:
        # All accepted calls but the first wait in the carrier's queue, so that no callback comes.
        running.start("sandbox", SANDBOX_CALLS_PER_SECOND="0.001")
        running.start("hooks", "worker", "ops")
        empty = [_empty_tasks() for _ in range(4)][1:]
        before = _processor_time(running)
        rates, calls = _dial(running)
        spent = {name: seconds - before.get(name, 0) for name, seconds in _processor_time(running).items()}
    share = median(rates) / median(empty)
    report.figures += [
        Figure(name="calls accepted", value=median(rates), unit="/s", at_least=40),
        Figure(name="share of what is aimed at, 100/s", value=median(rates) / 100),
        Figure(name="empty tasks of the same worker", value=median(empty), unit="/s"),
        Figure(name="calls as a share of empty tasks; a call takes two tasks", value=share),
    ]
    per_call = {name: seconds / calls * 1000 for name, seconds in spent.items() if seconds / calls > 0.0001}
    report.figures.append(Figure(name="processor time per call", value=sum(per_call.values()), unit="ms"))
    heaviest = sorted(per_call.items(), key=lambda item: -item[1])
    report.remarks.append("ms per call: " + ", ".join(f"{name} {ms:.1f}" for name, ms in heaviest))
    report.remarks.append(f"windows of {WINDOW} calls: " + ", ".join(f"{rate:.0f}/s" for rate in rates))


def _processor_time(running: Stage) -> dict[str, float]:
    """Return the seconds of each process so far; the agents are part of the benchmark's own."""
    times = {name: cpu_seconds(pid) for name, pid in running.pids().items()}
    mine = os.times()
    return times | {"agents and benchmark": mine.user + mine.system}


def _dial(running: Stage) -> tuple[list[float], int]:
    """Let the ticks call people; return the rate of each window of calls, and how many were accepted."""
    ledger = running.directory / "sandbox" / "calls.jsonl"
    with QuickAgents(hooks_url=f"http://127.0.0.1:{running.ports.hooks}", places=PEOPLE) as agents:
        campaign = a_running_campaign(calls_per_second=CALLS_PER_SECOND, max_open_calls=PEOPLE)
        add_people(campaign, first=1, last=PEOPLE)
        running.start("beat")
        deadline = time.monotonic() + PATIENCE
        accepted: list[float] = []
        while len(accepted) < WINDOW * (WINDOWS + 1):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(accepted)} calls were accepted within {PATIENCE:.0f} s")
            time.sleep(0.2)
            accepted = _accepted(ledger)
            dialled = Call.objects.filter(placed_at__isnull=False).values_list("pk", flat=True)
            agents.dialled(set(dialled))
    edges = accepted[WINDOW - 1 :: WINDOW][: WINDOWS + 1]
    rates = [WINDOW / (end - start) for start, end in pairwise(edges)]
    return rates, len(accepted)


def _accepted(ledger: Path) -> list[float]:
    """Return the carrier's own times of the calls that it accepted, in seconds."""
    if not ledger.exists():
        return []
    entries = [json.loads(line) for line in ledger.read_text().splitlines() if '"accepted"' in line]
    return [datetime.fromisoformat(entry["at_real"]).timestamp() for entry in entries]


def _empty_tasks() -> float:
    """Return how many tasks a second the dial worker gets through that do nothing."""
    with redis.Redis.from_url(settings.REDIS_URL) as valkey:
        for _ in range(EMPTY_TASKS):
            app.send_task(EMPTY_TASK, queue="dial")
        before, began = valkey.llen("dial"), time.perf_counter()
        while valkey.llen("dial"):
            time.sleep(0.01)
        return before / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main("dial", measure, description=__doc__))
