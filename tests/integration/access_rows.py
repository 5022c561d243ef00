"""Rows of who looked, who may read, and what goes out: one of each kind that the desk shows."""

from __future__ import annotations

import itertools
import uuid
from datetime import datetime

from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User

from outreach.models import Access, ApiToken, Campaign, HookDelivery, HookEndpoint, Notice

_counter = itertools.count(1)


def an_endpoint(
    *, now: datetime, url: str = "https://crm.example.org/hooks", **fields: object
) -> HookEndpoint:
    """Return an active endpoint that is told of everything."""
    events = ["call.finished", "person.interested", "callback.agreed", "person.opt_out"]
    return HookEndpoint.objects.create(
        **({"url": url, "secret": "whsec", "events": events, "created_at": now} | fields)
    )


def what_goes_out(campaign: Campaign, *, now: datetime) -> None:
    """Make a token, a look, a delivery to an endpoint, a notice, a login and a failed one."""
    n = next(_counter)
    reader = User.objects.create_user(f"reader-{n}", is_staff=True)
    Access.objects.create(user=reader, kind="transcript", what="call 1", at=now)
    ApiToken.objects.create(user=reader, name="CRM", digest=uuid.uuid4().hex, created_at=now)
    HookDelivery.objects.create(
        endpoint=an_endpoint(now=now),
        event_id=uuid.uuid4(),
        event="call.finished",
        due_at=now,
        created_at=now,
    )
    Notice.objects.create(
        code="campaign_held",
        matter=f"campaign:{campaign.pk}:{n}",
        campaign=campaign,
        sentence="Held.",
        raised_at=now,
    )
    AccessAttempt.objects.create(username=f"reader-{n}", ip_address="192.0.2.7", failures_since_start=5)
    AccessLog.objects.create(username=f"reader-{n}", ip_address="192.0.2.7")
