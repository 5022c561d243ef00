"""Running checks at the same time, each with a time limit; whatever happens becomes a finding."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from pathlib import Path

from django.db import DatabaseError, connections

from outreach.doctor.finding import Check, Finding, Result, Surroundings, fail, skipped


def run(checks: Sequence[Check], about: Surroundings) -> list[Result]:
    """Run the checks and return their results, in the order given.

    A check whose `after` is not among `checks` runs as if that one had succeeded.
    """
    done: dict[str, Result] = {}
    left = list(checks)
    while left:
        waited_for = {check.name for check in left}
        wave = [check for check in left if check.after not in waited_for]
        if not wave:
            raise ValueError(f"these checks wait for each other: {', '.join(sorted(waited_for))}")
        done |= {result.check.name: result for result in _run_wave(wave, about, done)}
        left = [check for check in left if check.name not in done]
    return [done[check.name] for check in checks]


def _run_wave(wave: Sequence[Check], about: Surroundings, done: dict[str, Result]) -> list[Result]:
    started = time.monotonic()
    underway = [(check, _begin(check, about, done.get(check.after))) for check in wave]
    return [_result(check, future, started) for check, future in underway]


def _begin(check: Check, about: Surroundings, before: Result | None) -> Future[Finding]:
    """Examine in a thread that nobody has to wait for, not even the end of the process."""
    future: Future[Finding] = Future()
    if before is not None and before.finding.status not in ("ok", "warn"):
        future.set_result(skipped(f"Not checked: first {before.check.name} must be in order."))
        return future
    thread = threading.Thread(target=_examine, args=(check, about, future), name=check.name, daemon=True)
    thread.start()
    return future


def _examine(check: Check, about: Surroundings, future: Future[Finding]) -> None:
    try:
        future.set_result(check.examine(about))
    except DatabaseError as problem:
        first_line = str(problem).strip().split("\n", maxsplit=1)[0]
        future.set_result(
            fail(f"The database could not be asked: {first_line}", remedy="See local.database first.")
        )
    except Exception as problem:  # noqa: BLE001  (a thread's own boundary: the finding is the report)
        future.set_result(_broken(problem))
    finally:
        connections.close_all()


def _broken(problem: Exception) -> Finding:
    """Return the finding of a check that broke, with the line where it did."""
    where = traceback.extract_tb(problem.__traceback__)[-1]
    place = f"{Path(where.filename).name}, line {where.lineno}"
    return fail(
        f"The check itself broke: {type(problem).__name__} in {place}.",
        remedy="Run it again; if it stays so, report this sentence.",
    )


def _result(check: Check, future: Future[Finding], started: float) -> Result:
    try:
        finding = future.result(timeout=max(0.0, started + check.seconds - time.monotonic()))
    except NotInTime:
        finding = fail(
            f"No answer within {check.seconds:g} s.",
            remedy="Try again; if it stays so, a firewall or a proxy may swallow the connection.",
        )
    return Result(check=check, finding=finding, seconds=time.monotonic() - started)
