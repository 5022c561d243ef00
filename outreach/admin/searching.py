"""Searching people: any spelling of a number, or the beginnings of words, whatever their accents."""

from __future__ import annotations

import unicodedata
from typing import Any

import phonenumbers
from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from outreach.domain.phone_number import normalise_for_search
from outreach.models import Campaign, Facilitator
from outreach.models.facilitator import ACCENTED, PLAIN

COUNTRIES_TRIED = 20
FEW = 2_000
"""People who are looked up by id; of more, some come up soon in any order."""

_WITHOUT_ACCENTS = str.maketrans(ACCENTED, PLAIN)


def people_found(term: str, path: str = "") -> Q:
    """Return the filter for the people whom `term` finds: by number, else by name, organisation or e-mail.

    :param path: leads from the searched rows to their person ("facilitator__"); empty: they are the people.
    """
    if not term.strip():
        return Q()
    by_number = with_number_prefix(term, f"{path}number")
    return by_number if by_number is not None else with_words(term, path)


def with_number_prefix(term: str, field: str = "number") -> Q | None:
    """Return the filter for numbers that start as `term` does, or None when it is not a number.

    A term without a country prefix is also read as a number of each campaign's default country.
    """
    typed = normalise_for_search(term)
    if not typed:
        return None
    digits = typed.removeprefix("+")
    prefixes = {f"+{digits}"}
    if not typed.startswith("+"):
        countries = Campaign.objects.order_by().values_list("default_country", flat=True).distinct()
        national = digits.lstrip("0")
        for country in countries[:COUNTRIES_TRIED]:
            code = phonenumbers.country_code_for_region(country)
            if code and national:
                prefixes.add(f"+{code}{national}")
    found = Q()
    for prefix in sorted(prefixes):
        found |= Q(**{f"{field}__startswith": prefix})
    return found


def with_words(term: str, path: str = "") -> Q:
    """Return the filter for people in whom every typed word begins one, in any order, accents ignored.

    A rare word is looked up in its index first: read in the list's order, a page of the few that have it
    would be looked for among everybody.
    """
    # NFC: some keyboards write an accent as a letter of its own. As stored, an address is two words, and
    # who has typed the @ has typed the first of them to its end.
    plain = unicodedata.normalize("NFC", term).translate(_WITHOUT_ACCENTS).replace("@", "@ ")
    # Quoted: PostgreSQL splits each word as it split those that are stored, and reads no operators in it.
    typed = [word.replace("'", "''") for word in plain.replace("\\", " ").split() if word != "@"]
    if not typed:
        return Q(**{f"{path}pk__in": []})
    # One letter of an alphabet begins too many words to find anybody: alone it is looked for as a word.
    alone = len(typed) == 1 and len(typed[0]) == 1 and typed[0].isascii()
    words = [f"'{word.removesuffix('@')}'" if alone or word[-1] == "@" else f"'{word}':*" for word in typed]
    query = SearchQuery(" & ".join(words), config="simple", search_type="raw")
    few = few_people(Facilitator.objects.filter(searched=query).values_list("pk", flat=True))
    return Q(**{f"{path}searched": query}) if few is None else Q(**{f"{path}pk__in": few})


def few_people(keys: QuerySet[Any, int]) -> list[int] | None:
    """Return the keys of people where they are few enough to be looked up one by one; else None."""
    found = list(keys.order_by()[: FEW + 1])
    return found if len(found) <= FEW else None
