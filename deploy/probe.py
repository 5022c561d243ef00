"""One process's health, asked from beside it: `probe.py http URL | celery NODE | recorder | beat`.

What a container's health check runs, so it is quick: no Django, one question, exit code 0 or 1.
"""

from __future__ import annotations

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

SECONDS = 5.0
#: A recorder asks for words every second; a batch that a slow database takes may last a minute.
RECORDER_SILENT_AFTER_MS = 90_000
#: Beat writes its last runs every three minutes.
BEAT_SILENT_AFTER_SECONDS = 300
_STREAM, _GROUP = "outreach:words", "recorder"
_LAST_TICK = "SELECT extract(epoch FROM now() - max(last_run_at)) FROM django_celery_beat_periodictask"


class NotWell(Exception):
    """The process does not do its work; the sentence says what was seen."""


class _AsItIs(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for an answer: the address it names may be somebody else's."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


def http(address: str) -> None:
    """Ask an address of this container, as a request that came through the proxy.

    :raises NotWell: when the answer is anything but 200.
    """
    request = urllib.request.Request(address, headers=_as_through_the_proxy())  # noqa: S310  (our own address)
    try:
        with urllib.request.build_opener(_AsItIs).open(request, timeout=SECONDS) as answer:
            status, said = answer.status, ""
    except urllib.error.HTTPError as refusal:
        with refusal:
            status, said = refusal.code, refusal.read(2000).decode(errors="replace")
    except OSError as problem:
        raise NotWell(f"{address} does not answer: {problem}") from problem
    if status != 200:
        raise NotWell(f"{address} answers {status}. {said.strip()}")


def _as_through_the_proxy() -> dict[str, str]:
    """Return the headers under which the pages answer: the admin's own name, and https if it has it."""
    admin = urlsplit(os.environ.get("ADMIN_BASE_URL", ""))
    headers = {"Accept": "text/plain"}
    if admin.hostname:
        headers |= {"Host": admin.hostname, "X-Forwarded-Proto": admin.scheme}
    return headers


def celery(node: str) -> None:
    """Ask the Celery worker of this container, over the broker, whether it listens.

    :raises NotWell: when it does not answer.
    """
    from celery import Celery

    with Celery(broker=os.environ["REDIS_URL"]) as app:
        name = f"{node}@{socket.gethostname()}"
        if not app.control.ping(destination=[name], timeout=SECONDS):
            raise NotWell(f"{name} does not answer.")


def recorder() -> None:
    """Look up when the recorder of this container last asked the stream for words.

    :raises NotWell: when that is too long ago, or never was.
    """
    import redis

    with redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=SECONDS) as client:
        try:
            found: Any = client.xinfo_consumers(_STREAM, _GROUP)
        except redis.ResponseError as problem:
            raise NotWell(f"There is no stream of words: {problem}") from problem
    ours = [c["idle"] for c in found if c["name"].decode().rpartition("-")[0] == socket.gethostname()]
    if min(ours, default=RECORDER_SILENT_AFTER_MS) >= RECORDER_SILENT_AFTER_MS:
        raise NotWell("The recorder has not asked for words lately.")


def beat() -> None:
    """Look up when beat last ticked.

    :raises NotWell: when that is too long ago.
    """
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=int(SECONDS)) as connection:
        found = connection.execute(_LAST_TICK).fetchone()
    if found is None or found[0] is None or found[0] > BEAT_SILENT_AFTER_SECONDS:
        raise NotWell("Beat has not ticked lately.")


QUESTIONS: dict[str, Callable[..., None]] = {
    "http": http,
    "celery": celery,
    "recorder": recorder,
    "beat": beat,
}


def main(arguments: Sequence[str]) -> int:
    """Ask what `arguments` say; return 0 when all is well."""
    question, *about = arguments
    try:
        QUESTIONS[question](*about)
    except NotWell as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
