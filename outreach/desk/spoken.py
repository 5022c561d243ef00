"""Searching in what was said: every word or the start of it, in whatever language."""

from __future__ import annotations

import re

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from outreach.models import Turn

_WORDS = re.compile(r"[^\W_]+")
MOST_WORDS = 12
SHOWN = 240
"""Characters of a turn that a list shows around what was found."""


def words_of_search(typed: str) -> list[str]:
    """Return the words that somebody looks for; signs between them do not matter."""
    return _WORDS.findall(typed)[:MOST_WORDS]


def turns_with(turns: QuerySet[Turn], typed: str) -> QuerySet[Turn]:
    """Return the turns in which every word of `typed` begins a word; the index on spoken words answers."""
    words = words_of_search(typed)
    if not words:
        return turns.none()
    # Words are letters and digits only, so none of them is an operator of the query language.
    query = SearchQuery(" & ".join(f"{word}:*" for word in words), config="simple", search_type="raw")
    return turns.alias(words=SearchVector("text", config="simple")).filter(words=query)


def marked(text: str, typed: str) -> SafeString | str:
    """Return a turn's words with those that were looked for marked, cut around the first of them."""
    words = words_of_search(typed)
    if not words:
        return text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()}…"
    found = re.compile(rf"(?<![^\W_])({'|'.join(map(re.escape, words))})", re.IGNORECASE)
    text = _around(text, found.search(text))
    pieces = found.split(text)
    parts = ((format_html("<mark>{}</mark>", piece) if n % 2 else piece,) for n, piece in enumerate(pieces))
    return format_html_join("", "{}", parts)


def _around(text: str, first: re.Match[str] | None) -> str:
    if len(text) <= SHOWN:
        return text
    begin = max(0, (first.start() if first else 0) - SHOWN // 3)
    cut = text[begin : begin + SHOWN].strip()
    return f"{'…' if begin else ''}{cut}{'…' if begin + SHOWN < len(text) else ''}"
