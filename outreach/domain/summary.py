"""What a model says of a conversation, believed only as far as the conversation itself shows it.

A value counts when the words that are quoted for it were spoken by the person in the turn that it names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from outreach.domain.disposition import AnsweredBy

#: Whom nobody converses with: there is nothing to sum up.
NO_CONVERSATION = frozenset({AnsweredBy.VOICEMAIL, AnsweredBy.IVR, AnsweredBy.UNAVAILABLE})
TEXT_LIMIT = 1200
VALUE_LIMIT = 300
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_OFTEN = {"once": 1, "twice": 2, "dozen": 12}
_NUMBERS: Mapping[str, int] = (
    {word: number for number, word in enumerate(_SMALL)}
    | {word: 10 * number for number, word in enumerate(_TENS, start=2)}
    | _OFTEN
)
_TIMES: Mapping[str, int] = {"hundred": 100, "thousand": 1000}
#: Words that mean a number only now and then ("the one", "at once"): no claim in a value.
_NO_CLAIM = frozenset({"one", "once"})


@dataclass(frozen=True, kw_only=True)
class AskedField:
    """One thing that a campaign wants to know from each conversation."""

    name: str
    question: str


@dataclass(frozen=True, kw_only=True)
class SpokenTurn:
    """One turn of the conversation."""

    seq: int
    speaker: str
    """"alex" or "person"."""
    text: str


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ProposedField(_Answer):
    """A value as the model proposes it, with the turn and the words that are to show it."""

    name: str
    value: str
    turn: int
    quote: str


class ProposedSummary(_Answer):
    """The model's whole answer."""

    summary: str
    fields: list[ProposedField] = []


@dataclass(frozen=True, kw_only=True)
class ShownField:
    """A value that the conversation shows, and the turn that shows it."""

    name: str
    value: str
    turn_seq: int


@dataclass(frozen=True, kw_only=True)
class CheckedSummary:
    """What is kept of a model's answer."""

    text: str
    fields: tuple[ShownField, ...]
    dropped: int
    """Values that no turn shows."""


def check_summary(
    proposed: ProposedSummary, *, turns: Sequence[SpokenTurn], asked: Sequence[AskedField]
) -> CheckedSummary:
    """Return the summary with those values that the conversation shows, in the order they were asked for.

    Of several values for one name the first that is shown is kept; values without content are no answers.
    """
    by_seq = {turn.seq: turn for turn in turns}
    names = [field.name for field in asked]
    shown: dict[str, ShownField] = {}
    dropped = 0
    for field in proposed.fields:
        value = _cleaned(field.value)[:VALUE_LIMIT]
        if not value or field.name in shown:
            continue
        if field.name in names and is_shown(field, by_seq.get(field.turn)):
            shown[field.name] = ShownField(name=field.name, value=value, turn_seq=field.turn)
        else:
            dropped += 1
    return CheckedSummary(
        text=_cleaned(proposed.summary)[:TEXT_LIMIT],
        fields=tuple(shown[name] for name in names if name in shown),
        dropped=dropped,
    )


def is_shown(field: ProposedField, turn: SpokenTurn | None) -> bool:
    """Tell whether `turn` shows the value: the person spoke the quoted words in it, numbers included."""
    if turn is None or turn.speaker != "person":
        return False
    quote = _words(field.quote)
    if not quote or f" {' '.join(quote)} " not in f" {' '.join(_words(turn.text))} ":
        return False
    return _numbers([word for word in _words(field.value) if word not in _NO_CLAIM]) <= _numbers(quote)


def _words(text: str) -> list[str]:
    """Return the words without case, punctuation and apostrophes, which transcribers set as they like."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.findall(r"\w+", re.sub(r"['’]", "", plain))


def _numbers(words: Sequence[str]) -> set[int]:
    """Return every number in the words: in digits, in words, and in two words ("twenty five")."""
    found: set[int] = set()
    last = 0
    for word in words:
        found |= {int(digits) for digits in re.findall(r"[0-9]+", word)}
        number = _NUMBERS.get(word, 0)
        if word in _TIMES:
            number = (last or 1) * _TIMES[word]
        elif last and last % 10 == 0 and 0 < number < min(last, 10):
            found.add(number)
            number += last
        if word in _NUMBERS or word in _TIMES:
            found.add(number)
        last = number
    return found


def _cleaned(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
