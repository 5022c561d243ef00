"""How fast a long list comes in, and what it costs the rest: against a raw COPY of the same people.

The list goes the operator's way: uploaded to the web process, looked at and imported by the worker that does
so in production, while a page is opened again and again. Then the same people are copied by PostgreSQL's own
COPY into a table with the same columns, indexes and constraints: nothing that stores them is faster.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO

import psycopg

from benchmarks.browser import Browser
from benchmarks.figures import Figure, Report, main, percentile
from benchmarks.people import a_running_campaign
from benchmarks.processes import tree
from benchmarks.stage import Stage, connect_bare, stage
from outreach.models import Campaign, ImportBatch, ImportState

ROWS = 500_000
GOAL_PER_SECOND = 30_000.0
GOAL_SHARE = 0.2
GOAL_MEMORY_MB = 200.0
GOAL_PAGE_MS = 200.0
PATIENCE = 600.0

_HEADER = "Name,Phone,Email,Company,Time zone,Priority,Consent basis,Consent source,Years at work\n"
_COLUMNS = (
    "campaign_id, name, number, email, organisation, language, country, time_zone, zone_source, priority,"
    " consent_basis, consent_source, extra, import_batch_id, standing, standing_reason, next_call_at,"
    " attempts_made, our_faults, callbacks_unkept, voicemail_left, wish, not_called_code, not_called_reason,"
    " created_at, updated_at"
)


def measure(report: Report) -> None:
    """Upload, look, import; then copy the same people."""
    with stage() as running, tempfile.TemporaryDirectory() as place:
        campaign = a_running_campaign(calls_per_second=1, max_open_calls=1)
        Campaign.objects.filter(pk=campaign.pk).update(state="paused")
        path = Path(place) / "people.csv"
        _write_list(path)
        running.start("web", "ops")
        browser = Browser(running.ports.web)
        with _peaks(running) as peaks, _visits(browser) as visits:
            batch_id, upload = browser.upload(path, campaign.pk)
            looked = _wait(batch_id, lambda batch: batch.rows_in_file is not None)
            began = time.perf_counter()
            browser.post(f"/admin/outreach/importbatch/{batch_id}/begin/")
            _wait(batch_id, lambda batch: batch.state != ImportState.IMPORTING)
            took = time.perf_counter() - began
        batch = ImportBatch.objects.get(pk=batch_id)
        if batch.state != ImportState.IMPORTED or batch.rows_read != ROWS:
            raise RuntimeError(f"the import is {batch.state}: {batch.problem}")
        same, bare = _copied(batch)
        ours = batch.rows_read / took
        report.figures += [
            Figure(name="rows imported, the whole way", value=ours, unit="/s",
                   at_least=min(GOAL_PER_SECOND, GOAL_SHARE * same)),
            Figure(name="share of a raw COPY of the same people", value=ours / same, at_least=GOAL_SHARE),
            Figure(name="raw COPY, same columns and indexes", value=same, unit="/s"),
            Figure(name="raw COPY, a table without any index", value=bare, unit="/s"),
            Figure(name="rows looked at", value=batch.rows_read / looked, unit="/s"),
            Figure(name="upload until the list is kept", value=upload, unit="s"),
            *(Figure(name=f"most memory, {name}", value=mb, unit="MB", at_most=GOAL_MEMORY_MB)
              for name, mb in peaks.items()),
            Figure(name="page meanwhile, p95", value=percentile(visits, 0.95) * 1000, unit="ms",
                   at_most=GOAL_PAGE_MS),
        ]  # fmt: skip
        report.remarks.append(
            f"{batch.rows_created:,} people stored, {batch.rows_rejected:,} rows refused, each row of the "
            f"file kept; {len(visits)} visits."
        )


def _write_list(path: Path) -> None:
    """Write what lists are: two spellings of numbers, some twice, some wrong, a few fields empty."""
    chance = random.Random(5)
    areas = (212, 312, 415, 503, 617, 713)
    with path.open("w", encoding="utf-8") as out:
        out.write(_HEADER)
        for n in range(ROWS):
            area, local = areas[n % len(areas)], 2_000_000 + (n // len(areas)) * 7 % 7_999_999
            if n % 251 == 0:
                area, local = 212, 12
            elif n % 257 == 0:
                area, local = 415, 2_000_000
            number = f"({area}) {str(local)[:3]}-{str(local)[3:]}" if n % 3 == 0 else f"+1{area}{local}"
            email = f"person{n}@example.org" if n % 5 else ""
            out.write(
                f"Person {n} Müller,{number},{email},Acme Ltd,America/New_York,{chance.randint(1, 9)},"
                f"express,web form 2026-05-03,{n % 40}\n"
            )


def _wait(batch_id: int, ready: Callable[[ImportBatch], bool]) -> float:
    """Wait until a batch is ready; return the seconds."""
    began = time.perf_counter()
    while not ready(ImportBatch.objects.get(pk=batch_id)):
        if time.perf_counter() - began > PATIENCE:
            raise RuntimeError("the list was not done in time")
        time.sleep(0.1)
    return time.perf_counter() - began


@contextmanager
def _visits(browser: Browser) -> Iterator[list[float]]:
    """Open the list of imports five times a second; yield how long each took, in seconds."""
    taken: list[float] = []
    over = Event()

    def visit() -> None:
        browser.read("/admin/outreach/importbatch/")
        while not over.wait(0.2):
            began = time.perf_counter()
            browser.read("/admin/outreach/importbatch/")
            taken.append(time.perf_counter() - began)

    visitor = Thread(target=visit, daemon=True)
    visitor.start()
    try:
        yield taken
    finally:
        over.set()
        visitor.join()


@contextmanager
def _peaks(running: Stage) -> Iterator[dict[str, float]]:
    """Fill in, at the end, the most memory in MB that any process of each service has had resident."""
    peaks: dict[str, float] = {}
    pids = running.pids()
    try:
        yield peaks
    finally:
        for name in ("web", "ops"):
            peaks[name] = max(_most_resident(pid) for pid in tree(pids[name]))


def _most_resident(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return max((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), default=0.0)


def _copied(batch: ImportBatch) -> tuple[float, float]:
    """Copy the people of a batch twice; return rows a second with the same indexes, and with none."""
    with connect_bare() as bare, tempfile.TemporaryFile() as kept:
        with bare.cursor().copy(
            f"COPY (SELECT {_COLUMNS} FROM outreach_facilitator"  # noqa: S608  (a constant and a key)
            f" WHERE import_batch_id = {batch.pk}) TO STDOUT"
        ) as copy:
            for block in copy:
                kept.write(block)
        bare.execute("CREATE TABLE same_people (LIKE outreach_facilitator INCLUDING ALL)")
        bare.execute("CREATE TABLE bare_people AS TABLE outreach_facilitator WITH NO DATA")
        rates = [_copy(bare, kept, table) for table in ("same_people", "bare_people")]
    return batch.rows_created / rates[0], batch.rows_created / rates[1]


def _copy(bare: psycopg.Connection, kept: BinaryIO, table: str) -> float:
    kept.seek(0)
    began = time.perf_counter()
    with bare.cursor().copy(f"COPY {table} ({_COLUMNS}) FROM STDIN") as copy:
        while block := kept.read(1 << 18):
            copy.write(block)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main("imports", measure, description=__doc__))
