"""Where the people are: the countries and zones that occur, found without reading everybody."""

from __future__ import annotations

from django.db import connection

#: From each pair to the next one in the index: as many steps as there are pairs, not people.
_PAIRS = """
WITH RECURSIVE pair AS (
    (SELECT country, time_zone FROM outreach_facilitator ORDER BY country, time_zone LIMIT 1)
    UNION ALL
    SELECT following.country, following.time_zone
    FROM pair, LATERAL (
        SELECT country, time_zone FROM outreach_facilitator
        WHERE (country, time_zone) > (pair.country, pair.time_zone)
        ORDER BY country, time_zone LIMIT 1
    ) AS following
)
SELECT country, time_zone FROM pair LIMIT %s
"""
MOST = 600


def places() -> list[tuple[str, str]]:
    """Return the pairs of country and zone that people are in, by name; either may be empty."""
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, [MOST])
        return list(cursor.fetchall())
