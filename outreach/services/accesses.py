"""Writing down who looked at what people said, and who took their data with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from outreach.models import Access, AccessKind
from outreach.services import clock

#: A stream that a browser opens anew belongs to the look that was written down when it was opened first.
SAME_LOOK = timedelta(minutes=30)
_LAST_WORDS = "last words of calls in the air"


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


def note_look(*, user: LoggedIn, call_id: UUID, n_turns: int) -> None:
    """Write down that somebody opened a call's transcript."""
    note_access(user=user, kind=AccessKind.TRANSCRIPT, what=_transcript_of(call_id), n_rows=n_turns)


def note_following(*, user: LoggedIn, call_id: UUID, n_turns: int) -> None:
    """Write down that somebody follows a call, unless that is the look that has just been written down."""
    if not _looked_lately(user, _transcript_of(call_id)):
        note_look(user=user, call_id=call_id, n_turns=n_turns)


def note_watching(*, user: LoggedIn) -> None:
    """Write down that somebody watches the last words of all calls, once while they go on watching."""
    if not _looked_lately(user, _LAST_WORDS):
        note_access(user=user, kind=AccessKind.TRANSCRIPT, what=_LAST_WORDS)


def _looked_lately(user: LoggedIn, what: str) -> bool:
    since = clock.now() - SAME_LOOK
    looks = Access.objects.filter(user_id=user.pk, kind=AccessKind.TRANSCRIPT.value, what=what)
    return looks.filter(at__gte=since).exists()


def _transcript_of(call_id: UUID) -> str:
    return f"call {call_id}"
