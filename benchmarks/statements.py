"""What the product says to PostgreSQL, recorded, to be said again by bare psycopg: the yardstick."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement with what was put into it."""

    sql: str
    params: Any


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Collect every statement that the product makes meanwhile, transactions' ends excepted."""
    said: list[Statement] = []

    def listen(execute: Callable[..., Any], sql: str, params: Any, *how: Any) -> Any:
        said.append(Statement(sql=sql, params=params))
        return execute(sql, params, *how)

    with connection.execute_wrapper(listen):
        yield said


def replay(bare: psycopg.Connection, statements: Sequence[Statement]) -> None:
    """Make the same statements in one transaction, and read every answer."""
    with bare.transaction(), bare.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.sql, statement.params)
            if cursor.description is not None:
                cursor.fetchall()


def plan_of(bare: psycopg.Connection, statement: Statement) -> list[str]:
    """Return the nodes of the plan of `statement`, each with its index: "Index Scan facilitator_due_new"."""
    answer = bare.execute("EXPLAIN (FORMAT JSON) " + statement.sql, statement.params).fetchone()
    if answer is None:
        raise LookupError("EXPLAIN always answers")
    plans = answer[0] if isinstance(answer[0], list) else json.loads(answer[0])
    return list(_nodes(plans[0]["Plan"]))


def _nodes(plan: dict[str, Any]) -> Iterator[str]:
    yield f"{plan['Node Type']} {plan.get('Index Name', '')}".strip()
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
