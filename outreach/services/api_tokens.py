"""Keys of programs that read: made once, kept as a digest, good for what their user may see."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from outreach.models import ApiToken
from outreach.services import clock

PREFIX = "outreach_"
"""So that a key is known for what it is where it should not be: in a log, in a repository."""

#: How exactly it is known when a token was last used; each use would be a write otherwise.
USED_EVERY = timedelta(minutes=1)


def make_token(*, user: Any, name: str, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """Make a token with the rights of `user`; return it with its key, which nobody can be shown again."""
    key = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user, name=name, digest=digest_of(key), created_at=clock.now(), expires_at=expires_at
    )
    return token, key


def token_of(*, key: str) -> ApiToken | None:
    """Return the token of a key that is good now, with its user; None for every other key."""
    if not key.startswith(PREFIX):
        return None
    now = clock.now()
    good = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    token = (
        ApiToken.objects.select_related("user")
        .filter(good, digest=digest_of(key), revoked_at__isnull=True, user__is_active=True)
        .first()
    )
    if token is not None and (token.last_used_at is None or now - token.last_used_at > USED_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def revoke(*, token_ids: list[int]) -> int:
    """Let tokens be good for nothing from now on; return how many were."""
    return ApiToken.objects.filter(pk__in=token_ids, revoked_at__isnull=True).update(revoked_at=clock.now())


def digest_of(key: str) -> str:
    """Return what is kept of a key: it is long and random, so a plain digest cannot be turned back."""
    return hashlib.sha256(key.encode()).hexdigest()
