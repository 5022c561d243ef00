"""The clock of whoever looks: every page shows its times in the zone that its user chose."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from outreach.desk.rendering import zone_of
from outreach.models import Preference


def zone_name_of(user: Any) -> str:
    """Return the IANA name of a user's zone; UTC for those who chose none."""
    if not user.is_authenticated:
        return "UTC"
    chosen = Preference.objects.filter(user=user).values_list("time_zone", flat=True).first() or ""
    return chosen if zone_of(chosen) is not None else "UTC"


@sync_and_async_middleware
def own_time_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Let a page be made on its user's clock. Who has no session, has none.

    A stream is made after its view has returned, so it sets the clock itself.
    """

    def zone_for(request: HttpRequest) -> ZoneInfo | None:
        has_none = settings.SESSION_COOKIE_NAME not in request.COOKIES
        return (
            None
            if has_none or request.path_info.startswith("/live/")
            else ZoneInfo(zone_name_of(request.user))
        )

    if iscoroutinefunction(get_response):

        async def on_loop(request: HttpRequest) -> Any:
            zone = await sync_to_async(zone_for)(request)
            with timezone.override(zone):
                return await get_response(request)

        return on_loop

    def in_thread(request: HttpRequest) -> Any:
        with timezone.override(zone_for(request)):
            return get_response(request)

    return in_thread
