"""A short way to what the numbering metadata says of an ordinary, clearly valid number.

`phonenumbers` spends 25 µs on each number, half of it on spellings that `written_number` has dealt with. Here
the same patterns are put together once for each calling code and length. Whatever is not plainly valid (a
leading zero, a national prefix, a doubtful or costly range) is left to `phonenumbers`, which has the last
word; a property test holds the two to the same answer.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberType
from phonenumbers import is_number_type_geographical as is_geographical
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

#: Numbers that no country owns, whose metadata is kept by calling code.
_NO_REGION = "001"
_SHORTEST, _LONGEST = 7, 15
#: The kinds in the order in which the metadata is to be asked; the first that fits is the kind.
_KINDS: tuple[tuple[str, int], ...] = (
    ("premium_rate", PhoneNumberType.PREMIUM_RATE),
    ("toll_free", PhoneNumberType.TOLL_FREE),
    ("shared_cost", PhoneNumberType.SHARED_COST),
    ("voip", PhoneNumberType.VOIP),
    ("personal_number", PhoneNumberType.PERSONAL_NUMBER),
    ("pager", PhoneNumberType.PAGER),
    ("uan", PhoneNumberType.UAN),
    ("voicemail", PhoneNumberType.VOICEMAIL),
    ("fixed_line", PhoneNumberType.FIXED_LINE),
    ("mobile", PhoneNumberType.MOBILE),
)
_COSTLY = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})


class Ordinary(NamedTuple):
    """A valid number that costs nothing extra: its country, and the names of the zones of its area."""

    e164: str
    country: str
    zone_names: tuple[str, ...]


class _Region(NamedTuple):
    """How the numbers of one length of one region look; `leading` decides alone that one is the region's."""

    code: str
    leading: re.Pattern[str] | None
    kind: re.Pattern[str]
    kinds: tuple[int, ...]


class _Origin(NamedTuple):
    """What digits are read against: a calling code, and what is dialled before the number itself."""

    calling_code: int
    before: re.Pattern[str] | None


def ordinary(written: str, *, default_country: str) -> Ordinary | None:
    """Return what is known of digits with an optional +, or None where the long way has to be taken."""
    if written[:1] == "+":
        origin, national = _split(written)
    else:
        origin, national = _origin_of_country(default_country), written
    if origin is None or national[:1] == "0" or not _SHORTEST <= len(national) <= _LONGEST:
        return None
    if origin.before is not None and origin.before.match(national):
        return None
    for region in _regions(origin.calling_code, len(national)):
        found = region.kind.match(national)
        if found is None if region.leading is None else not region.leading.match(national):
            continue
        kind = region.kinds[(found.lastindex or 1) - 1] if found else PhoneNumberType.UNKNOWN
        if kind in _COSTLY or kind == PhoneNumberType.UNKNOWN:
            return None
        e164 = f"+{origin.calling_code}{national}"
        return Ordinary(e164, region.code, _zones(e164) if is_geographical(kind, origin.calling_code) else ())
    return None


def _zones(e164: str) -> tuple[str, ...]:
    for length in range(TIMEZONE_LONGEST_PREFIX, 0, -1):
        names = TIMEZONE_DATA.get(e164[1 : 1 + length])
        if names is not None:
            return tuple(names)
    return ()


def _split(written: str) -> tuple[_Origin | None, str]:
    """Return the origin and the national number of a number with +."""
    for length in (1, 2, 3):
        head = written[1 : 1 + length]
        origin = _origin_of_calling_code(head)
        if origin is not None:
            return origin, written[1 + length :]
    return None, ""


@lru_cache(maxsize=2048)
def _origin_of_calling_code(digits: str) -> _Origin | None:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(digits)) if digits[:1] in set("123456789") else None
    if not regions or regions[0] == _NO_REGION:
        return None
    metadata = PhoneMetadata.metadata_for_region(regions[0], None)
    return _Origin(int(digits), _compiled(metadata.national_prefix_for_parsing)) if metadata else None


@lru_cache(maxsize=512)
def _origin_of_country(country: str) -> _Origin | None:
    metadata = PhoneMetadata.metadata_for_region(country, None) if country else None
    if metadata is None or metadata.country_code is None:
        return None
    before = [p for p in (metadata.national_prefix_for_parsing, metadata.international_prefix) if p]
    return _Origin(metadata.country_code, _compiled("|".join(f"(?:{p})" for p in before)))


@lru_cache(maxsize=2048)
def _regions(calling_code: int, length: int) -> tuple[_Region, ...]:
    """Return the regions that share a calling code, in the order in which they are asked."""
    codes = COUNTRY_CODE_TO_REGION_CODE[calling_code]
    found: list[_Region] = []
    for code in codes:
        metadata = PhoneMetadata.metadata_for_region(code, None)
        if metadata is None:
            continue
        kind, kinds = _kind_pattern(metadata, length)
        # The only region of a calling code owns all its numbers.
        leading = "" if len(codes) == 1 else metadata.leading_digits
        found.append(_Region(code, None if leading is None else re.compile(leading), kind, kinds))
    return tuple(found)


def _kind_pattern(metadata: PhoneMetadata, length: int) -> tuple[re.Pattern[str], tuple[int, ...]]:
    """Return one pattern that tells the kind of a number by the group that matched."""
    general = _pattern_of(metadata, "general_desc", length)
    patterns = [(pattern, kind) for name, kind in _KINDS if (pattern := _pattern_of(metadata, name, length))]
    if not general or not patterns:
        return re.compile(r"(?!)"), ()
    choices = "|".join(rf"({pattern})\Z" for pattern, _ in patterns)
    return re.compile(rf"(?=(?:{general})\Z)(?:{choices})", re.ASCII), tuple(kind for _, kind in patterns)


def _pattern_of(metadata: PhoneMetadata, name: str, length: int) -> str:
    """Return the pattern of one kind of numbers, or "" where none of that length exists."""
    described = getattr(metadata, name)
    if described is None or (described.possible_length and length not in described.possible_length):
        return ""
    return described.national_number_pattern or ""


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern else None
