"""Pages by cursor: each begins where the last one ended, whatever has come in since."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from ninja.errors import HttpError

LIMIT = 100
MOST = 500


def page_of(
    rows: QuerySet[Any], *, by: str, cursor: str, limit: int, order: Literal["newest", "oldest"]
) -> tuple[list[Any], str | None]:
    """Return one page of rows and the cursor of the next; None when this is the last.

    :param by: the column that orders them, with an index; ties by primary key. "pk" orders by that alone.
    :raises HttpError: 400 when the cursor is none of ours.
    """
    falling = order == "newest"
    sign = "-" if falling else ""
    if cursor:
        rows = rows.filter(_after(rows, by, cursor, falling=falling))
    ordered = rows.order_by(f"{sign}pk") if by == "pk" else rows.order_by(f"{sign}{by}", f"{sign}pk")
    found = list(ordered[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], _written(found[limit - 1], by)


def _after(rows: QuerySet[Any], by: str, cursor: str, *, falling: bool) -> Q:
    at, pk = _read(rows, cursor)
    beyond = "lt" if falling else "gt"
    if by == "pk":
        return Q(**{f"pk__{beyond}": pk})
    if at is None:
        raise HttpError(400, "This cursor belongs to another list. Leave it out to begin anew.")
    # The first condition is implied by the second, and lets the index begin in the right place.
    return Q(**{f"{by}__{beyond}e": at}) & (Q(**{f"{by}__{beyond}": at}) | Q(**{f"pk__{beyond}": pk}))


def _written(row: Any, by: str) -> str:
    at = "" if by == "pk" else getattr(row, by).isoformat()
    return base64.urlsafe_b64encode(f"{at}|{row.pk}".encode()).decode().rstrip("=")


def _read(rows: QuerySet[Any], cursor: str) -> tuple[datetime | None, Any]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, pk = text.split("|")
        return (datetime.fromisoformat(at) if at else None), rows.model._meta.pk.to_python(pk)
    except (ValueError, binascii.Error, ValidationError):
        raise HttpError(400, "This cursor is none of ours. Leave it out to begin anew.") from None
