"""Who edited a row, and what it was before: kept for people's edits, not for what the system writes."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from simple_history.models import HistoricalRecords


class EditHistory(HistoricalRecords):
    """Records an edit only where a person's request is behind it.

    The calling writes the same rows many times a call; its reasons are kept as decisions and events.
    """

    def post_save(self, instance: Model, created: bool, using: str | None = None, **kwargs: Any) -> None:  # noqa: FBT001
        """Keep what the row was saved as, when an operator saved it."""
        if _an_operator_asks(self):
            super().post_save(instance, created, using=using, **kwargs)

    def post_delete(self, instance: Model, using: str | None = None, **kwargs: Any) -> None:
        """Keep what the row was, when an operator removed it."""
        if _an_operator_asks(self):
            super().post_delete(instance, using=using, **kwargs)


def _an_operator_asks(records: HistoricalRecords) -> bool:
    request = getattr(records.context, "request", None)
    return (
        request is not None and getattr(request, "user", None) is not None and request.user.is_authenticated
    )
