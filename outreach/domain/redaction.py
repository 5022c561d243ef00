"""Taking a person out of what was said: names, numbers, addresses and what a list knew of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

FIRST_NAME = "Robin"
LAST_NAME = "Example"
ORGANISATION = "Example School"
NUMBER = "+12025550123"
EMAIL = "robin@example.org"
SPOKEN_EMAIL = "robin at example dot org"
SPOKEN_NUMBER = "two zero two five five five zero one two three"
ADDRESS = "https://example.org"


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Names and names of schools that are words, too: replaced only where they are written with a capital.
_ALSO_WORDS = _set_of(
    "angel art bill bright brown bush chase christian chuck day dean dawn drew faith forest frank gay good"
    " grace grant gray green guy hall heart hope hunter iris ivy jack jay joy june king lane learning lily"
    " long love major mark max may more morning new north pat rain ray rich rob rose sky short small smart"
    " south summer sun trust van violet wade west white will win wood wise young"
)
#: Words of an organisation that name its kind, not itself.
_KINDS = _set_of(
    "academy agency and association center centre charity city club coaching college community company"
    " consulting council de der des die for foundation gmbh group house inc institute international llc ltd"
    " network of organisation organization primary school schule services society studio team the training"
    " union university workshop workshops"
)
#: Values in a list that say nothing of anybody.
_ANSWERS = _set_of("yes no none true false unknown other n/a maybe high normal low")
_DIGITS = "zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple"
_SHORTEST_VALUE = 3

_ACCENTS = "[\u0300-\u036f]*"
_EMAILS = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_SPOKEN_EMAILS = re.compile(
    r"\b[\w-]+(?: (?:dot|underscore|dash) [\w-]+)* at [\w-]+(?: dot [\w-]+)+", re.IGNORECASE
)
_ADDRESSES = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_PHONES = re.compile(r"(?<![\w])\+?\(?\d(?:[\s().\-–/]*\d){6,14}(?!\w)")
_SPOKEN_PHONES = re.compile(rf"\b(?:{_DIGITS})(?:[\s,-]+(?:{_DIGITS})){{5,}}\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What we know of a person that must not be left in a text."""

    name: str
    number: str = ""
    email: str = ""
    organisation: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)


class Redaction:
    """Replaces what identifies one person; the same thing always by the same placeholder.

    Who else is named in the text is not known, so somebody has to read what comes out.
    """

    def __init__(self, identity: Identity) -> None:
        self._rules: list[tuple[re.Pattern[str], str]] = [
            (_EMAILS, EMAIL),
            (_SPOKEN_EMAILS, SPOKEN_EMAIL),
            (_ADDRESSES, ADDRESS),
            *_values(identity.extra),
            *_names(identity.name),
            *_organisation(identity.organisation),
            *_mailbox(identity.email),
            *_number(identity.number),
            (_PHONES, NUMBER),
            (_SPOKEN_PHONES, SPOKEN_NUMBER),
        ]
        self.replaced = 0
        """How many places were replaced so far."""

    def of(self, text: str) -> str:
        """Return `text` without the person."""
        text = unicodedata.normalize("NFD", text)
        for pattern, placeholder in self._rules:
            text, n = pattern.subn(placeholder, text)
            self.replaced += n
        return unicodedata.normalize("NFC", text)


def _values(extra: Mapping[str, object]) -> list[tuple[re.Pattern[str], str]]:
    rules = []
    for key, value in extra.items():
        text = str(value).strip()
        if len(text) >= _SHORTEST_VALUE and text.lower() not in _ANSWERS:
            rules.append((_words(text), f"[{re.sub(r'[^a-z0-9]+', ' ', key.lower()).strip() or 'value'}]"))
    # The longest first: a value may be a part of another.
    return sorted(rules, key=lambda rule: -len(rule[0].pattern))


def _organisation(organisation: str) -> list[tuple[re.Pattern[str], str]]:
    whole = organisation.strip()
    if not whole:
        return []
    rules = [(_words(whole), ORGANISATION)]
    for part in re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", whole)):
        if len(part) >= _SHORTEST_VALUE and part.lower() not in _KINDS:
            rules.append((_words(part, capital=part.lower() in _ALSO_WORDS), ORGANISATION.split()[0]))
    return rules


def _names(name: str) -> list[tuple[re.Pattern[str], str]]:
    parts = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", name))
    if not parts:
        return []
    rules = [(_words(" ".join(parts)), f"{FIRST_NAME} {LAST_NAME}")] if len(parts) > 1 else []
    for at, part in enumerate(parts):
        if len(part) > 1 and part.lower() not in _KINDS:
            capital = len(part) == 2 or part.lower() in _ALSO_WORDS
            rules.append((_words(part, capital=capital), FIRST_NAME if at == 0 else LAST_NAME))
    return rules


def _mailbox(email: str) -> list[tuple[re.Pattern[str], str]]:
    mailbox = email.partition("@")[0]
    return [(_words(mailbox), EMAIL.partition("@")[0])] if len(mailbox) >= _SHORTEST_VALUE else []


def _number(number: str) -> list[tuple[re.Pattern[str], str]]:
    """Match the end of the number too, by which people name it: "the one that ends in 0123"."""
    digits = re.sub(r"\D", "", number)
    if len(digits) < 7:
        return []
    spaced = r"[\s().\-–/]*".join
    return [
        (re.compile(rf"\+?{spaced(digits)}"), NUMBER),
        (re.compile(rf"(?<!\d){spaced(digits[-7:])}(?!\d)"), NUMBER[-7:]),
        (re.compile(rf"(?<!\d){spaced(digits[-4:])}(?!\d)"), NUMBER[-4:]),
    ]


def _words(text: str, *, capital: bool = False) -> re.Pattern[str]:
    """Return what finds `text` as whole words, with or without its accents, however it is spaced.

    :param capital: whether only where it starts with a capital letter.
    """
    wanted = text[:1].upper() + text[1:] if capital else text
    escaped = r"[\s,.'’-]+".join(_letters(word) for word in re.split(r"[\s,.'’-]+", wanted) if word)
    return re.compile(rf"(?<!\w){escaped}(?!\w)", re.NOFLAG if capital else re.IGNORECASE)


def _letters(word: str) -> str:
    """Return a pattern for a word in decomposed text, whether or not either of them has its accents."""
    plain = [letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter)]
    return "".join(f"{re.escape(letter)}{_ACCENTS}" for letter in plain)
