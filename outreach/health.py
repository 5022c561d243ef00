"""Whether a process lives, and whether it can do its work."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from health_check.views import HealthCheckView

from outreach.integrations.words import asking_client


def livez(_request: HttpRequest) -> HttpResponse:
    """Answer while the process lives, whatever it depends on."""
    return HttpResponse("ok", content_type="text/plain")


#: PostgreSQL and Redis answer: 200, else 500 with what does not. `?format=json` for machines.
readyz = HealthCheckView.as_view(
    checks=[
        "health_check.checks.Database",
        ("health_check.contrib.redis.Redis", {"client_factory": asking_client}),
    ]
)
