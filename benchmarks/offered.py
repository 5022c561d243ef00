"""What a list page offers to press: columns to sort by, filters with their options, further pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from html.parser import HTMLParser
from urllib.parse import urlencode

#: Options tried of one filter: the first ones, and then some further down.
OPTIONS = 12


def filters(page: str) -> Iterator[str]:
    """Yield one query string per option of each filter of a list, as the form would send it."""
    found = _read(page)
    for name, options in found.options.items():
        step = max(1, len(options) // OPTIONS)
        for option in options[::step]:
            yield urlencode({name: option})
    for name in found.numbers:
        yield urlencode({name: 3})
    for name in found.days:
        yield urlencode({name: date.today() - timedelta(days=20)})  # noqa: DTZ011


def sorts(page: str) -> Iterator[str]:
    """Yield the query string of each column that the list can be sorted by, and of its days and pages."""
    for link in _read(page).links:
        yield link.removeprefix("?")


class _Read(HTMLParser):
    """Collects the links that start with "?", and the named choices of the filters' form."""

    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, None] = {}
        self.options: dict[str, list[str]] = {}
        self.numbers: list[str] = []
        self.days: list[str] = []
        self._in_filters = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._in_filters = given.get("id") == "filter-form"
        elif tag == "a" and given.get("href", "").startswith("?") and len(given["href"]) > 1:
            self.links[given["href"]] = None
        elif self._in_filters:
            self._add_choice(tag, given)

    def _add_choice(self, tag: str, given: dict[str, str]) -> None:
        if tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select and given.get("value"):
            self.options.setdefault(self._select, []).append(given["value"])
        elif tag == "input" and given.get("type") in ("radio", "checkbox") and given.get("value"):
            self.options.setdefault(given.get("name", ""), []).append(given["value"])
        elif tag == "input" and given.get("type") == "number":
            self.numbers.append(given.get("name", ""))
        elif tag == "input" and "Date" in given.get("class", ""):
            self.days.append(given.get("name", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_filters = False
        elif tag == "select":
            self._select = ""


def _read(page: str) -> _Read:
    reader = _Read()
    reader.feed(page)
    return reader
