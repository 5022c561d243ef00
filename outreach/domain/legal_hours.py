"""The hours outside of which no law that we know lets anybody be called: 8 to 21 on their clock.

US: 47 CFR 64.1200(c)(1). Narrower rules (FL, OK, WA until 20; France 10-13 and 14-20 on weekdays) are met by
the hours that a campaign starts with; this is the outer fence.
"""

from __future__ import annotations

from datetime import time

from outreach.domain.window_hours import DAY_NAMES, END_OF_DAY, CallWindow

OPENS, CLOSES = time(8), time(21)
DESCRIBED = "08:00–21:00"


def outside(window: CallWindow) -> str:
    """Return the first day whose hours go beyond the fence, as "Monday 07:00–22:00"; empty when none does."""
    for weekday, spans in sorted(window.hours.items()):
        if any(opens < OPENS or closes == END_OF_DAY or closes > CLOSES for opens, closes in spans):
            return f"{DAY_NAMES[weekday]} {window.describe_day(weekday)}"
    return ""
