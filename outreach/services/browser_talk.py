"""Talking with Alex in the browser: a call without a phone. Nobody is dialled, and nobody's row changes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Least

from outreach.domain import defaults
from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import Brief
from outreach.domain.script import InvalidScript
from outreach.domain.zones import UnknownZone
from outreach.integrations.livekit_browser import BrowserDoor, RoomKey
from outreach.integrations.telephony import Rooms, TelephonyUnavailable
from outreach.models import Call, Campaign, Channel, Facilitator, ScriptVersion
from outreach.services import clock
from outreach.services.briefing import brief_for
from outreach.services.capacity import agent_places
from outreach.services.dialing import LOOK_AGAIN, cancel_before_dial, close_room
from outreach.services.mode import require_own_database
from outreach.services.sample_call import sample_call

logger = logging.getLogger(__name__)

#: Seconds that an empty room waits for the browser, beside those that Alex may take.
BROWSER_COMES_WITHIN = 60

NO_SOUND = (
    "The LiveKit server at LIVEKIT_URL has no rooms with sound, and a talk in the browser needs a real one. "
    "Put DIALING=test, the URL, key and secret of a LiveKit project and a Groq key into .env (without "
    "TEST_NUMBERS no phone can ring) and start manage.py up again: the README's ladder shows the five lines. "
    "To hear Alex without any account, start manage.py up --voice: there he understands only the sentences "
    "that his own people say."
)
UNREACHABLE = (
    "LiveKit cannot be reached. Check LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET; manage.py doctor "
    "says which of them is wrong."
)
NO_PLACE = (
    "No agent worker has a free place for Alex. While manage.py up runs, see logs/agent.log in its data "
    "directory; elsewhere start one with python -m agentworker. Its places are under Machinery → Agent "
    "workers."
)


class CannotTalk(Exception):
    """A talk cannot begin now; the message says why and what to do."""


class NoPlace(CannotTalk):
    """Alex has no free place this moment; asking again within seconds may help."""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """A talk that waits for its browser."""

    call_id: UUID
    key: RoomKey


def why_not(door: BrowserDoor) -> str:
    """Return why browsers cannot talk with the LiveKit server of the settings; empty when they can."""
    try:
        return "" if door.carries_sound() else NO_SOUND
    except TelephonyUnavailable as problem:
        return f"{UNREACHABLE} ({problem})"


def begin_talk(
    *,
    campaign: Campaign,
    script: ScriptVersion,
    person: Facilitator | None,
    requested_by: str,
    rooms: Rooms,
    door: BrowserDoor,
) -> Talk:
    """Send Alex into a new room and return the browser's key to it.

    :param person: whose row is played, with their history; an invented person when none is given.
    :param requested_by: who talks.
    :raises NoPlace: when no agent worker is free.
    :raises CannotTalk: when the rooms carry no sound, LiveKit is away or the script cannot be read.
    """
    require_own_database()
    if obstacle := why_not(door):
        raise CannotTalk(obstacle)
    now = clock.now()
    if not agent_places(now)[0]:
        raise NoPlace(NO_PLACE)
    call = sample_call(campaign=campaign, person=person, script=script, channel=Channel.WEB)
    try:
        brief = brief_for(call, now=now)
    except InvalidScript as problem:
        raise CannotTalk(f"The script cannot be read: {problem}") from problem
    except UnknownZone as unknown:
        raise CannotTalk("Where this person lives is not known: set their country or time zone.") from unknown
    call.facilitator = person  # instead of the invented one, whose row is nowhere
    call.requested_by = requested_by
    call.status = CallStatus.PREPARING.value
    call.queued_at = call.preparing_at = now
    call.deadline_at = now + timedelta(seconds=defaults.READY_DEADLINE)
    call.save(force_insert=True)
    logger.info("talk in the browser requested", extra={"call_id": str(call.pk)})
    _send_alex(call, brief, rooms)
    key = door.key_for(room=call.room, identity=f"web-{call.pk}", name=requested_by)
    return Talk(call_id=call.pk, key=key)


def _send_alex(call: Call, brief: Brief, rooms: Rooms) -> None:
    try:
        rooms.prepare_room(
            room=call.room,
            agent_name=settings.AGENT_NAME,
            metadata=brief.model_dump_json(),
            empty_timeout=defaults.READY_DEADLINE + BROWSER_COMES_WITHIN,
        )
    except TelephonyUnavailable as problem:
        reason = "The room server could not be asked."
        cancel_before_dial(call_id=call.pk, code="rooms_unavailable", reason=reason)
        raise CannotTalk(f"{UNREACHABLE} ({problem})") from problem


def end_talk(*, call_id: UUID, requested_by: str, rooms: Rooms) -> None:
    """Note that whoever began this talk has hung up; done twice is fine, and somebody else's is untouched.

    The browser leaves the room, which Alex sees and reports. If he does not, the sweep ends the talk soon.
    """
    mine = Call.objects.filter(pk=call_id, channel=Channel.WEB.value, requested_by=requested_by).open()
    if not mine.exists():
        return
    if cancel_before_dial(
        call_id=call_id, code="canceled", reason="Hung up before Alex was there.", asked_for=True
    ):
        close_room(call_id=call_id, rooms=rooms)
        return
    now = clock.now()
    soon = now + timedelta(seconds=LOOK_AGAIN)
    mine.update(hangup_at=now, deadline_at=Least("deadline_at", Value(soon)))
