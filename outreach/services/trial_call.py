"""The call that an operator asks for first: their own phone rings, and Alex talks as he will with people.

The same room, brief, intent and carrier as for everybody; outside every statistic, cap and standing.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from outreach.domain import defaults
from outreach.domain.call_status import CallStatus
from outreach.domain.call_window import UnknownZone
from outreach.domain.contracts import Brief
from outreach.domain.phone_number import InvalidNumber, parse_number
from outreach.domain.script import InvalidScript
from outreach.integrations.telephony import Rooms, TelephonyUnavailable
from outreach.models import Call, Campaign, Channel, DialingControl, Facilitator
from outreach.services import carrier_account, clock
from outreach.services.briefing import brief_for
from outreach.services.capacity import agent_places
from outreach.services.dialing import cancel_before_dial
from outreach.services.locks import lock_number
from outreach.services.mode import require_own_database
from outreach.services.own_phone import refuse_own_phone
from outreach.services.sample_call import sample_call

logger = logging.getLogger(__name__)

NO_PLACE = "No agent worker has a free place for Alex. Start one (python -m agentworker), or wait a moment."
UNREACHABLE = "LiveKit cannot be reached, so Alex has no room. manage.py doctor says what is wrong."


class CannotTry(Exception):
    """No trial call can be made now; the message says why and what to do."""


def call_me(
    *, campaign: Campaign, person: Facilitator | None, number: str, requested_by: str, rooms: Rooms
) -> UUID:
    """Send Alex into a room; as soon as he is ready, the operator's own phone rings. Return the call.

    :param person: whose row Alex is told, with its history; an invented person when none is given.
    :param number: the operator's own, in any spelling.
    :raises CannotTry: with the reason, when this phone may not ring now.
    """
    require_own_database()
    if not campaign.caller_ids:
        raise CannotTry("The campaign has no caller ID. Add a number that Twilio lets you call from.")
    try:
        wanted = parse_number(number, default_country=campaign.default_country).e164
    except InvalidNumber as invalid:
        raise CannotTry(str(invalid)) from invalid
    account = carrier_account.refusal()
    if account is not None:
        raise CannotTry(account.sentence)
    if not agent_places(clock.now())[0]:
        raise CannotTry(NO_PLACE)
    call, brief = _open(campaign, person, wanted, requested_by)
    logger.info("trial call requested", extra={"call_id": str(call.pk)})
    _send_alex(call, brief, rooms)
    return call.pk


@transaction.atomic
def _open(campaign: Campaign, person: Facilitator | None, number: str, by: str) -> tuple[Call, Brief]:
    if DialingControl.objects.get(pk=1).stopped:
        raise CannotTry("All dialing is stopped. Lift the stop on the dashboard first.")
    lock_number(number)
    now = clock.now()
    refusal = refuse_own_phone(number, now=now)
    if refusal is not None:
        raise CannotTry(refusal.reason)
    call = sample_call(campaign=campaign, person=person, channel=Channel.TRIAL)
    try:
        brief = brief_for(call, now=now)
    except InvalidScript as problem:
        raise CannotTry(f"The script cannot be read: {problem}") from problem
    except UnknownZone as unknown:
        raise CannotTry("Where this person lives is not known: set their country or time zone.") from unknown
    call.facilitator = person  # instead of the invented one, whose row is nowhere
    call.number = number
    call.caller_id = campaign.caller_ids[0]
    call.requested_by = by
    call.status = CallStatus.PREPARING.value
    call.queued_at = call.preparing_at = now
    call.deadline_at = now + timedelta(seconds=defaults.READY_DEADLINE)
    call.save(force_insert=True)
    return call, brief


def _send_alex(call: Call, brief: Brief, rooms: Rooms) -> None:
    patience = defaults.READY_DEADLINE + 2 * defaults.PROVIDER_QUEUE + call.campaign.ring_timeout + 60
    try:
        rooms.prepare_room(
            room=call.room,
            agent_name=settings.AGENT_NAME,
            metadata=brief.model_dump_json(),
            empty_timeout=patience,
        )
    except TelephonyUnavailable as problem:
        reason = "The room server could not be asked."
        cancel_before_dial(call_id=call.pk, code="rooms_unavailable", reason=reason, asked_for=True)
        raise CannotTry(f"{UNREACHABLE} ({problem})") from problem
