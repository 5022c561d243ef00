"""How campaigns stand, for everybody who watches their pages: each is asked for once, not once a viewer."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections

from outreach.desk.standing import standing_html

logger = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
"""A strip this young is shown again as it is."""


class Standings:
    """The strips of the campaigns that are watched, each made at most once a second for each clock."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], tuple[float, str | None]] = {}
        self._making: defaultdict[tuple[int, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def html(self, campaign_id: int, zone: str) -> str | None:
        """Return a campaign's strip with its times in `zone`; None when there is no such campaign."""
        wanted = (campaign_id, zone)
        async with self._making[wanted]:
            made_at, html = self._made.get(wanted, (0.0, None))
            now = asyncio.get_running_loop().time()
            if html is None or now - made_at >= FRESH_SECONDS:
                try:
                    html = await sync_to_async(_asked, thread_sensitive=False)(*wanted)
                except DatabaseError:
                    logger.warning("standing unreadable, trying again")
                self._made[wanted] = (now, html)
        return html


def _asked(campaign_id: int, zone: str) -> str | None:
    """Ask the database in a thread that gives its connection back."""
    try:
        return standing_html(campaign_id, zone)
    finally:
        connections.close_all()
