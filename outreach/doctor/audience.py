"""Who is to be called, and from which numbers: what several checks measure the accounts against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Min

from outreach.doctor.finding import Surroundings
from outreach.domain.dialing_mode import DialingMode
from outreach.domain.phone_number import InvalidNumber, parse_number
from outreach.domain.standing import CALLABLE
from outreach.models import Campaign, CampaignState, Facilitator

#: Said where no phone can ring, so that the carrier is not needed.
NO_PHONE_RINGS = "Not needed yet: in DIALING=test without TEST_NUMBERS no phone can ring."


@dataclass(frozen=True, kw_only=True)
class Country:
    """The people of one country who are still to be called."""

    iso: str
    n_people: int
    number: str
    """One of their numbers, to find the rate by; never shown."""


def phones_can_ring() -> bool:
    """Tell whether any phone may ring in this mode."""
    return settings.DIALING is not DialingMode.TEST or bool(settings.TEST_NUMBERS)


def countries(about: Surroundings) -> list[Country]:
    """Return the countries of those still to be called, the largest first.

    In test mode those are the operator's own numbers, whoever else is in the database.
    """
    if settings.DIALING is DialingMode.TEST:
        return _of_test_numbers()
    people = Facilitator.objects.filter(standing__in=[standing.value for standing in CALLABLE])
    people = people.filter(campaign=about.campaign) if about.campaign else people
    rows = people.exclude(country="").values("country").annotate(n=Count("pk"), number=Min("number"))
    found = [Country(iso=row["country"], n_people=row["n"], number=row["number"]) for row in rows]
    return sorted(found, key=lambda country: (-country.n_people, country.iso))


def caller_ids(about: Surroundings) -> list[str]:
    """Return the numbers that are called from: the campaign's, or those of all that are not finished."""
    campaigns = [about.campaign] if about.campaign else Campaign.objects.exclude(state=CampaignState.FINISHED)
    return sorted({number for campaign in campaigns for number in campaign.caller_ids})


def _of_test_numbers() -> list[Country]:
    found: Counter[str] = Counter()
    for number in settings.TEST_NUMBERS:
        try:
            found[parse_number(number, default_country="").country] += 1
        except InvalidNumber:
            continue
    return [Country(iso=iso, n_people=n, number="") for iso, n in found.most_common() if iso]
