"""Rows for tests, with the least that makes them real."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import End, Ready
from outreach.domain.disposition import EndedBy
from outreach.domain.standing import CallKind, Standing
from outreach.integrations.telephony import ProviderCall
from outreach.models import (
    AgentWorker,
    Call,
    Campaign,
    CampaignState,
    DialingControl,
    Facilitator,
    PacingBucket,
    ScriptVersion,
)
from outreach.services import clock, dialing, dispatching, facts, progress
from tests.fakes import FakeRooms, FakeTelephony

#: A Tuesday, 10:05 in New York: inside everybody's hours there.
TUESDAY_MORNING = datetime(2026, 3, 3, 15, 5, tzinfo=UTC)

SCRIPT = """
# Who you are
You are Alex of {company}. {platform_facts}

## opening: first_call
Hi {person_name}, this is Alex, an AI assistant of {company}.

## opening: asked_for_callback
Hi {person_name}, this is Alex, an AI assistant of {company}; you asked me to call.

## opening: cut_off
Hi {person_name}, Alex here, an AI assistant of {company}; we were cut off.

## opening: tried_before
Hi {person_name}, Alex here, an AI assistant of {company}; we tried you before.

## closing line
Thank you, goodbye.

## voicemail line
This is Alex of {company}; call us on {callback_number}.
"""

_counter = itertools.count(1)


def set_clock(moment: datetime) -> None:
    """Let the database's clock say `moment` and run on from there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outreach_clock (ahead) VALUES (%s - clock_timestamp())"
            " ON CONFLICT (id) DO UPDATE SET ahead = excluded.ahead",
            [moment],
        )


def pass_time(gone: timedelta) -> datetime:
    """Let `gone` pass and return the moment it is then."""
    set_clock(clock.now() + gone)
    return clock.now()


def a_campaign(**fields: Any) -> Campaign:
    """Return a running campaign that calls fast."""
    n = next(_counter)
    DialingControl.objects.update_or_create(
        pk=1, defaults={"calls_per_second": 1000, "max_open_calls": 1000, "mode": "rehearsal"}
    )
    script = ScriptVersion.objects.create(name=f"script {n}", version=1, body=SCRIPT, created_at=clock.now())
    defaults = {
        "name": f"campaign {n}",
        "state": CampaignState.RUNNING,
        "script": script,
        "company": "Acme",
        "platform": "Acme Circle",
        "platform_facts": "It is free.",
        "caller_ids": ["+12025550199"],
        "default_country": "US",
        "calls_per_second": 1000,
        "max_open_calls": 100,
        "created_at": clock.now(),
    }
    return Campaign.objects.create(**(defaults | fields))


def a_person(campaign: Campaign, **fields: Any) -> Facilitator:
    """Return somebody in New York who is due and may be called."""
    n = next(_counter)
    now = clock.now()
    defaults = {
        "campaign": campaign,
        "name": f"Person {n}",
        "number": f"+1212555{n % 10000:04d}",
        "country": "US",
        "time_zone": "America/New_York",
        "consent_basis": "express_written",
        "standing": Standing.NEW.value,
        "next_call_at": now - timedelta(minutes=1),
        "created_at": now,
        "updated_at": now,
    }
    return Facilitator.objects.create(**(defaults | fields))


def an_agent_worker(*, free: int = 50, worker_id: str = "worker-1") -> AgentWorker:
    """Return a worker that reported just now."""
    worker, _ = AgentWorker.objects.update_or_create(
        worker_id=worker_id, defaults={"places": 50, "free": free, "calls": [], "reported_at": clock.now()}
    )
    return worker


def claim(person: Facilitator) -> Call:
    """Claim this person, as the only one due, and return the call."""
    an_agent_worker()
    ids = dispatching.claim_due() + dispatching.claim_retries()
    return Call.objects.get(pk__in=ids, facilitator=person)


def ready_fact(job_id: str = "job-1") -> Ready:
    """Return what Alex says when he is in the room."""
    return Ready(fact_id=uuid.uuid4(), at=datetime.now(UTC), worker_id="worker-1", job_id=job_id)


def prepare(call: Call, rooms: FakeRooms | None = None) -> Call:
    """Prepare the room and let Alex be ready in it."""
    dialing.prepare_call(call_id=call.pk, rooms=rooms or FakeRooms())
    facts.apply_fact(call_id=call.pk, fact=ready_fact())
    call.refresh_from_db()
    return call


def dial(call: Call, telephony: FakeTelephony) -> Call:
    """Dial a prepared call."""
    PacingBucket.objects.update(tokens=1.0)
    dialing.dial_call(call_id=call.pk, telephony=telephony)
    call.refresh_from_db()
    return call


def a_dialled_call(person: Facilitator, telephony: FakeTelephony | None = None) -> Call:
    """Return a call that the carrier has taken."""
    return dial(prepare(claim(person)), telephony or FakeTelephony())


def provider_says(call: Call, status: CallStatus, *, sid: str | None = None, **fields: Any) -> Any:
    """Apply one status event of the carrier."""
    result = progress.apply_provider_event(
        token=call.token,
        event_id=str(uuid.uuid4()),
        kind=status.value,
        status=status,
        sid=sid or call.twilio_sid or "CA-unexpected",
        payload={},
        **fields,
    )
    call.refresh_from_db()
    return result


def alex_says(call: Call, fact_class: type, **fields: Any) -> Any:
    """Apply one fact of Alex."""
    result = facts.apply_fact(
        call_id=call.pk, fact=fact_class(fact_id=uuid.uuid4(), at=clock.now(), **fields)
    )
    call.refresh_from_db()
    return result


def talk_to_the_end(
    call: Call, *, ended_by: EndedBy = EndedBy.ALEX, n_turns: int = 0, seconds: int = 40
) -> Call:
    """Let the person answer, talk, and the call end on both sides."""
    provider_says(call, CallStatus.IN_PROGRESS)
    alex_says(call, End, n_turns=n_turns, ended_by=ended_by)
    provider_says(call, CallStatus.COMPLETED, duration=seconds)
    return call


def an_earlier_call(person: Facilitator, *, ago: timedelta, **fields: Any) -> Call:
    """Return a settled call of the past."""
    at = clock.now() - ago
    defaults = {
        "facilitator": person,
        "campaign": person.campaign,
        "script": person.campaign.script,
        "number": person.number,
        "caller_id": "+12025550199",
        "kind": CallKind.FIRST.value,
        "status": CallStatus.NO_ANSWER.value,
        "counts": True,
        "queued_at": at,
        "dialing_at": at,
        "placed_at": at,
        "ringing_at": at,
        "ended_at": at,
        "settled_at": at,
    }
    return Call.objects.create(**(defaults | fields))


def provider_call(sid: str, status: CallStatus, created_at: datetime) -> ProviderCall:
    """Return what the carrier would say of a call."""
    return ProviderCall(sid=sid, status=status, created_at=created_at)
