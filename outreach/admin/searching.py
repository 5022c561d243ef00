"""Searching people: any spelling of a number, the start of a name, an address or an organisation."""

from __future__ import annotations

import phonenumbers
from django.db.models import Q

from outreach.domain.phone_number import normalise_for_search
from outreach.models import Campaign

COUNTRIES_TRIED = 20


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


def with_name_like(term: str) -> Q:
    """Return the filter for people whose name, address or organisation starts as `term` does."""
    return (
        Q(name__istartswith=term)
        | Q(name__icontains=f" {term}")
        | Q(email__istartswith=term)
        | Q(organisation__istartswith=term)
    )
