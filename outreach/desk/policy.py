"""What a browser may load and connect to on our pages: strict, but for what the admin's own look needs.

The admin's menus and dialogs are Alpine.js, which evaluates expressions, and unfold writes styles inline;
so scripts and styles are looser there, and nowhere else. Nothing is ever loaded from another host.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import NoReverseMatch, reverse

ADMIN: dict[str, list[str]] = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:"],
    "font-src": [SELF, "data:"],
    "connect-src": [SELF],
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
_CLOUD = ".livekit.cloud"
_SECURE = {"ws": ("ws", "http"), "wss": ("wss", "https"), "http": ("ws", "http"), "https": ("wss", "https")}


class PagesCSPMiddleware(CSPMiddleware):
    """Send the strict policy of the settings, and the admin's own below its address."""

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002  (the library's signature)
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None and _in_the_admin(request):
            parts.config = dict(ADMIN)
        return parts


def _in_the_admin(request: HttpRequest) -> bool:
    try:
        return request.path_info.startswith(reverse("admin:index"))
    except NoReverseMatch:  # addresses without an admin among them
        return False


def livekit_sources(address: str) -> list[str]:
    """Return the sources under which a browser reaches LiveKit: its signalling, and why it was not let in.

    A project of LiveKit Cloud answers under one name per region, which its client tries in turn.
    """
    parts = urlsplit(address)
    schemes = _SECURE.get(parts.scheme, ())
    host = f"*{_CLOUD}" if (parts.hostname or "").endswith(_CLOUD) else parts.netloc
    return [f"{scheme}://{host}" for scheme in schemes]


def let_connect_to_livekit(response: Any) -> Any:
    """Let this one page connect to LiveKit, and return it."""
    response._csp_update = {"connect-src": livekit_sources(settings.LIVEKIT_URL)}
    return response
