"""Phone numbers: from what somebody wrote to E.164, country and, where the number says it, time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers import timezone as number_zones

from outreach.domain.number_shortcut import ordinary
from outreach.domain.written_number import InvalidNumber, NumberFault, dialable
from outreach.domain.zones import UnknownZone, canonical_zone

__all__ = ["InvalidNumber", "NumberFault", "PhoneNumber", "mask", "normalise_for_search", "parse_number"]

#: Ranges reserved for fiction (Ofcom, ARCEP, ComReg) that the numbering metadata calls invalid, by E.164
#: prefix: length with +, and country. Rehearsals use them; other ranges, such as 555-01XX, pass as they are.
_FICTION: dict[str, tuple[int, str]] = {
    "+441154960": (13, "GB"),
    "+441632960": (13, "GB"),
    "+447700900": (13, "GB"),
    "+3363998": (12, "FR"),
    "+3532091": (13, "IE"),
}

#: What the metadata calls the "country" of satellite and worldwide toll-free numbers.
_NO_COUNTRY = "001"

_COSTLY = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})


@dataclass(frozen=True, kw_only=True)
class PhoneNumber:
    """A number that may exist. `country` is empty when no country owns it, `zones` when it tells no place."""

    e164: str
    country: str
    zones: tuple[str, ...]


def parse_number(raw: str, *, default_country: str) -> PhoneNumber:
    """Read a number as people and spreadsheets write it.

    :param default_country: ISO code for numbers without a country code; empty: such numbers are refused.
    :raises InvalidNumber: with `code` and a sentence that says what to do.
    """
    written, country = dialable(raw), default_country.strip().upper()
    short = ordinary(written, default_country=country)
    if short is not None and not _fiction_country(short.e164):
        return PhoneNumber(e164=short.e164, country=short.country, zones=_canonical(short.zone_names))
    return _looked_up(_parsed(written, country))


def _looked_up(number: phonenumbers.PhoneNumber) -> PhoneNumber:
    """Return what the numbering metadata says of a number."""
    e164 = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    fiction = _fiction_country(e164)
    if fiction:
        return PhoneNumber(e164=e164, country=fiction, zones=())
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        possible = phonenumbers.is_possible_number(number)
        raise InvalidNumber(NumberFault.INVALID if possible else NumberFault.IMPOSSIBLE)
    if kind in _COSTLY:
        raise InvalidNumber(NumberFault.PREMIUM)
    country = phonenumbers.region_code_for_number(number) or ""
    return PhoneNumber(
        e164=e164, country="" if country == _NO_COUNTRY else country, zones=_zones_of(number, kind)
    )


def mask(e164: str) -> str:
    """Return a number that may stand in a log: "+14155550100" becomes "+1415***0100"."""
    if len(e164) < 12:
        return f"{e164[:3]}***{e164[-2:]}" if len(e164) > 7 else "***"
    return f"{e164[:5]}***{e164[-4:]}"


def normalise_for_search(raw: str) -> str:
    """Return what an operator typed as the beginning of a number: digits, with + if it began with + or 00.

    Empty when it is not the beginning of a number, e.g. a name.
    """
    text = re.sub(r"[\s().\-/]", "", raw)
    if not re.fullmatch(r"\+?[0-9]+", text, re.ASCII):
        return ""
    return f"+{text[2:]}" if text.startswith("00") else text


def _parsed(written: str, default_country: str) -> phonenumbers.PhoneNumber:
    """Parse digits; a leading 00 is the international prefix where it does not start a local number."""
    if written.startswith("+"):
        return _parse(written, None)
    if default_country not in phonenumbers.SUPPORTED_REGIONS:
        if written.startswith("00"):
            return _parse(f"+{written[2:]}", None)
        raise InvalidNumber(NumberFault.NO_COUNTRY)
    if len(written) < 7 and _is_short(written, default_country):
        raise InvalidNumber(NumberFault.SHORT)
    number = _parse(written, default_country)
    if written.startswith("00") and not phonenumbers.is_valid_number(number):
        return _parse(f"+{written[2:]}", None)
    return number


def _parse(written: str, default_country: str | None) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(written, default_country)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise InvalidNumber(NumberFault.INVALID) from None
        raise InvalidNumber(NumberFault.IMPOSSIBLE) from None


def _is_short(written: str, country: str) -> bool:
    """Tell whether a network of this country connects these digits to a service of its own."""
    if phonenumbers.is_emergency_number(written, country):
        return True
    return bool(phonenumbers.is_valid_short_number_for_region(_parse(written, country), country))


def _fiction_country(e164: str) -> str:
    for prefix, (length, country) in _FICTION.items():
        if e164.startswith(prefix) and len(e164) == length:
            return country
    return ""


def _zones_of(number: phonenumbers.PhoneNumber, kind: int) -> tuple[str, ...]:
    """Return the zones of the number's area; none where it says nothing of its place, as most mobiles do."""
    if not phonenumbers.is_number_type_geographical(kind, number.country_code or 0):
        return ()
    return _canonical(tuple(number_zones.time_zones_for_geographical_number(number)))


@lru_cache(maxsize=1024)
def _canonical(names: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(canonical_zone(name) for name in names))
    except UnknownZone:  # "Etc/Unknown": the metadata has no zone for this range
        return ()
