"""Whose token a request carries, what it may see, and how often it may ask."""

from __future__ import annotations

import time
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from outreach.models import AccessKind, ApiToken
from outreach.services.accesses import note_access
from outreach.services.api_tokens import token_of

A_MINUTE = 120
"""Requests that one token may make in a minute, of each web process."""

EXPORT = "outreach.export_people"
READ = ("outreach.read_transcript", "outreach.view_turn")


class Bearer(HttpBearer):
    """A token of the admin, in the Authorization header."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:  # noqa: ARG002
        """Return the token of a key, if it is good now."""
        return token_of(key=token)


class PerToken(BaseThrottle):
    """So many requests a minute by one token. Holds nothing itself: requests run in threads side by side."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Count a request, and tell whether it may be answered."""
        token: ApiToken | None = getattr(request, "auth", None)
        if token is None:
            return True
        key = f"api-token:{token.pk}:{int(time.time() // 60)}"
        cache.add(key, 0, timeout=120)
        return cache.incr(key) <= A_MINUTE

    def wait(self) -> float | None:
        """Return the seconds until the next minute begins."""
        return 60 - time.time() % 60


def caller_of(request: HttpRequest) -> Any:
    """Return the user whose token it is."""
    return request.auth.user  # type: ignore[attr-defined]


def require(request: HttpRequest, *permissions: str) -> None:
    """Refuse a token whose user lacks a permission.

    :raises HttpError: 403, and which permission is wanted.
    """
    lacking = [permission for permission in permissions if not caller_of(request).has_perm(permission)]
    if lacking:
        raise HttpError(403, f"This token's user lacks {', '.join(lacking)}. A supervisor gives it.")


def may_export(request: HttpRequest) -> bool:
    """Tell whether names, numbers and addresses are shown."""
    return bool(caller_of(request).has_perm(EXPORT))


def may_read(request: HttpRequest) -> bool:
    """Tell whether spoken words, and what was made of them, are shown."""
    return bool(caller_of(request).has_perms(READ))


def note(request: HttpRequest, what: str, *, n_rows: int) -> None:
    """Write down what was read."""
    note_access(user=caller_of(request), kind=AccessKind.API, what=what, n_rows=n_rows)
