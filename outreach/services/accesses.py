"""Writing down who looked at what people said, and who took their data with them."""

from __future__ import annotations

from typing import Any, Protocol

from outreach.models import Access, AccessKind
from outreach.services import clock


class LoggedIn(Protocol):
    """Whoever is logged in, or whose token is used."""

    pk: Any


def note_access(*, user: LoggedIn, kind: AccessKind, what: str, n_rows: int = 1) -> None:
    """Write down one look or one export; call it once per page or file, before it is sent.

    :param what: ids and filters, such as "call 3f…" or "people campaign=7"; never a name, number or word.
    :param n_rows: how many rows were shown or exported.
    """
    Access.objects.create(
        user_id=user.pk, kind=kind.value, what=what[:200], n_rows=max(n_rows, 0), at=clock.now()
    )
