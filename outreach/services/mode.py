"""The mode marker: a database belongs to one DIALING mode, for ever."""

from __future__ import annotations

from django.conf import settings

from outreach.models import DialingControl


class WrongDatabase(Exception):
    """This database belongs to another DIALING mode."""


def require_own_database() -> None:
    """Mark a fresh database with our mode, or make sure that it carries it.

    :raises WrongDatabase: when it belongs to another mode: rehearsed people must never be dialled.
    """
    DialingControl.objects.filter(pk=1, mode="").update(mode=settings.DIALING.value)
    mode = DialingControl.objects.values_list("mode", flat=True).get(pk=1)
    if mode != settings.DIALING.value:
        raise WrongDatabase(
            f"This database belongs to DIALING={mode}, but DIALING={settings.DIALING} is set. "
            "Give each mode a database of its own (DATABASE_URL)."
        )


def allowed_numbers() -> frozenset[str] | None:
    """Return the only numbers that may be dialled in this mode, or None when all may."""
    return frozenset(settings.TEST_NUMBERS) if settings.DIALING == "test" else None
