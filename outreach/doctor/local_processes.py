"""Our own processes on this machine: their versions, their clocks, and whether they are at work.

What merely does not run yet is worth a look, no failure: doctor is asked before the first start too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib import metadata
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from packaging.requirements import Requirement

from outreach.doctor.finding import Check, Finding, Surroundings, fail, ok, warn
from outreach.integrations import nonces
from outreach.integrations.addresses import Unreachable, clock_ahead, fetch
from outreach.services import capacity, clock

PYTHON = (3, 11)
#: Seconds that a signature is good for, at Twilio's, LiveKit's and our own end, either way.
SIGNATURES_LAST = 300
#: Seconds from which a clock is worth a look: calls are timed by it.
NOTICEABLE = 5
#: Beat writes its last runs to the database every three minutes.
BEAT_SILENT_AFTER = timedelta(minutes=4)
_NTP = "Switch time synchronisation on: timedatectl set-ntp true"
_START = "Start everything with make up, or the missing process by itself."
_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]*\])?==")


def versions(_about: Surroundings) -> Finding:
    """Tell whether Python and the packages are those that this code was tried with."""
    if sys.version_info[:2] != PYTHON:
        return fail(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} runs this; 3.11 is needed.",
            remedy="Make .venv anew with Python 3.11: remove it, then make up PYTHON=python3.11",
            page="https://www.python.org/downloads/",
        )
    wrong = list(_other_versions(settings.BASE_DIR / "requirements.txt"))
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return fail(
            f"Packages are not those of requirements.txt: {'; '.join(wrong[:3])}{more}.",
            remedy="Install them: pip install -r requirements.txt",
        )
    return ok(f"Python {sys.version.split()[0]} and every package of requirements.txt.")


def _other_versions(requirements: Path) -> Iterator[str]:
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if not _PINNED.match(line):
            continue
        wanted = Requirement(line.rstrip("\\ "))
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            installed = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield f"{wanted.name} is missing"
            continue
        if installed not in wanted.specifier:
            yield f"{wanted.name} is {installed}, not {str(wanted.specifier).removeprefix('==')}"


def database_clock(_about: Surroundings) -> Finding:
    """Tell whether this machine and PostgreSQL agree about the time, by PostgreSQL's own clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        ahead = (cursor.fetchone()[0] - timezone.now()).total_seconds()
    return _of_clock({"PostgreSQL": ahead})


def vendor_clocks(_about: Surroundings) -> Finding:
    """Tell whether this machine's clock agrees with Twilio's and LiveKit's."""
    livekit = settings.LIVEKIT_URL.replace("ws", "http", 1)
    ahead: dict[str, float] = {}
    for vendor, url in (("Twilio", settings.TWILIO_API_URL), ("LiveKit", livekit)):
        try:
            told = clock_ahead(url)
        except Unreachable:
            continue
        if told is not None:
            ahead[vendor] = told
    if not ahead:
        return warn("Neither Twilio nor LiveKit told its time.", remedy="See their own checks.")
    return _of_clock(ahead)


def _of_clock(ahead: dict[str, float]) -> Finding:
    vendor, worst = max(ahead.items(), key=lambda item: abs(item[1]))
    shown = f"This machine's clock is {abs(worst):.0f} s {'behind' if worst > 0 else 'ahead of'} {vendor}'s"
    if abs(worst) > SIGNATURES_LAST:
        return fail(f"{shown}: signatures are refused.", remedy=_NTP)
    if abs(worst) > NOTICEABLE:
        return warn(f"{shown}.", remedy=_NTP)
    return ok(f"The clocks of this machine and {', '.join(ahead)} agree.")


def hooks(_about: Surroundings) -> Finding:
    """Tell whether the hooks process answers on its port, and is ours."""
    nonce = nonces.new_nonce()
    try:
        seen = fetch(f"{settings.HOOKS_URL}{nonces.PATH}?ask={nonce}")
    except Unreachable:
        return warn(f"No hooks process answers at {settings.HOOKS_URL}.", remedy=_START)
    if not nonces.is_signed(nonce, seen.body):
        return fail(
            f"Something else answers at {settings.HOOKS_URL}, or it has another DJANGO_SECRET_KEY.",
            remedy="Stop what holds that port, or name another in HOOKS_URL and make up --port-hooks.",
        )
    return ok("The hooks process answers.")


def beat(_about: Surroundings) -> Finding:
    """Tell whether Celery beat ticks: without it nobody is called."""
    ran = PeriodicTask.objects.filter(enabled=True, last_run_at__isnull=False).order_by("-last_run_at")
    last = ran.values_list("last_run_at", flat=True).first()
    if last is None:
        return warn("Celery beat has not ticked yet, so nobody is called.", remedy=_START)
    age = timezone.now() - last  # beat runs on the machine's own clock, in a rehearsal too
    if age > BEAT_SILENT_AFTER:
        minutes = round(age.total_seconds() / 60)
        return warn(f"Celery beat last ticked {minutes} minutes ago, so nobody is called.", remedy=_START)
    return ok("Celery beat ticks.")


def agents(_about: Surroundings) -> Finding:
    """Tell whether an agent worker reports a place for a call."""
    workers = capacity.live_workers(clock.now())
    if not workers:
        return warn("No agent worker reports, so no call can start.", remedy=_START)
    places = sum(worker.places for worker in workers)
    return ok(f"{len(workers)} agent worker{'s' if len(workers) > 1 else ''} with {places} places report.")


CHECKS = (
    Check(name="local.versions", examine=versions),
    Check(name="local.clock", examine=database_clock, after="local.database"),
    Check(name="local.vendor_clocks", examine=vendor_clocks, seconds=25),
    Check(name="local.hooks", examine=hooks),
    Check(name="local.beat", examine=beat, after="local.migrations"),
    Check(name="local.agents", examine=agents, after="local.migrations"),
)
