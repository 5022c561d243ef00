"""Whether a process lives, and whether it can do its work."""

from __future__ import annotations

import dataclasses

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable
from health_check.views import HealthCheckView

from outreach.integrations.words import asking_client


def livez(_request: HttpRequest) -> HttpResponse:
    """Answer while the process lives, whatever it depends on."""
    return HttpResponse("ok", content_type="text/plain")


@dataclasses.dataclass
class TablesAreMade(HealthCheck):
    """The database has every migration of this code; one of newer code that was rolled back does no harm."""

    def run(self) -> None:
        """Ask the database what is applied.

        :raises ServiceUnavailable: when a migration is missing, or nobody can be asked.
        """
        try:
            executor = MigrationExecutor(connection)
            missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseError as exc:
            raise ServiceUnavailable(f"The database could not be asked ({type(exc).__name__}).") from exc
        finally:
            # A check runs in a thread of its own: what it opened would never be used again.
            connection.close()
        if missing:
            raise ServiceUnavailable(f"{len(missing)} migrations are not applied: run manage.py migrate.")


#: PostgreSQL and Redis answer and the tables are made: 200, else 500 with what is not so.
#: `?format=json` for machines.
readyz = HealthCheckView.as_view(
    checks=[
        "health_check.checks.Database",
        TablesAreMade,
        ("health_check.contrib.redis.Redis", {"client_factory": asking_client}),
    ]
)
