"""What may stand in a cell of a file for spreadsheets, which run what looks like a formula."""

from __future__ import annotations

#: A cell that begins so is a formula to one spreadsheet or another, full-width signs and a tab included
#: (OWASP, "CSV Injection").
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LONGEST = 32_767
"""Characters that a spreadsheet takes in one cell."""


def safe_cell(text: str) -> str:
    """Return `text` as a cell that no spreadsheet runs: where it could, an apostrophe stands before it.

    The import of people reads a number so written.
    """
    written = f"'{text}" if text.lstrip(" ").startswith(_RUNS) else text
    return written[:_LONGEST]
