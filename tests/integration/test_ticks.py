"""Ticks over many campaigns: one that is broken, paused meanwhile or slow takes nothing from the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from outreach.models import Call, Campaign, CampaignState, CanaryState, DialingControl
from outreach.services import campaigns, clock, dispatching, locks
from tests.factories import a_campaign, a_dialled_call, a_person, an_agent_worker, an_earlier_call

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


class TestACampaignWithBrokenHours:
    def test_is_held_with_the_reason_and_the_others_are_called(self) -> None:
        broken, whole = a_campaign(), a_campaign()
        a_person(broken)
        person = a_person(whole)
        Campaign.objects.filter(pk=broken.pk).update(call_window={"0": "always"})
        an_agent_worker()
        dispatching.claim_due()
        assert list(Call.objects.values_list("facilitator_id", flat=True)) == [person.pk]
        broken.refresh_from_db()
        assert (broken.state, broken.release_at) == (CampaignState.HELD, None)
        assert "hours" in broken.state_reason


class TestOneTick:
    def test_keeps_the_locks_of_one_campaign_at_a_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(3):
            campaign = a_campaign()
            for _ in range(4):
                a_person(campaign, time_zone="America/Los_Angeles")
        an_agent_worker()
        sections: list[int] = []
        real = locks.lock_tick

        def lock_tick(name: str) -> None:
            real(name)
            sections.append(len(connection.savepoint_ids))

        monkeypatch.setattr(dispatching, "lock_tick", lock_tick)
        dispatching.claim_due()
        assert len(sections) == 3


class TestTheCanary:
    def test_counts_people_whose_call_the_carrier_took(self) -> None:
        campaign = a_campaign(canary_state=CanaryState.RUNNING, canary_size=2)
        person, other = a_person(campaign), a_person(campaign)
        refused = a_person(campaign, standing="held", standing_reason="x", next_call_at=None)
        an_earlier_call(refused, ago=timedelta(0), status="not_placed", placed_at=None)
        first = a_dialled_call(person)
        Call.objects.filter(pk=first.pk).update(
            status="no_answer", ended_at=clock.now(), settled_at=clock.now()
        )
        an_agent_worker()
        assert len(dispatching.claim_due()) == 1
        assert Call.objects.filter(facilitator=other).exists()

    def test_does_not_overrule_a_pause_of_the_same_moment(self) -> None:
        campaign = a_campaign(canary_state=CanaryState.RUNNING, canary_size=1)
        called = a_person(campaign, standing="exhausted", next_call_at=None)
        an_earlier_call(called, ago=timedelta(0))
        campaigns.pause(campaign_id=campaign.pk, by="anna")
        dispatching._canary_is_over(campaign, clock.now())  # read before the pause
        campaign.refresh_from_db()
        assert (campaign.state, campaign.canary_state) == (CampaignState.PAUSED, CanaryState.RUNNING)


class TestManyCampaignsAtOnce:
    def test_keep_no_more_agents_waiting_than_the_global_pace_can_dial(self) -> None:
        for _ in range(4):
            campaign = a_campaign()
            for _ in range(5):
                a_person(campaign)
        DialingControl.objects.update(calls_per_second=1)
        an_agent_worker()
        dispatching.claim_due()
        assert Call.objects.count() == 5
