"""Every address that a browser could ask the desk for, with the rows that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

from outreach.models import Access, Call, Campaign, Facilitator

_OF_A_MODEL = re.compile(r"admin/([a-z_]+)/(\w+)/")
_ASKED_FOR = re.compile(r"<[^>]+>")
#: Streams without end, the way out, redirects, what is about oneself alone, and health checks.
_LEFT_OUT = re.compile(
    r"live/dashboard|admin/logout|\?P<|content_type_id|password_change/|preference/mine|/<path:object_id>/$|z$|^$"
)


def addresses() -> Iterator[str]:
    """Yield every address, with a row's id where one is asked for."""
    for route in _routes(get_resolver().url_patterns):
        if _LEFT_OUT.search(route):
            continue
        if "<" not in route:
            yield f"/{route}"
        elif (row := _row_for(route)) is not None:
            yield "/" + _ASKED_FOR.sub(str(row.pk), route)


def actions_of_lists() -> Iterator[tuple[str, str, list[Any]]]:
    """Yield each list's address, one of its actions, and the ids of two of its rows."""
    for model, its_admin in admin.site._registry.items():
        names = {given if isinstance(given, str) else given.__name__ for given in its_admin.actions or ()}
        ids = list(model._default_manager.values_list("pk", flat=True)[:2])
        for name in sorted(names):
            yield f"/admin/{model._meta.app_label}/{model._meta.model_name}/", name, ids


def everything_stored() -> dict[str, str]:
    """Return a digest of every table but the one that says who looked."""
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.managed]
    found = {}
    with connection.cursor() as cursor:
        for table in sorted({*tables} - {Access._meta.db_table, "django_session"}):
            row = "(to_jsonb(t) - 'last_login')::text"
            cursor.execute(f"SELECT md5(string_agg({row}, '' ORDER BY {row})) FROM {table} t")  # noqa: S608
            found[table] = str(cursor.fetchone()[0])
    return found


def _routes(patterns: Sequence[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route


def _row_for(route: str) -> Any:
    """Return a row that the address is about; of calls one with words."""
    named = _OF_A_MODEL.match(route)
    model = apps.get_model(named[1], named[2]) if named else None
    if model is Call or (model is None and "call" in route):
        return Call.objects.filter(turns__isnull=False).first()
    if model is None:
        model = Campaign if "campaign" in route else Facilitator
    return model._default_manager.order_by("pk").first()
