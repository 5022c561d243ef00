"""How long the desk's pages take after a million people, three million calls and ten million turns.

One web process, one visitor, every list with each of its filters, columns and searches, the page of one
person, call, campaign and upload, the dashboard and the statistics. What is measured is the request, from the
first byte sent to the last byte read; what browsers load after it (styles, scripts) does not grow.
"""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from benchmarks import history, offered
from benchmarks.browser import Browser
from benchmarks.figures import Figure, Report, main, median, percentile
from benchmarks.stage import stage
from outreach.models import Call, Callback, Campaign, Facilitator, ImportBatch, Suppression, Turn
from outreach.services.api_tokens import make_token

SIZE = history.Size(people=1_000_000, calls=3_000_000)
GOAL_MS = 200.0
#: Worked out anew over everybody of a campaign; its page opens without it, and shows it when it comes.
COMES_LATER = "campaign: preflight"
VISITS = 3
ONES = 12
"""Persons, calls … whose pages are opened."""


@dataclass(frozen=True)
class Page:
    """One page to open, and the group it is counted with."""

    group: str
    path: str


def measure(report: Report) -> None:
    """Make the history, then visit."""
    with stage() as running:
        began = time.perf_counter()
        history.make(SIZE)
        made = time.perf_counter() - began
        running.start("web")
        browser = Browser(running.ports.web)
        browser.send_key(make_token(user=browser.user, name="benchmark")[1])
        taken = visit(browser, list(pages(browser)))
    report.figures += summed_up(taken)
    report.figures.append(Figure(name="making the history", value=made, unit="s"))
    slow = sorted(taken, key=lambda page: -median(taken[page]))[:8]
    report.remarks += [
        f"{len(taken)} pages, each opened {VISITS} times after a first that is not counted.",
        *(f"{median(taken[page]) * 1000:4.0f} ms  {page.path}" for page in slow),
    ]


def visit(browser: Browser, wanted: list[Page]) -> dict[Page, list[float]]:
    """Open each page some times, in no order that helps a cache; return the seconds each took.

    The first round is not counted: a process that has just started compiles its templates.
    """
    chance = random.Random(7)
    taken: dict[Page, list[float]] = {page: [] for page in wanted}
    for page in wanted:
        browser.read(page.path)
    for _ in range(VISITS):
        for page in chance.sample(wanted, len(wanted)):
            began = time.perf_counter()
            browser.read(page.path)
            taken[page].append(time.perf_counter() - began)
    return taken


def summed_up(taken: dict[Page, list[float]]) -> list[Figure]:
    """Return how long the pages of each group took: 95 of 100."""
    groups: dict[str, list[float]] = {}
    for page, times in taken.items():
        groups.setdefault(page.group, []).extend(times)
    return [
        Figure(
            name=f"{group}, p95",
            value=percentile(times, 0.95) * 1000,
            unit="ms",
            at_most=None if group == COMES_LATER else GOAL_MS,
        )
        for group, times in sorted(groups.items())
    ]


def pages(browser: Browser) -> Iterator[Page]:
    """Yield every page that is visited."""
    menu = browser.read(reverse("admin:index"))
    for name in sorted(set(re.findall(r'href="/admin/outreach/([a-z]+)/"', menu))):
        yield from _of_list(browser, name)
    yield from _singles()
    yield from _of_statistics()
    for name in ("calls", "facilitators", "callbacks"):
        yield Page("JSON API", f"/api/v1/{name}")


def _of_list(browser: Browser, name: str) -> Iterator[Page]:
    path = reverse(f"admin:outreach_{name}_changelist")
    page = browser.read(path)
    yield Page(f"{name}: list", path)
    for query in offered.filters(page):
        yield Page(f"{name}: filters", f"{path}?{query}")
    for query in offered.sorts(page):
        yield Page(f"{name}: columns and pages", f"{path}?{query}")
    if 'name="q"' in page:
        for term in _terms(name):
            yield Page(f"{name}: search", f"{path}?q={term}")


def _terms(name: str) -> list[str]:
    """Return what is searched for: frequent and rare words, how they begin, numbers, what is not there."""
    people = ["anna", "zoe", "b", "cedifo", "org+bace77", "person77@example.org", "nobodyhere"]
    numbers = ["(212)+000-0400", "%2B442000", "%2B34910000042", "020+0001"]
    said = ["bababa", "cedifo+bababa", str(Turn.objects.filter(seq=4).order_by("-id")[0].text[-8:]), "ba"]
    return [*people, *numbers, *(said if name == "turn" else ())]


def _singles() -> Iterator[Page]:
    opened: list[tuple[str, QuerySet[Any]]] = [
        ("campaign", Campaign.objects.order_by("pk")),
        ("facilitator", Facilitator.objects.exclude(standing="new").order_by("number")),
        ("facilitator", Facilitator.objects.order_by("-pk")),
        ("call", Call.objects.filter(n_turns__gt=0).order_by("token")),
        ("call", Call.objects.order_by("-queued_at")),
        ("callback", Callback.objects.order_by("pk")),
        ("suppression", Suppression.objects.order_by("pk")),
        ("importbatch", ImportBatch.objects.order_by("pk")),
    ]
    for name, rows in opened:
        for key in _some(rows):
            yield Page(f"{name}: page", reverse(f"admin:outreach_{name}_change", args=[key]))
            yield Page(f"{name}: history", reverse(f"admin:outreach_{name}_history", args=[key]))
    for key in _some(Campaign.objects.order_by("pk")):
        for part in ("preflight", "first_people"):
            yield Page(f"campaign: {part}", reverse(f"admin:outreach_campaign_{part}", args=[key]))
    yield Page("dashboard", reverse("admin:index"))
    yield Page("callback: agenda", reverse("admin:outreach_callback_agenda"))


def _some(rows: QuerySet[Any]) -> list[Any]:
    return list(rows.values_list("pk", flat=True)[:ONES])


def _of_statistics() -> Iterator[Page]:
    path = reverse("admin:outreach_tally_changelist")
    campaign = Campaign.objects.order_by("pk").values_list("pk", flat=True)[0]
    for query in ("", f"campaign={campaign}", "caller_id=%2B13035550101"):
        yield Page("statistics", f"{path}?{query}")


if __name__ == "__main__":
    sys.exit(main("pages", measure, description=__doc__))
