"""Keeping who edited many people at once, and why: one statement writes past what a single save records."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache

from django.contrib.auth import get_user_model
from django.db import connection

from outreach.models import Facilitator

LONGEST_REASON = 100


def record_edits(*, facilitator_ids: Collection[int], by: str, reason: str, at: datetime) -> None:
    """Keep in their history what these people are now; runs in the transaction that changed them.

    :param by: the operator's user name; of somebody who is no user, the name goes into the reason.
    """
    if not facilitator_ids:
        return
    user = get_user_model().objects.filter(username=by).first()
    sentence = reason if user is not None or not by else f"{reason} ({by})"
    with connection.cursor() as cursor:
        cursor.execute(
            _copy(),
            {
                "people": list(facilitator_ids),
                "at": at,
                "reason": sentence[:LONGEST_REASON],
                "user": user.pk if user is not None else None,
            },
        )


@cache
def _copy() -> str:
    """Return the statement that copies people into their history: half a million take seconds."""
    history = Facilitator.history.model._meta
    of_history = {"history_id", "history_date", "history_change_reason", "history_type", "history_user_id"}
    kept = [field.column for field in history.concrete_fields if field.column not in of_history]
    columns = ", ".join(connection.ops.quote_name(column) for column in kept)
    return f"""
        INSERT INTO {history.db_table}
            ({columns}, history_date, history_change_reason, history_type, history_user_id)
        SELECT {columns}, %(at)s, %(reason)s, '~', %(user)s::integer
        FROM {Facilitator._meta.db_table} WHERE id = ANY(%(people)s) ORDER BY id
    """  # noqa: S608  (names of our own models)
