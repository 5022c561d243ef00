"""Cutting speech into pieces that the voice accepts.

Groq's Orpheus answers 400 to an input of more than 200 characters and nothing in the plugin cuts, so
every request is kept at or below `LIMIT`: at the end of a sentence, else of a clause, else of a word.
"""

from __future__ import annotations

import re

LIMIT = 190
"""Characters of one request at most: Orpheus refuses more than 200."""
SOON = 20
"""Characters after which a finished sentence is spoken without waiting for the next one."""

_SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]»”’]*\s+")
_CLAUSE = re.compile(r"(?<=[,;:–—])\s+")
_WORD = re.compile(r"\s+")


def cut(text: str, *, limit: int = LIMIT) -> list[str]:
    """Return `text` in pieces of at most `limit` characters that join back to the same words.

    Only a single word that is longer than `limit` is cut within.
    """
    pieces: list[str] = []
    rest = _WORD.sub(" ", text).strip()
    while len(rest) > limit:
        end = _last_break(rest, limit)
        pieces.append(rest[:end].strip())
        rest = rest[end:].strip()
    return [*pieces, rest] if rest else pieces


def _last_break(text: str, limit: int) -> int:
    for pattern in (_SENTENCE, _CLAUSE, _WORD):
        ends = [found.end() for found in pattern.finditer(text, 0, limit + 2) if found.start() <= limit]
        if ends:
            return ends[-1]
    return limit


class SpeechCutter:
    """Cuts a stream of text into pieces as soon as they are whole."""

    def __init__(self, *, limit: int = LIMIT, soon: int = SOON) -> None:
        self._limit = limit
        self._soon = soon
        self._held = ""

    def push(self, text: str) -> list[str]:
        """Take more text; return the pieces that are whole now."""
        self._held += text
        ends = [found.end() for found in _SENTENCE.finditer(self._held)]
        end = next((end for end in reversed(ends) if end >= self._soon), None)
        if end is None:
            return []
        ready, self._held = self._held[:end], self._held[end:]
        return cut(ready, limit=self._limit)

    def finish(self) -> list[str]:
        """Return what is left when the text is over."""
        ready, self._held = self._held, ""
        return cut(ready, limit=self._limit)
