"""One whole row by one key, with SQL that is put together once instead of for every question.

For what runs at every step of every call: compiling the ORM's query for a call and its campaign, a hundred
columns, took longer than all that the database does for a webhook.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model

from outreach.models import Call, Campaign, Facilitator, ScriptVersion

Row = TypeVar("Row", bound=Model)
Locking = Literal["", "FOR UPDATE", "FOR SHARE"]


class _Columns(NamedTuple):
    select: str
    names: list[str]
    converters: Sequence[tuple[int, Sequence[Callable[..., Any]]]]


def row_of(
    model: type[Row], column: str, key: int | str | UUID | None, *, among: str = "true", locking: Locking = ""
) -> Row | None:
    """Return the row whose `column` is `key`, or None; it must be unique, if only `among` some rows.

    :param among: a condition in SQL, as of a partial unique index.
    """
    columns = _columns_of(model)
    with connection.cursor() as cursor:
        cursor.execute(f"{columns.select} WHERE {column} = %s AND {among} {locking}", [key])
        found = cursor.fetchone()
    if found is None:
        return None
    values = list(found)
    for at, converters in columns.converters:
        for convert in converters:
            values[at] = convert(values[at], None, connection)
    return model.from_db(connection.alias, columns.names, values)


def locked_call(*, pk: UUID) -> Call:
    """Return the call, locked, with its campaign.

    :raises Call.DoesNotExist: when there is none.
    """
    call = _with_campaign(row_of(Call, "id", pk, locking="FOR UPDATE"))
    if call is None:
        raise Call.DoesNotExist
    return call


def call_with_all(*, pk: UUID) -> Call:
    """Return the call with its campaign, script and person.

    :raises Call.DoesNotExist: when there is none.
    """
    call = _with_campaign(row_of(Call, "id", pk))
    if call is None:
        raise Call.DoesNotExist
    script = row_of(ScriptVersion, "id", call.script_id)
    if script is not None:
        call.script = script
    call.facilitator = row_of(Facilitator, "id", call.facilitator_id)
    return call


def locked_call_of_token(token: str) -> Call | None:
    """Return the call with this token, locked, with its campaign."""
    return _with_campaign(row_of(Call, "token", token, locking="FOR UPDATE"))


def _with_campaign(call: Call | None) -> Call | None:
    if call is not None and call.campaign_id is not None:
        campaign = row_of(Campaign, "id", call.campaign_id)
        if campaign is not None:
            call.campaign = campaign
    return call


@cache
def _columns_of(model: type[Model]) -> _Columns:
    fields = model._meta.concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    table = quote(model._meta.db_table)
    converters = [
        (at, found) for at, field in enumerate(fields) if (found := field.get_db_converters(connection))
    ]
    return _Columns(
        select=f"SELECT {columns} FROM {table}",  # noqa: S608  (names of our own models)
        names=[field.attname for field in fields],
        converters=converters,
    )
