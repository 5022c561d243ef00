"""The number of whoever rings us, as the carrier shows it."""

from __future__ import annotations

import re

_E164 = re.compile(r"\+[1-9][0-9]{5,14}")

#: Words for a withheld number, spelled out on a telephone's keys: ANONYMOUS, UNAVAILABLE, UNKNOWN, BLOCKED,
#: RESTRICTED. Networks send them in the number's place, where they look like one.
_SPELLED = frozenset({"+266696687", "+86282452253", "+8656696", "+2562533", "+7378742833"})


def visible_number(given: str) -> str:
    """Return the caller's number in E.164, or "" when it is withheld or no telephone number at all."""
    number = given.strip()
    return number if _E164.fullmatch(number) and number not in _SPELLED else ""
