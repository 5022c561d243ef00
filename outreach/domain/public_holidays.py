"""Public holidays by country, from the `holidays` library; a country that it lacks has none."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays


@lru_cache(maxsize=4096)
def public_holidays(country: str, year: int) -> frozenset[date]:
    """Return the nationwide public holidays of a year, moved ones on the day on which they are kept."""
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def is_public_holiday(country: str, day: date) -> bool:
    """Tell whether this local date is a public holiday in a country."""
    return bool(country) and day in public_holidays(country, day.year)


def closed_dates(*, country: str, start: date, days: int) -> list[str]:
    """Return the public holidays among `days` dates from `start` as ISO dates, for Alex's brief."""
    dates = (start + timedelta(days=ahead) for ahead in range(days))
    return [day.isoformat() for day in dates if is_public_holiday(country, day)]
