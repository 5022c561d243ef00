"""A desk with something on it: every model has rows, in the states that an operator meets."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission, User

from outreach.domain.standing import Standing
from outreach.models import (
    Call,
    Callback,
    CallEvent,
    Campaign,
    Decision,
    Facilitator,
    ImportBatch,
    ImportRow,
    IncomingCall,
    Interest,
    Note,
    Suppression,
    Turn,
)
from outreach.services import caller_ids, clock
from tests.factories import a_campaign, a_person, an_agent_worker, an_earlier_call
from tests.integration.access_rows import what_goes_out


def an_operator(*permissions: str, username: str = "olga") -> User:
    """Return somebody who may log in and has exactly these permissions ("outreach.view_call")."""
    user = User.objects.create_user(username, password="a-password-of-tests", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def a_talk(person: Facilitator, **fields: Any) -> Call:
    """Return a finished conversation of four turns and a note; the third turn is missing."""
    call = an_earlier_call(
        person,
        ago=timedelta(hours=2),
        **{
            "status": "completed",
            "disposition": "interested",
            "disposition_seq": 4,
            "answered_by": "human",
            "answered_at": clock.now() - timedelta(hours=2),
            "n_turns": 4,
            "transcript": "incomplete",
            **fields,
        },
    )
    words = [
        (1, "alex", "Hi, this is Alex."),
        (2, "person", "Tell me <b>more</b>."),
        (4, "person", "Yes, please."),
    ]
    for seq, speaker, text in words:
        stage = "opening" if seq < 4 else "close"
        Turn.objects.create(call=call, seq=seq, speaker=speaker, text=text, stage=stage, said_at=clock.now())
    Note.objects.create(call=call, seq=1, text="Prefers mornings", turn_seq=2, noted_at=clock.now())
    return call


def a_live_call(person: Facilitator) -> Call:
    """Return a call in which somebody is talking now."""
    now = clock.now()
    Facilitator.objects.filter(pk=person.pk).update(standing=Standing.IN_CALL.value, next_call_at=None)
    return Call.objects.create(
        facilitator=person,
        campaign=person.campaign,
        script=person.campaign.script,
        number=person.number,
        caller_id="+12025550199",
        kind="first",
        status="in_progress",
        stage="pitch",
        queued_at=now,
        answered_at=now,
    )


def _a_batch(campaign: Campaign) -> ImportBatch:
    return ImportBatch.objects.create(
        campaign=campaign,
        file_name="people.csv",
        sha256="0" * 64,
        state="imported",
        rows_read=9,
        rows_created=7,
        rows_rejected=2,
        delimiter=",",
        mapping={"columns": ["name", "phone"]},
        created_at=clock.now(),
    )


def a_full_desk(n_people: int = 3) -> Campaign:
    """Return a campaign around which every model has rows, each kind at least `n_people` times."""
    campaign = a_campaign(name="Spring", state_reason="")
    an_agent_worker()
    caller_ids.make_rows()
    now = clock.now()
    batch = _a_batch(campaign)
    for n in range(n_people):
        person = a_person(campaign, name=f"Ann Example {n}", organisation="Example School")
        talk = a_talk(person)
        Interest.objects.create(
            facilitator=person, call=talk, turn_seq=4, due_at=now + timedelta(hours=n), created_at=now
        )
        a_live_call(a_person(campaign))
        waiting = a_person(
            campaign, not_called_code="outside_window", not_called_reason="Outside 10:00–13:00 in New York",
            next_call_at=now + timedelta(hours=20), standing="waiting",
        )  # fmt: skip
        Decision.objects.create(
            facilitator=waiting,
            code="outside_window",
            reason="Outside 10:00–13:00 in New York",
            decided_at=now,
        )
        a_person(campaign, standing="held", standing_reason="Their zone is not known", next_call_at=None)
        Callback.objects.create(
            facilitator=a_person(campaign, standing="callback_due"), time_zone="America/New_York",
            created_at=now, promised_at=now + timedelta(minutes=30 - 60 * (n % 2)),
        )  # fmt: skip
        IncomingCall.objects.create(
            twilio_sid=f"CA{uuid.uuid4().hex}", number=person.number, called="+12025550199",
            campaign=campaign, facilitator=person, choice="stop", received_at=now,
        )  # fmt: skip
        Suppression.objects.create(number=f"+1303555010{n}", source="operator", created_at=now)
        CallEvent.objects.create(source="twilio", event_id=str(uuid.uuid4()), kind="ringing", received_at=now)
        ImportRow.objects.create(
            batch=batch,
            line=n + 2,
            code="impossible",
            problem="No such number",
            cells={"name": "X", "phone": "12"},
        )
        what_goes_out(campaign, now=now)
    return campaign
