"""The desk as its operators meet it: the real web process, and Debian's Chromium that watches itself.

Everything that a browser does wrong is written down as it happens: what the console complains of, and who
else is asked for something. A test ends by looking at both.
"""

from __future__ import annotations

import importlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django import Settings

from outreach.management.supervisor import programs
from outreach.management.supervisor.child import Child
from outreach.management.supervisor.ports import free_ports
from outreach.models import DialingControl
from tests.factories import TUESDAY_MORNING, set_clock

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
PASSWORD = "a-password-of-tests"
READY_WITHIN = 30.0
WAITS = 10_000
"""Milliseconds that a page may take to show what is looked for."""
GRAVE = ("serious", "critical")


@dataclass(kw_only=True)
class Desk:
    """A browser in front of the running desk, and what went wrong in it."""

    address: str
    browser: Browser = field(repr=False)
    complaints: list[str] = field(default_factory=list)
    """What was written to a console as an error, and errors that nobody caught."""
    strangers: list[str] = field(default_factory=list)
    """Addresses outside this machine that a page asked for something."""

    def log_in(self, username: str, *, group: str) -> Page:
        """Return the dashboard of a new member of a group, who has typed name and password."""
        somebody = User.objects.create_user(username, password=PASSWORD, is_staff=True)
        somebody.groups.add(Group.objects.get(name=group))
        context = self.browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(WAITS)
        page = context.new_page()
        page.on("console", lambda said: self._hear(said.type, f"{page.url}: {said.text}"))
        page.on("pageerror", lambda error: self._hear("error", f"{page.url}: {error}"))
        context.on("request", lambda request: self._see(request.url))
        page.goto(f"{self.address}/admin/login/")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.click("[type=submit]")
        page.wait_for_selector("[data-board]")
        return page

    def _hear(self, kind: str, said: str) -> None:
        if kind == "error":
            self.complaints.append(said)

    def _see(self, url: str) -> None:
        asked = urlsplit(url)
        if asked.scheme in ("http", "https", "ws", "wss") and asked.hostname != "127.0.0.1":
            self.strangers.append(url)


def barriers(page: Page, *, dark: bool = False) -> list[str]:
    """Return what keeps somebody from using a page, in axe-core's words: the serious and the critical."""
    page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", dark)
    page.evaluate("Promise.allSettled(document.getAnimations().map(one => one.finished))")
    found = Axe().run(page).response["violations"]
    theme = "dark" if dark else "light"
    return [
        f"{urlsplit(page.url).path} ({theme}): {violation['id']}: {node['html'][:200]}"
        for violation in found
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return where Chromium is, or skip: no test downloads a browser."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("There is no Chromium on this machine. On Debian: apt install chromium")
    return found


@pytest.fixture
def desk(
    chromium: str,
    transactional_db: None,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    """Serve the desk's pages on a Tuesday morning in New York, and open a browser."""
    # Playwright's blocking calls keep an event loop in this thread, which never runs beside the database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settings.IMPORTS_DIR = tmp_path / "imports"
    _make_what_migrations_make()
    ports = free_ports()
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "web.log").open("wb"))
        pages = programs.product(environment=_environment(tmp_path), ports=ports)
        web = next(service for service in pages if service.name == "web")
        child = Child(web.program, output=log)
        stack.callback(_take_the_clock_away)
        stack.callback(child.close)
        stack.callback(child.stop)
        stack.callback(child.kill)
        playwright = stack.enter_context(sync_playwright())
        stack.callback(connection.close)  # the loop has one of its own, in which the test asks
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        stack.callback(browser.close)
        _wait_for(web.ready or (lambda: True), tmp_path / "web.log")
        yield Desk(address=f"http://127.0.0.1:{ports.web}", browser=browser)


def _environment(place: Path) -> dict[str, str]:
    """Return the environment of the web process: this test's database, and its directory for uploads."""
    address = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"{address}/{connection.settings_dict['NAME']}",
        "IMPORTS_DIR": str(place / "imports"),
    }


def _make_what_migrations_make() -> None:
    """Make the rows that a test with real commits, before this one, may have wiped."""
    DialingControl.objects.get_or_create(pk=1)
    set_clock(TUESDAY_MORNING)
    groups = importlib.import_module("outreach.migrations.0013_groups").GROUPS
    ids = {
        f"{app}.{codename}": pk
        for app, codename, pk in Permission.objects.values_list("content_type__app_label", "codename", "pk")
    }
    for name, rights in groups.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set([ids[right] for right in rights])


def _take_the_clock_away() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM outreach_clock")


def _wait_for(true: Callable[[], bool], log: Path) -> None:
    """Return once the web process answers; fail with the end of its log."""
    deadline = time.monotonic() + READY_WITHIN
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"The web process did not answer in time.\n{log.read_text()[-1500:]}")
        time.sleep(0.05)
