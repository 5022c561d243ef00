"""`manage.py migrate` as Django has it, for tables that a page's patience is too short for."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections


class Command(migrate.Command):
    """Migrate; a statement may take as long as millions of rows need, a lock is still given up soon."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Take off the limit that keeps pages and tasks from long statements, for this command only."""
        with connections[options["database"]].cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            super().handle(*args, **options)
            cursor.execute("RESET statement_timeout")
