"""What the containers' health checks ask, put to real servers."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import redis
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from deploy import probe
from outreach.domain.contracts import WORDS_STREAM
from outreach.integrations.words import WordsStream, consumer_name

pytestmark = pytest.mark.integration


class Page(BaseHTTPRequestHandler):
    """A page behind a proxy: its own name and https, or nothing."""

    def do_GET(self) -> None:
        genuine = self.headers["Host"] == "admin.example.org" and self.headers["X-Forwarded-Proto"] == "https"
        status = {"/readyz": 200 if genuine else 400, "/moved": 301}.get(self.path, 500)
        self.send_response(status)
        self.send_header("Location", "/readyz")
        self.end_headers()
        self.wfile.write(b"ok" if status == 200 else b"Redis: no")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class TestAPage:
    def test_is_asked_as_through_the_proxy(self, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ADMIN_BASE_URL", "https://admin.example.org")
        assert probe.main(["http", f"{page}/readyz"]) == 0

    def test_is_not_well_when_it_redirects_or_fails(
        self, page: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ADMIN_BASE_URL", raising=False)
        assert probe.main(["http", f"{page}/moved"]) == 1
        assert probe.main(["http", f"{page}/broken"]) == 1
        assert probe.main(["http", "http://127.0.0.1:9/"]) == 1
        said = capsys.readouterr().err
        assert "answers 301." in said
        assert "answers 500. Redis: no" in said
        assert "does not answer" in said


class TestARecorder:
    def test_is_well_while_it_asks_for_words(
        self, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert probe.main(["recorder"]) == 1
        stream = WordsStream(url=os.environ["REDIS_URL"], consumer=consumer_name())
        stream.create_group()
        assert probe.main(["recorder"]) == 1
        valkey.xadd(WORDS_STREAM, {"word": "{}"})
        stream.read()
        stream.close()
        assert probe.main(["recorder"]) == 0
        monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
        assert probe.main(["recorder"]) == 1


@pytest.mark.django_db(transaction=True)
class TestBeat:
    def test_is_well_when_it_ticked_lately(self, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = connection.settings_dict
        address = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
        monkeypatch.setenv("DATABASE_URL", f"{address}/{settings['NAME']}")
        # A test with real commits before this one may have emptied the tables.
        every_second, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
        PeriodicTask.objects.get_or_create(
            name="A tick", defaults={"task": "outreach.dial_due", "interval": every_second}
        )
        ticks = PeriodicTask.objects.all()
        ticks.update(last_run_at=None)
        assert probe.main(["beat"]) == 1
        ticks.update(last_run_at=timezone.now() - timedelta(minutes=10))
        assert probe.main(["beat"]) == 1
        ticks.update(last_run_at=timezone.now())
        assert probe.main(["beat"]) == 0


class TestACeleryWorker:
    def test_is_not_well_when_it_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(probe, "SECONDS", 0.1)
        assert probe.main(["celery", "dial"]) == 1
