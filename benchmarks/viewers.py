"""Words from the stream to 400 browsers on 20 talking calls, with 20 dashboards open, on one web process."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

import redis.asyncio
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from benchmarks.figures import Figure, Report, main, percentile
from benchmarks.people import a_running_campaign, add_people
from benchmarks.processes import cpu_seconds
from benchmarks.stage import connect_bare, stage
from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import WORDS_FIELD, WORDS_STREAM, PartialWord
from outreach.domain.standing import CallKind
from outreach.models import Call, Facilitator
from outreach.services import clock

CALLS = 20
VIEWERS_A_CALL = 20
DASHBOARDS = 20
#: Words a second of each call: what Alex and the person say is shown while it is spoken.
WORDS_A_SECOND = 2
SECONDS = 20
#: Browsers that open their page at the same moment.
AT_ONCE = 10
LIMIT = 8 * 1024 * 1024
#: A dashboard shows what happened four times a second, so a word may wait that long before it travels.
FRAME_MS = 250
_STAMP = re.compile(rb"said at (\d+)")


def measure(report: Report) -> None:
    """Open the pages' streams, let the calls talk, and note when each word is there."""
    with stage() as running:
        running.start("web")
        cookie = _logged_in()
        calls = _talking_calls()
        pid = running.pids()["web"]
        before = cpu_seconds(pid)
        seen, shown, readers, held = asyncio.run(_watch(running.ports.web, cookie, calls))
        used = cpu_seconds(pid) - before
    expected = CALLS * VIEWERS_A_CALL * WORDS_A_SECOND * SECONDS
    report.figures += [
        Figure(name="words that reached a browser, of all said", value=len(seen) / expected, at_least=0.999),
        Figure(name="word to browser, median", value=percentile(seen, 0.5) * 1000, unit="ms"),
        Figure(
            name="word to browser, 99 of 100", value=percentile(seen, 0.99) * 1000, unit="ms", at_most=150
        ),
        Figure(
            name="word to dashboard, 99 of 100",
            value=percentile(shown, 0.99) * 1000,
            unit="ms",
            at_most=FRAME_MS + 150,
        ),
        Figure(name="readers of the stream in the process", value=readers, at_least=1, at_most=1),
        Figure(name="database connections that are not idle", value=held, at_most=1),
        Figure(name="processor time of the process", value=used, unit="s"),
    ]
    report.remarks.append(
        f"{CALLS * VIEWERS_A_CALL} viewers on {CALLS} calls, {DASHBOARDS} dashboards; each call says "
        f"{WORDS_A_SECOND} words a second for {SECONDS} s. The browsers ran on the same cores."
    )


def _logged_in() -> str:
    user = get_user_model().objects.create_superuser("viewer")
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _talking_calls() -> list[UUID]:
    campaign = a_running_campaign(calls_per_second=100, max_open_calls=1_000)
    add_people(campaign, first=1, last=CALLS)
    now = clock.now()
    calls = [
        Call(
            facilitator=person,
            campaign=campaign,
            script_id=campaign.script_id,
            number=person.number,
            caller_id=campaign.caller_ids[0],
            kind=CallKind.FIRST.value,
            status=CallStatus.IN_PROGRESS.value,
            stage="pitch",
            **dict.fromkeys(("queued_at", "dialing_at", "placed_at", "answered_at"), now),
        )
        for person in Facilitator.objects.filter(campaign=campaign)
    ]
    Call.objects.bulk_create(calls)
    Facilitator.objects.filter(campaign=campaign).update(standing="in_call", next_call_at=None)
    return [call.pk for call in calls]


async def _watch(port: int, cookie: str, calls: Sequence[UUID]) -> tuple[list[float], list[float], int, int]:
    """Return each word's way to a browser and to a dashboard, in seconds; readers; connections in use."""
    seen: list[float] = []
    shown: list[float] = []
    gate = asyncio.Semaphore(AT_ONCE)
    opened = asyncio.Semaphore(0)
    pages = [reverse("live-call", args=[call]) for call in calls for _ in range(VIEWERS_A_CALL)]
    browsers = [_browse(port, cookie, page, gate, opened, seen) for page in pages]
    boards = [
        _browse(port, cookie, reverse("live-dashboard"), gate, opened, shown) for _ in range(DASHBOARDS)
    ]
    tasks = [asyncio.create_task(one) for one in (*browsers, *boards)]
    for _ in tasks:
        await opened.acquire()
    await asyncio.sleep(2)
    stream = redis.asyncio.Redis.from_url(settings.REDIS_URL)
    talking = asyncio.create_task(_talk(stream, calls))
    await asyncio.sleep(SECONDS / 2)
    readers = sum(1 for one in await stream.client_list() if one["cmd"] == "xread")
    held = await asyncio.to_thread(_connections_in_use)
    await talking
    await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await stream.aclose()
    return seen, shown, readers, held


async def _browse(
    port: int, cookie: str, page: str, gate: asyncio.Semaphore, opened: asyncio.Semaphore, ways: list[float]
) -> None:
    """Be a browser with one stream open: note how old each word is when its bytes are here."""
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
        host = urlsplit(f"http://127.0.0.1:{port}").netloc
        writer.write(
            f"GET {page} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n"
            f"Cookie: {settings.SESSION_COOKIE_NAME}={cookie}\r\n\r\n".encode()
        )
        status = await reader.readline()
        if b"200" not in status:
            raise RuntimeError(f"{page} was answered with {status!r}")
        while await reader.readline() not in (b"\r\n", b""):
            pass
        opened.release()
    known: set[bytes] = set()
    with suppress(asyncio.CancelledError):
        while line := await reader.readline():
            now = time.monotonic_ns()
            for stamp in set(_STAMP.findall(line)) - known:
                known.add(stamp)
                ways.append((now - int(stamp)) / 1e9)
    writer.close()


async def _talk(stream: redis.asyncio.Redis, calls: Sequence[UUID]) -> None:
    """Let every call say its words, spread over each second, as Alex puts them into the stream."""
    pause = 1 / (WORDS_A_SECOND * len(calls))
    began = time.monotonic()
    for n in range(SECONDS * WORDS_A_SECOND * len(calls)):
        await asyncio.sleep(max(0.0, began + n * pause - time.monotonic()))
        word = PartialWord(
            call_id=calls[n % len(calls)],
            at=datetime.now(UTC),
            speaker="alex",
            text=f"said at {time.monotonic_ns()}",
        )
        await stream.xadd(WORDS_STREAM, {WORDS_FIELD: word.model_dump_json()})


def _connections_in_use() -> int:
    """Return the most connections that a statement or a transaction was seen on in a second, but this one."""
    most = 0
    with connect_bare() as bare:
        for _ in range(20):
            row = bare.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            ).fetchone()
            most = max(most, int(row[0]) if row else 0)
            time.sleep(0.05)
    return most


if __name__ == "__main__":
    sys.exit(main("viewers", measure, description=__doc__))
