"""LiveKit: the keys, a worker that takes a job, the webhooks; each tried with a room that is thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from django.conf import settings

from outreach.doctor.finding import Check, Finding, Surroundings, fail, ok, warn
from outreach.integrations import livekit_probe
from outreach.integrations.livekit_probe import RoomProbe
from outreach.integrations.telephony import TelephonyError, TelephonyRefused
from outreach.models import CallEvent, EventSource
from outreach.services import capacity, clock, provisioning

KEYS_PAGE = "https://cloud.livekit.io/projects/p_/settings/keys"
#: Seconds that a worker has to take a job: LiveKit asks one worker after the other, each for 7.5 s at most.
TAKEN_WITHIN = 8.0
#: Seconds that LiveKit's own `room_started` has to arrive.
HEARD_WITHIN = 10.0
_LOOK_EVERY = 0.1


def keys(_about: Surroundings) -> Finding:
    """Tell whether LiveKit lets us in."""
    try:
        livekit_probe.room_probe().list_rooms()
    except TelephonyRefused as refusal:
        if refusal.http_status in (401, 403):
            return fail(
                "LiveKit does not know the key in LIVEKIT_API_KEY, or its secret is another one.",
                remedy="Copy key and secret of the project that LIVEKIT_URL names; create a key if need be.",
                page=KEYS_PAGE,
            )
        return fail(f"LiveKit refuses: {refusal}.", remedy="Check LIVEKIT_URL.", page=KEYS_PAGE)
    except TelephonyError as problem:
        return fail(
            f"No LiveKit server answers at LIVEKIT_URL: {problem}.",
            remedy="Check the address (wss://… of the project) and the network.",
            page="https://cloud.livekit.io/projects/p_/settings/project",
        )
    return ok(f"LiveKit answers at {settings.LIVEKIT_URL}.")


def agent(_about: Surroundings) -> Finding:
    """Tell whether a worker takes a job: LiveKit accepts a dispatch that nobody takes, without a word."""
    workers = capacity.live_workers(clock.now())
    probe = livekit_probe.room_probe()
    with _throw_away_room(probe) as room:
        probe.send_agent(room, agent_name=settings.AGENT_NAME)
        taken = _within(TAKEN_WITHIN, lambda: probe.agent_took_it(room))
    name = f'"{settings.AGENT_NAME}"'
    if taken and workers:
        places = sum(worker.places for worker in workers)
        return ok(f"A worker that is registered as {name} took a job; {places} calls at once have a place.")
    if taken:
        return fail(
            f"A worker is registered as {name} at LiveKit, but none reports to the hooks process.",
            remedy="Give the workers our HOOKS_URL and AGENT_SECRET, and look into their log.",
        )
    if workers:
        return fail(
            f"{len(workers)} workers report to us, but none took a job as {name} at {settings.LIVEKIT_URL}.",
            remedy="Give the workers the same AGENT_NAME, LIVEKIT_URL and keys as this process, and look "
            "into their log.",
        )
    return warn(
        f"No agent worker runs, so nobody takes a job as {name}.",
        remedy="Start everything with make up, or a worker by itself: python -m agentworker.",
    )


def webhooks(_about: Surroundings) -> Finding:
    """Tell whether LiveKit reports what happens in rooms to our hooks."""
    since = clock.now()
    probe = livekit_probe.room_probe()
    with _throw_away_room(probe) as room:
        started = CallEvent.objects.filter(
            source=EventSource.LIVEKIT,
            kind="room_started",
            received_at__gte=since,
            payload__room__name=room,
        )
        heard = _within(HEARD_WITHIN, started.exists)
    if heard:
        return ok("LiveKit's own signed webhook arrived.")
    by_hand = provisioning.webhooks_by_hand()
    return fail(
        f"LiveKit did not report a room that was just made, within {HEARD_WITHIN:g} s.",
        remedy=f"{by_hand.says} The hooks process must run and be reached under PUBLIC_BASE_URL.",
        page=by_hand.page,
    )


@contextmanager
def _throw_away_room(probe: RoomProbe) -> Iterator[str]:
    room = f"doctor-{uuid4()}"
    probe.open(room)
    try:
        yield room
    finally:
        # It ends by itself half a minute later.
        with suppress(TelephonyError):
            probe.close(room)


def _within(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY)
    return True


CHECKS = (
    Check(name="livekit.keys", examine=keys),
    Check(name="livekit.agent", examine=agent, after="livekit.keys", seconds=TAKEN_WITHIN + 15),
    Check(name="livekit.webhooks", examine=webhooks, after="livekit.keys", seconds=HEARD_WITHIN + 15),
)
