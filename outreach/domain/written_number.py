"""What people write into a phone number's cell, and what of it cannot be dialled as it stands.

Spreadsheets and people mangle numbers in a few known ways. Each is told apart here, so that the sentence says
what to do; nothing is guessed that would ring somebody else.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum


class NumberFault(StrEnum):
    """What is wrong with a number as written."""

    MISSING = "missing"
    SCIENTIFIC = "scientific"
    TWO_NUMBERS = "two_numbers"
    EXTENSION = "extension"
    LETTERS = "letters"
    NO_COUNTRY = "no_country"
    SHORT = "short"
    IMPOSSIBLE = "impossible"
    INVALID = "invalid"
    PREMIUM = "premium"


WHAT_TO_DO: dict[NumberFault, str] = {
    NumberFault.MISSING: "There is no number: fill it in.",
    NumberFault.SCIENTIFIC: "A spreadsheet rounded this number: format the column as text, paste it again.",
    NumberFault.TWO_NUMBERS: "There are two numbers in one cell: keep one.",
    NumberFault.EXTENSION: "This number has an extension, which cannot be dialled: give a direct number.",
    NumberFault.LETTERS: "This is not a number: write digits only, e.g. +14155550100.",
    NumberFault.NO_COUNTRY: "The country is unknown: write the number with + and its country code.",
    NumberFault.SHORT: "Emergency and short numbers are never called: give a full number.",
    NumberFault.IMPOSSIBLE: "No number of that country is this long: check for missing or extra digits.",
    NumberFault.INVALID: "No such number exists in that country: check its digits.",
    NumberFault.PREMIUM: "Premium-rate and shared-cost numbers are never called: give an ordinary number.",
}


class InvalidNumber(ValueError):
    """The number cannot be called; `code` says why, the sentence says what to do."""

    def __init__(self, code: NumberFault) -> None:
        """Take the sentence that belongs to the code; the number itself stays out of it and out of logs."""
        super().__init__(WHAT_TO_DO[code])
        self.code = code


#: Fewest digits of something that is a number by itself, not an extension or a part of one.
_WHOLE = 7
_PLAIN = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SPREADSHEET_TEXT = re.compile(r'=?\s*"(.*)"|[\'’`´](.*)', re.DOTALL)
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?\s*e\s*\+?\d+", re.IGNORECASE)
_SAVED_AS_FLOAT = re.compile(r"(\+?\d{7,15})[.,]0")
_EXTENSION = re.compile(
    r"(?:;\s*ext\s*=|(?<![a-z])(?:ext(?:n|ension)?|extensi[oó]n|poste|anexo|ramal|durchwahl|dw)\.?:?|x|#)\s*\d+\W*$",
    re.IGNORECASE,
)
_BETWEEN_NUMBERS = re.compile(r"[/,;|&\n\r]+|\b(?:or|and|oder|und|ou|et|o|y|e)\b", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[\s()\[\].\-‐‑‒–—―−·/_~]+")


def dialable(raw: str) -> str:
    """Return digits with an optional leading + from a cell.

    :raises InvalidNumber: when the cell holds no number, more than one, or something beside it.
    """
    if _PLAIN.fullmatch(raw):
        return raw
    text = _unwrapped(raw)
    if not _digits(text):
        raise InvalidNumber(NumberFault.MISSING)
    if _SCIENTIFIC.fullmatch(text):
        raise InvalidNumber(NumberFault.SCIENTIFIC)
    saved_as_float = _SAVED_AS_FLOAT.fullmatch(text)
    if saved_as_float:
        return saved_as_float[1]
    _refuse_two(text)
    if _EXTENSION.search(text) and _digits(text) >= _WHOLE:
        raise InvalidNumber(NumberFault.EXTENSION)
    number = _PUNCTUATION.sub("", text)
    if not re.fullmatch(r"\+?[0-9]+", number):
        raise InvalidNumber(NumberFault.LETTERS)
    return number


def _unwrapped(raw: str) -> str:
    """Undo what spreadsheets and copying wrap around a number; digits of every script become 0–9."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", raw)).strip()
    quoted = _SPREADSHEET_TEXT.fullmatch(text)
    if quoted:
        text = (quoted[1] if quoted[1] is not None else quoted[2]).strip()
    if text[:4].lower() == "tel:":
        text = text[4:].strip()
    return "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in text)


def _refuse_two(text: str) -> None:
    """Tell two numbers from one number with separators or an extension in it.

    "030/2312 5000" is one number: neither part is whole. "4155550100,12" is one with an extension.
    """
    parts = [_digits(part) for part in _BETWEEN_NUMBERS.split(text)]
    whole = [count for count in parts if count >= _WHOLE]
    if len(whole) > 1 or _digits(text[: max(0, text.rfind("+"))]) >= _WHOLE:
        raise InvalidNumber(NumberFault.TWO_NUMBERS)
    if whole and parts[0] >= _WHOLE and any(parts[1:]):
        # "…100/01" is a habit for a second line; a comma or semicolon is a pause before an extension.
        fault = NumberFault.EXTENSION if re.search(r"\d\s*[,;]", text) else NumberFault.TWO_NUMBERS
        raise InvalidNumber(fault)
    if _digits(text) > 17 and re.search(r"\d\s+\d", text) is not None:
        raise InvalidNumber(NumberFault.TWO_NUMBERS)


def _digits(text: str) -> int:
    return sum(char.isdigit() for char in text)
