"""What the carrier takes for a minute, and how its price of a call is written: late, negative, as text."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal

#: After a call's end, in the rehearsal's time: the price is "not immediately available".
PRICED_AFTER = timedelta(seconds=20)

#: By the start of the called address, the longest first; USD per started minute.
_A_MINUTE: tuple[tuple[str, Decimal], ...] = (
    ("sip:", Decimal("0.0040")),
    ("+447", Decimal("0.0305")),
    ("+44", Decimal("0.0158")),
    ("+1", Decimal("0.0140")),
)
_ELSEWHERE = Decimal("0.0500")


def price_of(*, to: str, seconds: int) -> str:
    """Return the price of a leg as the API writes it."""
    a_minute = next((price for start, price in _A_MINUTE if to.startswith(start)), _ELSEWHERE)
    return f"{-a_minute * math.ceil(seconds / 60):.5f}"
