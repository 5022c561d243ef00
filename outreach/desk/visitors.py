"""Who is at the other end of a request: their address behind our proxies, and how long they were idle."""

from __future__ import annotations

import time

from django.conf import settings
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

#: Seconds between two writes of a session that is in use.
WRITTEN_EVERY = 60.0
_SEEN = "seen"


def client_address(request: HttpRequest) -> str | None:
    """Return the address that a login is counted for; None where there is none, as on a socket in a file.

    Each proxy appends whom it was asked by to X-Forwarded-For; what stands further left may be made up by
    the client. django-ipware counts proxies otherwise: it would not take what one Caddy sends.
    """
    direct = request.META.get("REMOTE_ADDR") or None
    proxies: int = settings.AXES_IPWARE_PROXY_COUNT or 0
    if not proxies:
        return direct
    told = [part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")]
    told = [part for part in told if part]
    return told[-proxies] if len(told) >= proxies else direct


class IdleSessionMiddleware(MiddlewareMixin):
    """Let a session end when its owner asked for no page for so long; streams do not count as asking."""

    def process_request(self, request: HttpRequest) -> None:
        """Renew a session that is in use, at most once a minute."""
        session = request.session
        if request.path_info.startswith("/live/") or not session.session_key:
            return
        now = time.time()
        # A session without a login holds nothing that could be renewed.
        if session.get("_auth_user_id") and now - float(session.get(_SEEN, 0)) > WRITTEN_EVERY:
            session[_SEEN] = now
