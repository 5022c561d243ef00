"""LiveKit's webhooks: somebody joined or left a room. Hints only: LiveKit drops what it cannot deliver."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from outreach.integrations import livekit
from outreach.integrations.storable import storable
from outreach.services import progress
from outreach.webhooks.admission import admits

EVENT = frozenset({"application/webhook+json"})


@admits(EVENT)
def room_event(request: HttpRequest) -> HttpResponse:
    """Apply what happened in a call's room."""
    try:
        event = livekit.parse_webhook(
            body=request.body,
            authorization=request.headers.get("Authorization", ""),
            api_key=settings.LIVEKIT_API_KEY,
            api_secret=settings.LIVEKIT_API_SECRET,
        )
    except livekit.InvalidSignature:
        return HttpResponse(status=403)
    except livekit.MalformedEvent:
        return HttpResponse(status=400)
    structlog.contextvars.bind_contextvars(room=event.room)
    progress.apply_room_event(
        event_id=event.event_id,
        kind=event.kind[:40],
        room=event.room,
        participant_kind=event.participant_kind,
        identity=event.identity,
        payload=storable(event.payload),
    )
    return HttpResponse(status=204)
