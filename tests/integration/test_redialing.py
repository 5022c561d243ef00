"""People who were tried in vain are tried again, by how it ended; whoever said no is not to be had."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from outreach.domain.standing import Standing
from outreach.models import Call, Campaign, Facilitator, Suppression
from outreach.services import clock, dispatching
from outreach.services.redialing import Tried, redial, tried_in_vain
from tests.factories import a_campaign, a_person, an_agent_worker, an_earlier_call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


def exhausted(campaign: Campaign, **last_call: Any) -> Facilitator:
    person = a_person(
        campaign,
        standing=Standing.EXHAUSTED.value,
        standing_reason="Tried.",
        next_call_at=None,
        attempts_made=4,
    )
    an_earlier_call(person, ago=timedelta(days=9), status="busy")
    an_earlier_call(person, ago=timedelta(days=3), **last_call)
    return person


def test_counts_by_the_end_of_the_last_call_and_gives_the_chosen_more_attempts() -> None:
    campaign = a_campaign()
    unanswered = exhausted(campaign, status="no_answer")
    machine = exhausted(
        campaign,
        status="completed",
        answered_at=clock.now(),
        answered_by="voicemail",
        disposition="no_outcome",
    )
    never = exhausted(campaign, status="no_answer")
    Suppression.objects.create(number=never.number, source="operator", created_at=clock.now())
    refused = exhausted(campaign, status="no_answer")
    an_earlier_call(
        a_person(a_campaign(), number=refused.number), ago=timedelta(days=30), disposition="not_interested"
    )
    assert tried_in_vain(campaign) == [
        Tried(outcome="no_answer", n_people=1, n_suppressed=1, n_said_no=1),
        Tried(outcome="voicemail", n_people=1, n_suppressed=0, n_said_no=0),
    ]
    assert redial(campaign_id=campaign.pk, outcomes=["no_answer"], n_attempts=2, by="olga") == 1
    unanswered.refresh_from_db()
    assert (unanswered.standing, unanswered.attempts_made) == (Standing.RETRY_DUE.value, 4)
    assert unanswered.attempts_granted == 2
    kept: Any = unanswered.history.get()
    assert (kept.history_change_reason, kept.attempts_granted) == ("Tried again: 2 more attempts (olga)", 2)
    assert unanswered.not_called_reason == "Tried again: 2 more attempts, given by olga."
    for person in (machine, never, refused):
        person.refresh_from_db()
        assert person.standing == Standing.EXHAUSTED.value
    an_agent_worker()
    (call_id,) = dispatching.claim_retries()
    assert Call.objects.get(pk=call_id).facilitator_id == unanswered.pk


def test_the_caps_of_the_month_hold_all_the_same() -> None:
    campaign = a_campaign()
    person = exhausted(campaign, status="no_answer")
    an_earlier_call(person, ago=timedelta(days=5))
    Facilitator.objects.filter(pk=person.pk).update(consent_basis="inquiry")
    redial(campaign_id=campaign.pk, outcomes=["no_answer"], n_attempts=1, by="olga")
    an_agent_worker()
    assert dispatching.claim_retries() == []
    person.refresh_from_db()
    assert person.not_called_code == "thirty_day_cap"
