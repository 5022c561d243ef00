"""Which time zones a person may be in, from the tz database that ships with the code (`tzdata`).

A zone is never assumed: a given name must be one that names a place, and a person without one may be
anywhere in their country, so all its zones count together.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

#: Names in the database that people write for something else: "EST" is Panama all year round, not New York.
_MISLEADING = frozenset({"EST", "MST", "Factory"})


class UnknownZone(ValueError):
    """Neither a known time zone nor a known country: nobody can say what time it is there."""


def zones_of(*, time_zone: str, country: str) -> tuple[str, ...]:
    """Return the zones in which the local time must be right before this person may be called.

    :param time_zone: IANA name in any case; empty means unknown.
    :param country: ISO 3166 code; used only when the zone is unknown.
    :raises UnknownZone: when the name, or without a name the country, is not known.
    """
    if time_zone.strip():
        return (canonical_zone(time_zone),)
    zones = _zones_by_country().get(country.strip().upper())
    if zones is None:
        missing = (
            f"country {country!r} is not known" if country.strip() else "neither zone nor country is known"
        )
        raise UnknownZone(f"{missing}: give a time zone such as Europe/Madrid")
    return zones


def canonical_zone(name: str) -> str:
    """Return the name under which the tz database lists a zone today, e.g. Asia/Kolkata for Asia/Calcutta.

    :raises UnknownZone: when it is no zone, or an abbreviation that most people mean differently.
    """
    known = _canonical_names().get(name.strip().casefold())
    if known is None:
        raise UnknownZone(f"{name!r} is no time zone: give an IANA name such as America/New_York")
    return known


def is_country(country: str) -> bool:
    """Tell whether this is the ISO 3166 code of a country whose zones are known."""
    return country.upper() in _zones_by_country()


@cache
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    """Read `zone.tab`: country, coordinates, zone and a remark, tab-separated."""
    zones: dict[str, list[str]] = {}
    for line in _database("zone.tab").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            zones.setdefault(country, []).append(zone)
    return {country: tuple(names) for country, names in zones.items()}


@cache
def _canonical_names() -> dict[str, str]:
    """Map every zone's name, case-folded, to the one in use; a link (`L target alias`) means its target."""
    listed = {zone for zones in _zones_by_country().values() for zone in zones}
    links: dict[str, str] = {}
    names = set(listed)
    for line in _database("tzdata.zi").splitlines():
        field = line.split()
        if line.startswith("L "):
            links[field[2]] = field[1]
            names.add(field[2])
        elif line.startswith("Z "):
            names.add(field[1])
    names -= _MISLEADING
    return {name.casefold(): name if name in listed else links.get(name, name) for name in names}


def _database(name: str) -> str:
    return resources.files("tzdata.zoneinfo").joinpath(name).read_text(encoding="utf-8")
