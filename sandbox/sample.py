"""A sample campaign and its people, for `manage.py up` and `manage.py rehearse`. Everything is invented.

Numbers are from ranges that regulators keep for fiction: +1 NPA 555 01xx (NANPA), 020 7946 0xxx (Ofcom),
01 99 00 xx xx (Arcep). Their last two digits choose the persona that answers (`sandbox.callees.TABLE`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sandbox.callees import TABLE, personas

PEOPLE = Path(__file__).with_name("sample_people.csv")
"""Twenty-four people as an operator would bring them: untidy, and still readable to the last cell."""
COLUMNS = (
    "name", "phone", "email", "organisation", "language", "timezone", "priority", "consent_basis",
    "consent_source", "specialty", "heard_of_us",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SampleCampaign:
    """What a campaign needs to know before it can call anybody."""

    name: str
    company: str
    platform: str
    platform_facts: str
    caller_ids: Sequence[str]
    default_country: str
    callback_number: str = ""
    asks_for: Sequence[Mapping[str, str]] = ()


CAMPAIGN = SampleCampaign(
    name="Autumn onboarding",
    company="Lantern Learning",
    platform="Lantern",
    platform_facts="\n".join(
        (
            "Lantern brings paid workshops to facilitators, online and on site.",
            "Joining costs nothing; Lantern keeps twelve percent of each booking.",
            "Facilitators set their own prices and say themselves when they are free.",
            "Contracts, invoices and payment within fourteen days are taken care of.",
            "A new facilitator has a short call with the team before the first booking.",
        )
    ),
    caller_ids=("+13035550100", "+15125550101"),
    default_country="US",
    callback_number="+13035550100",
    asks_for=(
        {"name": "groups", "question": "What kind of groups do they mostly work with?"},
        {"name": "sessions", "question": "How many sessions do they run in a usual month?"},
        {"name": "matters", "question": "What matters most to them when they work with a platform?"},
    ),
)


@dataclass(frozen=True)
class _Place:
    time_zone: str
    prefixes: tuple[str, ...]
    """E.164 without the last two digits."""


def _nanp(*area_codes: int) -> tuple[str, ...]:
    return tuple(f"+1{code}55501" for code in area_codes)


_PLACES = (
    _Place("America/New_York", _nanp(212, 646, 718, 917, 347, 929, 332, 516, 914, 631, 585, 315)),
    _Place("America/Chicago", _nanp(312, 773, 872, 847, 630, 708, 815, 217, 309, 608, 414, 612)),
    _Place("Europe/London", tuple(f"+442079460{tens}" for tens in range(1, 10))),
    _Place("Europe/Paris", tuple(f"+33199{tens:04d}" for tens in range(1, 100))),
)
_FIRST_NAMES = (
    "Mia", "Noah", "Amara", "Liam", "Sofia", "Kwame", "Elena", "Jonas", "Priya", "Mateo", "Ingrid", "Omar",
    "Chloé", "Diego", "Hannah", "Yusuf", "Freya", "Tomás", "Aisha", "Luca", "Nadia", "Oscar", "Zoe", "Rafael",
)  # fmt: skip
_LAST_NAMES = (
    "Abbott", "Bianchi", "Carter", "Dubois", "Eriksen", "Fofanah", "García", "Hughes", "Ito", "Janssen",
    "Kowalski", "Lambert", "Mensah", "Novak", "O'Brien", "Patel", "Quinn", "Rossi", "Schmidt", "Tanaka",
    "Ueda", "Vidal", "Walsh", "Young",
)  # fmt: skip
_ORGANISATIONS = (
    "Northwind Training", "Brightside Workshops", "Harbour Coaching", "", "Open Circle", "Maple & Moss",
    "Fieldnote Studio", "Kindling Facilitation",
)  # fmt: skip
_SPECIALTIES = (
    "leadership",
    "conflict resolution",
    "design thinking",
    "onboarding",
    "agile teams",
    "well-being",
)
_HEARD = ("newsletter", "conference", "a colleague", "website")
_CONSENT = (
    ("express", "sign-up form, autumn fair"),
    ("express_written", "signed interest form"),
    ("inquiry", "wrote to us through the website"),
)
_PRIORITIES = ("high", "normal", "normal", "low", "1", "5", "")


def sample_people(n: int, seed: int) -> list[dict[str, str]]:
    """Return `n` people: every persona once (as far as `n` reaches), then by the shares of the table.

    Raises ValueError when the ranges have no further number for a persona.
    """
    dice = Random(seed)
    used: set[str] = set()
    return [
        _person(dice, place=place, index=index, used=used) for index, place in enumerate(_digits(n, dice))
    ]


def write_people(path: Path, people: Sequence[dict[str, str]]) -> None:
    """Write people as a CSV that the import reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS)
        rows.writeheader()
        rows.writerows(people)


def _digits(n: int, dice: Random) -> Iterator[int]:
    """Yield the last two digits of `n` numbers."""
    names = [persona.name for persona in personas()]
    by_name = {name: [at for at, persona in enumerate(TABLE) if persona.name == name] for name in names}
    for index in range(n):
        yield dice.choice(by_name[names[index]]) if index < len(names) else dice.randrange(len(TABLE))


def _person(dice: Random, *, place: int, index: int, used: set[str]) -> dict[str, str]:
    number, time_zone = _number(dice, last_two=place, index=index, used=used)
    name = f"{dice.choice(_FIRST_NAMES)} {dice.choice(_LAST_NAMES)}"
    basis, source = dice.choice(_CONSENT)
    return {
        "name": name,
        "phone": number,
        "email": f"person{index + 1}@example.org",
        "organisation": dice.choice(_ORGANISATIONS),
        "language": "es" if TABLE[place].name == "speaks_spanish" else "en",
        "timezone": time_zone,
        "priority": dice.choice(_PRIORITIES),
        "consent_basis": basis,
        "consent_source": source,
        "specialty": dice.choice(_SPECIALTIES),
        "heard_of_us": dice.choice(_HEARD),
    }


def _number(dice: Random, *, last_two: int, index: int, used: set[str]) -> tuple[str, str]:
    """Return an unused number that ends as wished, and its zone; the places take turns."""
    for turn in range(len(_PLACES)):
        place = _PLACES[(index + turn) % len(_PLACES)]
        free = [number for prefix in place.prefixes if (number := f"{prefix}{last_two:02d}") not in used]
        if free:
            number = dice.choice(free)
            used.add(number)
            return number, place.time_zone
    raise ValueError(f"the ranges for fiction have no further number that ends in {last_two:02d}")
