"""Searching in what was said: every word or the start of it, in whatever language."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import connection
from django.db.models import QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from outreach.models import Turn

_WORDS = re.compile(r"[^\W_]+")
MOST_WORDS = 12
MOST = 1_000
"""Turns that a search finds at most."""
FREQUENT = 50_000
"""Turns from which on the words are looked for in the newest `NEWEST` turns only: 0.1 s of reading each."""
NEWEST = 10_000
SHOWN = 240
"""Characters of a turn that a list shows around what was found."""


def words_of_search(typed: str) -> list[str]:
    """Return the words that somebody looks for; signs between them do not matter."""
    return _WORDS.findall(typed)[:MOST_WORDS]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The newest turns that a search finds."""

    turns: QuerySet[Turn]
    of_newest: bool
    """Whether only the newest turns were looked through: the words are said too often for more."""


def turns_with(turns: QuerySet[Turn], typed: str) -> Found:
    """Return the turns in which every word of `typed` begins a word, the newest `MOST` of them.

    The index on spoken words finds rare ones, wherever they are. It knows no order: what is said all the time
    is found by reading the newest turns. By one `ORDER BY … LIMIT` PostgreSQL would read ten million turns
    back to the last rare one.
    """
    words = words_of_search(typed)
    if not words:
        return Found(turns=turns.none(), of_newest=False)
    # Words are letters and digits only, so none of them is an operator of the query language.
    query = " & ".join(f"{word}:*" for word in words)
    wanted = SearchQuery(query, config="simple", search_type="raw")
    matching = turns.alias(words=SearchVector("text", config="simple")).filter(words=wanted).order_by()
    of_newest = _rows_expected(matching) > FREQUENT
    keys = _keys_among_newest(turns, query) if of_newest else _newest_keys(matching)
    return Found(turns=turns.filter(pk__in=keys), of_newest=of_newest)


def _rows_expected(rows: QuerySet[Turn]) -> int:
    """Return how many rows PostgreSQL expects, from its statistics of the words; nothing is read."""
    plan: list[dict[str, Any]] = json.loads(rows.values("pk").explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


# In both the inner query is Django's own, and its parameters are passed on.


def _newest_keys(rows: QuerySet[Turn]) -> list[int]:
    """Return the keys of the newest `MOST` rows, all of which are found before they are put in order."""
    inner, params = rows.values("pk").query.sql_with_params()
    wanted = f"SELECT id FROM found ORDER BY id DESC LIMIT {MOST}"  # noqa: S608
    return _keys(f"WITH found (id) AS MATERIALIZED ({inner}) {wanted}", params)


def _keys_among_newest(turns: QuerySet[Turn], query: str) -> list[int]:
    """Return the keys of those of the newest `NEWEST` turns that match, read in that order up to `MOST`."""
    inner, params = turns.order_by("-pk").values("pk", "text")[:NEWEST].query.sql_with_params()
    wanted = (
        f"SELECT id FROM newest WHERE to_tsvector('simple', text) @@ to_tsquery('simple', %s) LIMIT {MOST}"  # noqa: S608
    )
    return _keys(f"WITH newest (id, text) AS MATERIALIZED ({inner}) {wanted}", (*params, query))


def _keys(sql: str, params: Sequence[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [key for (key,) in cursor.fetchall()]


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
