"""What one cell of a list means: text cleaned, words turned into our values, or a sentence saying why not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from outreach.domain.csv_headers import header_key
from outreach.domain.defaults import PRIORITY_WORDS
from outreach.domain.zones import UnknownZone, canonical_zone, is_country

#: Joiners that Persian and the Indic scripts write words with; every other invisible sign is dropped.
_JOINERS = frozenset("\u200c\u200d")
_EMAIL = re.compile(r"[^@\s,;:<>()\[\]\"\\]+@[^@\s,;:<>()\[\]\"\\]+\.[^@\s.,;:<>]{2,}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,4})?")
#: ="0415 555 0100": how a spreadsheet is told to leave digits alone.
_TEXT_FORMULA = re.compile(r'="([^"]*)"')

_LANGUAGES: dict[str, str] = {
    "ar": "arabic, العربية", "cs": "czech, čeština", "da": "danish, dansk", "de": "german, deutsch",
    "el": "greek, ελληνικά", "en": "english, inglés, anglais, englisch, inglese", "fi": "finnish, suomi",
    "es": "spanish, español, castellano, espagnol", "fr": "french, français, französisch, francés",
    "hi": "hindi, हिन्दी", "it": "italian, italiano", "ja": "japanese, 日本語", "ko": "korean, 한국어",
    "nl": "dutch, nederlands", "no": "norwegian, norsk",
    "pl": "polish, polski",
    "pt": "portuguese, português", "ro": "romanian, română", "ru": "russian, русский",
    "sv": "swedish, svenska", "tr": "turkish, türkçe", "uk": "ukrainian, українська",
    "zh": "chinese, mandarin, 中文",
}  # fmt: skip
_COUNTRIES: dict[str, str] = {
    "AR": "argentina", "AT": "austria, österreich", "AU": "australia", "BE": "belgium, belgique, belgië",
    "BR": "brazil, brasil", "CA": "canada", "CH": "switzerland, schweiz, suisse", "CL": "chile",
    "CO": "colombia", "DE": "germany, deutschland, allemagne", "DK": "denmark, danmark",
    "ES": "spain, españa", "FI": "finland, suomi", "FR": "france, frankreich, francia",
    "GB": "uk, united kingdom, great britain, england, scotland, wales", "IE": "ireland", "IN": "india",
    "IT": "italy, italia", "JP": "japan", "MX": "mexico, méxico", "NO": "norway, norge",
    "NL": "netherlands, the netherlands, nederland, holland", "NZ": "new zealand", "PL": "poland, polska",
    "PT": "portugal", "SE": "sweden, sverige", "UA": "ukraine", "ZA": "south africa",
    "US": "usa, united states, united states of america, u.s., u.s.a., estados unidos",
}  # fmt: skip
#: The consent bases of `models.ConsentBasis`, by each spelling that says exactly that; "yes" says none.
_CONSENT: dict[str, str] = {
    "express_written": "express written consent, written consent, written",
    "express": "express consent",
    "inquiry": "they asked us, enquiry",
    "relationship": "existing relationship, customer, member",
}
CONSENT_BASES = tuple(_CONSENT)
_NO_CONSENT = frozenset(
    {"no", "none", "false", "0", "n", "nein", "non", "nej", "nee", "não", "nao", "withdrawn", "revoked"}
)


class UnreadableCell(ValueError):
    """The cell does not say what its column is for; the sentence says what does."""

    def __init__(self, sentence: str, *, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


def clean(cell: str) -> str:
    """Return the cell on one line without control and invisible characters."""
    text = cell.strip()
    if text.isprintable():
        return text
    return " ".join("".join(map(_visible, text)).split())


def _visible(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    return "" if unicodedata.category(char) == "Cf" else " "


def unescape(cell: str) -> str:
    """Undo what keeps a spreadsheet from computing: an apostrophe before + = - @, or ="text"."""
    if cell[:1] == "'" and guard_formula(cell[1:]) == cell:
        return cell[1:]
    text = _TEXT_FORMULA.fullmatch(cell) if cell[:1] == "=" else None
    return text[1].strip() if text else cell


def guard_formula(cell: str) -> str:
    """Return the cell as it may be written into a file that a spreadsheet opens."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def refuse_formula(cell: str) -> None:
    """Refuse what a spreadsheet would compute.

    :raises UnreadableCell: if the cell starts with an equals sign.
    """
    if cell.startswith("="):
        raise UnreadableCell("it is a formula: export the list with values", code="formula")


def read_email(cell: str) -> str:
    """Return the address.

    :raises UnreadableCell: if it is not one address of at most 254 characters.
    """
    if len(cell) > 254 or not _EMAIL.fullmatch(cell):
        raise UnreadableCell("it is not one e-mail address")
    return cell


def read_priority(cell: str) -> int:
    """Return 1 (first) to 9 (last) for a digit or a word.

    :raises UnreadableCell: for anything else.
    """
    word = PRIORITY_WORDS.get(cell.casefold())
    if word is not None:
        return word
    if cell in {"1", "2", "3", "4", "5", "6", "7", "8", "9"}:
        return int(cell)
    raise UnreadableCell(f"write 1 (first) to 9 (last), or {', '.join(PRIORITY_WORDS)}")


@lru_cache(maxsize=512)
def read_language(cell: str) -> str:
    """Return a language tag of at most 8 characters, such as en or pt-BR, for a tag or a language's name.

    :raises UnreadableCell: for anything else.
    """
    named = _BY_LANGUAGE.get(header_key(cell))
    tag = cell.replace("_", "-").casefold()
    if named is not None:
        return named
    if not _LANGUAGE.fullmatch(tag):
        raise UnreadableCell("write a language tag such as en, es or pt-BR")
    language, _, region = tag.partition("-")
    return f"{language}-{region.upper() if len(region) == 2 else region.title()}" if region else language


@lru_cache(maxsize=512)
def read_country(cell: str) -> str:
    """Return the ISO 3166 code for a code or a common name.

    :raises UnreadableCell: for anything else.
    """
    named = _BY_COUNTRY.get(header_key(cell))
    if named is not None:
        return named
    if len(cell) == 2 and is_country(cell):
        return cell.upper()
    raise UnreadableCell("write the two letters of ISO 3166, such as US, GB or DE")


@lru_cache(maxsize=1024)
def read_time_zone(cell: str) -> str:
    """Return the IANA zone; it must name a place, since an offset knows no summer time.

    :raises UnreadableCell: for anything else.
    """
    try:
        zone = canonical_zone(cell.replace(" ", "_"))
    except UnknownZone:
        zone = "Etc/Unknown"
    if zone.startswith("Etc/") or "/" not in zone:
        raise UnreadableCell("write the zone of a place, such as Europe/Madrid or America/New_York")
    return zone


@lru_cache(maxsize=512)
def read_consent(cell: str) -> str:
    """Return the consent basis, or "" where the list says that there is none.

    :raises UnreadableCell: if it does not say which basis; a bare "yes" does not.
    """
    key = header_key(cell)
    if key in _NO_CONSENT:
        return ""
    basis = _BY_CONSENT.get(key)
    if basis is None:
        raise UnreadableCell(f"write which basis it is: {', '.join(CONSENT_BASES)}; or no")
    return basis


def _by_spelling(table: Mapping[str, str]) -> dict[str, str]:
    return {header_key(word): value for value, words in table.items() for word in (value, *words.split(", "))}


_BY_LANGUAGE = {word: code for word, code in _by_spelling(_LANGUAGES).items() if len(word) > 2}
_BY_COUNTRY = _by_spelling(_COUNTRIES)
_BY_CONSENT = _by_spelling(_CONSENT)
