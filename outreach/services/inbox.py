"""The raw inbox: an event from outside is stored once; a repeat is known and changes nothing."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import connection

from outreach.models import Call, EventSource


def store_event(
    *,
    source: EventSource,
    event_id: str,
    kind: str,
    call: Call | None,
    payload: dict[str, Any],
    now: datetime,
    incident: bool = False,
) -> bool:
    """Store one event; return whether it is new."""
    # The insert itself tells a repeat: two copies may arrive at the same moment.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outreach_callevent (source, event_id, kind, call_id, payload, incident, received_at)"
            " VALUES (%s, %s, %s, %s, %s::jsonb, %s, %s) ON CONFLICT (source, event_id) DO NOTHING",
            [
                source.value,
                event_id[:160],
                kind[:40],
                call.pk if call else None,
                json.dumps(payload),
                incident,
                now,
            ],
        )
        return bool(cursor.rowcount == 1)


def store_incident(*, call: Call, kind: str, event_id: str, now: datetime, **details: Any) -> None:
    """Store something that must not happen, for people to look into."""
    store_event(
        source=EventSource.OURS,
        event_id=f"{kind}:{event_id}",
        kind=kind,
        call=call,
        payload=details,
        now=now,
        incident=True,
    )
