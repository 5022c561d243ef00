"""Finding who may be called, and claiming them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from outreach.domain.standing import CallKind, Standing
from outreach.models import (
    Call,
    Callback,
    CampaignState,
    CanaryState,
    Decision,
    DialingControl,
    Facilitator,
    Suppression,
)
from outreach.services import claiming, clock, dispatching
from tests.factories import a_campaign, a_person, an_agent_worker, an_earlier_call, claim, pass_time

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


def called_people() -> list[int]:
    """Return the people with a call, in the order of their claim."""
    return list(Call.objects.order_by("queued_at", "pk").values_list("facilitator_id", flat=True))


class TestClaimDue:
    def test_claims_by_priority_then_by_who_is_due_longest(self) -> None:
        campaign = a_campaign(max_open_calls=2)
        late = a_person(campaign, priority=5)
        early = a_person(campaign, priority=5, next_call_at=clock.now() - timedelta(hours=1))
        first = a_person(campaign, priority=1)
        an_agent_worker()

        dispatching.claim_due()

        assert set(called_people()) == {first.pk, early.pk}
        late.refresh_from_db()
        assert late.standing == Standing.NEW

    def test_sets_the_person_in_call_and_off_the_queue(self) -> None:
        person = a_person(a_campaign())
        call = claim(person)
        person.refresh_from_db()
        assert (person.standing, person.next_call_at) == (Standing.IN_CALL, None)
        assert call.kind == CallKind.FIRST

    def test_claims_nobody_twice_however_often_the_tick_comes(self) -> None:
        campaign = a_campaign()
        for _ in range(3):
            a_person(campaign)
        an_agent_worker()
        for _ in range(4):
            dispatching.claim_due()
            dispatching.claim_retries()
        assert len(called_people()) == len(set(called_people())) == 3

    def test_claims_no_more_than_the_agents_have_places(self) -> None:
        campaign = a_campaign()
        for _ in range(5):
            a_person(campaign)
        an_agent_worker(free=2)
        dispatching.claim_due()
        dispatching.claim_due()
        assert len(called_people()) == 2

    def test_claims_nobody_without_a_live_agent_worker(self) -> None:
        a_person(a_campaign())
        an_agent_worker()
        pass_time(timedelta(seconds=30))
        assert dispatching.claim_due() == []

    def test_claims_callbacks_before_anybody_else(self) -> None:
        campaign = a_campaign(max_open_calls=1)
        a_person(campaign, priority=1)
        promised = a_person(campaign, priority=9, standing=Standing.CALLBACK_DUE.value)
        callback = Callback.objects.create(
            facilitator=promised,
            promised_at=clock.now(),
            time_zone="America/New_York",
            created_at=clock.now(),
        )
        an_agent_worker()
        dispatching.claim_due()
        call = Call.objects.get()
        assert (call.facilitator, call.callback, call.kind) == (promised, callback, CallKind.CALLBACK)

    def test_keeps_a_fifth_for_retries_while_some_are_due(self) -> None:
        campaign = a_campaign(max_open_calls=5)
        for _ in range(10):
            a_person(campaign)
        a_person(campaign, standing=Standing.RETRY_DUE.value)
        an_agent_worker()
        assert len(dispatching.claim_due()) == 4
        assert len(dispatching.claim_retries()) == 1

    def test_makes_every_fifth_call_a_due_retry_where_there_is_one_place(self) -> None:
        campaign = a_campaign(max_open_calls=1)
        for _ in range(12):
            a_person(campaign)
            a_person(campaign, standing=Standing.RETRY_DUE.value)
        kinds = []
        for _ in range(10):
            an_agent_worker()
            dispatching.claim_due()
            dispatching.claim_retries()
            kinds.append(Call.objects.open().get().kind)
            over = pass_time(timedelta(seconds=1))
            Call.objects.open().update(status="no_answer", ended_at=over, settled_at=over)
        assert kinds == (["first"] * 4 + ["retry"]) * 2

    def test_retries_take_what_else_is_free(self) -> None:
        campaign = a_campaign(max_open_calls=5)
        for _ in range(10):
            a_person(campaign, standing=Standing.RETRY_DUE.value)
        an_agent_worker()
        assert dispatching.claim_due() == []
        assert len(dispatching.claim_retries()) == 5

    def test_shares_the_places_between_campaigns(self) -> None:
        busy, idle = a_campaign(), a_campaign()
        for _ in range(5):
            a_person(busy)
        an_agent_worker(free=5)
        dispatching.claim_due()
        a_person(busy)
        waiting = a_person(idle)
        an_agent_worker(free=6)
        dispatching.claim_due()
        assert waiting.pk in called_people()


class TestRefusals:
    def test_moves_nobody_while_all_dialing_is_stopped(self) -> None:
        person = a_person(a_campaign())
        an_agent_worker()
        DialingControl.objects.update(stopped=True)
        before = Facilitator.objects.values().get(pk=person.pk)
        assert dispatching.claim_due() == []
        assert Facilitator.objects.values().get(pk=person.pk) == before
        assert not Decision.objects.exists()

    @pytest.mark.parametrize("state", [CampaignState.DRAFT, CampaignState.PAUSED, CampaignState.FINISHED])
    def test_moves_nobody_of_a_campaign_that_does_not_run(self, state: CampaignState) -> None:
        a_person(a_campaign(state=state))
        an_agent_worker()
        assert dispatching.claim_due() == []
        assert not Decision.objects.exists()

    def test_moves_on_to_the_opening_of_the_hours_and_says_why(self) -> None:
        person = a_person(a_campaign(), time_zone="America/Los_Angeles")
        an_agent_worker()
        dispatching.claim_due()
        person.refresh_from_db()
        assert person.standing == Standing.NEW
        assert person.next_call_at is not None
        assert person.next_call_at.isoformat() == "2026-03-03T18:00:00+00:00"
        assert "America/Los_Angeles" in person.not_called_reason

    def test_writes_a_decision_only_when_the_reason_changes(self) -> None:
        person = a_person(a_campaign(), time_zone="America/Los_Angeles")
        an_agent_worker()
        dispatching.claim_due()
        Facilitator.objects.update(next_call_at=clock.now())
        dispatching.claim_due()
        assert Decision.objects.filter(facilitator=person).count() == 1

    def test_a_suppressed_number_is_never_claimed(self) -> None:
        person = a_person(a_campaign())
        Suppression.objects.create(number=person.number, source="operator", created_at=clock.now())
        an_agent_worker()
        assert dispatching.claim_due() == []
        person.refresh_from_db()
        assert person.standing == Standing.SUPPRESSED

    def test_a_no_in_another_campaign_keeps_the_number_quiet(self) -> None:
        person = a_person(a_campaign())
        elsewhere = a_person(a_campaign(), number=person.number, standing="not_interested", next_call_at=None)
        an_earlier_call(elsewhere, ago=timedelta(days=30), disposition="not_interested", status="completed")
        an_agent_worker()
        dispatching.claim_due()
        person.refresh_from_db()
        assert not Call.objects.filter(facilitator=person).exists()
        assert person.not_called_code != ""

    def test_one_refused_person_does_not_cost_another_the_place(self) -> None:
        campaign = a_campaign(max_open_calls=1)
        for _ in range(30):
            a_person(campaign, priority=1, time_zone="America/Los_Angeles")
        callable_person = a_person(campaign, priority=9)
        an_agent_worker()
        dispatching.claim_due()
        assert called_people() == [callable_person.pk]


class TestOneLiveCallPerNumber:
    def test_skips_the_row_whose_number_is_on_another_call_and_keeps_the_batch(self) -> None:
        campaign, other = a_campaign(), a_campaign()
        twin_here, twin_there = (
            a_person(campaign, number="+12125559001"),
            a_person(other, number="+12125559001"),
        )
        single = a_person(campaign)
        an_agent_worker()
        dispatching.claim_due()
        called = set(called_people())
        assert single.pk in called
        assert len(called & {twin_here.pk, twin_there.pk}) == 1

    def test_two_rows_of_one_number_in_one_campaign_tick_cannot_both_be_inserted(self) -> None:
        campaign = a_campaign()
        twin, other = a_person(campaign), a_person(a_campaign(state=CampaignState.PAUSED))
        Call.objects.create(
            facilitator=other, campaign=other.campaign, script=other.campaign.script, number=twin.number,
            caller_id="+12025550199", kind="first", queued_at=clock.now(),
        )  # fmt: skip
        an_agent_worker()
        assert dispatching.claim_due() == []
        twin.refresh_from_db()
        assert twin.not_called_code == "on_another_call"


class TestCanary:
    def test_calls_one_at_a_time_and_holds_after_the_first_people(self) -> None:
        campaign = a_campaign(canary_state=CanaryState.RUNNING, canary_size=1)
        first, second = a_person(campaign), a_person(campaign)
        an_agent_worker()
        assert len(dispatching.claim_due()) == 1
        assert dispatching.claim_due() == []
        Call.objects.update(
            status="no_answer", placed_at=clock.now(), ended_at=clock.now(), settled_at=clock.now()
        )
        assert dispatching.claim_due() == []
        campaign.refresh_from_db()
        assert (campaign.state, campaign.canary_state) == (CampaignState.HELD, CanaryState.WAITING)
        assert {first.pk, second.pk} > set(called_people())


class TestMissedCallback:
    def test_is_flagged_and_moved_to_the_next_such_slot_instead_of_ringing_late(self) -> None:
        campaign = a_campaign()
        person = a_person(
            campaign, standing=Standing.CALLBACK_DUE.value, next_call_at=clock.now() - timedelta(minutes=45)
        )
        callback = Callback.objects.create(
            facilitator=person,
            promised_at=clock.now() - timedelta(minutes=45),
            time_zone="America/New_York",
            created_at=clock.now(),
        )
        an_agent_worker()
        assert dispatching.claim_due() == []
        person.refresh_from_db()
        callback.refresh_from_db()
        assert callback.was_missed
        assert person.next_call_at is not None
        assert person.next_call_at > clock.now() + timedelta(hours=12)


class TestCallNow:
    def test_goes_through_the_gate(self) -> None:
        person = a_person(a_campaign(), consent_basis="")
        with pytest.raises(dispatching.CannotCall, match="consent"):
            dispatching.call_now(facilitator_id=person.pk, requested_by="anna")

    def test_says_what_a_campaign_without_a_number_of_its_own_lacks(self) -> None:
        person = a_person(a_campaign(state="draft", caller_ids=[]))
        with pytest.raises(dispatching.CannotCall, match="no caller ID"):
            dispatching.call_now(facilitator_id=person.pk, requested_by="anna")

    def test_refuses_somebody_who_is_in_a_call(self) -> None:
        person = a_person(a_campaign())
        claim(person)
        with pytest.raises(dispatching.CannotCall, match="in a call"):
            dispatching.call_now(facilitator_id=person.pk, requested_by="anna")

    def test_claims_out_of_turn(self) -> None:
        person = a_person(a_campaign(), next_call_at=clock.now() + timedelta(days=3))
        call_id = dispatching.call_now(facilitator_id=person.pk, requested_by="anna")
        assert Call.objects.get(pk=call_id).kind == CallKind.MANUAL


class TestTheIndex:
    def test_the_claim_reads_due_rows_in_order_from_the_partial_index(self) -> None:
        campaign = a_campaign()
        template = a_person(campaign)
        waiting = [
            Facilitator(
                campaign=campaign, name="x", number=f"+1646{n:07d}", priority=1 + n % 9,
                next_call_at=template.next_call_at, created_at=clock.now(), updated_at=clock.now(),
            )
            for n in range(3000)
        ]  # fmt: skip
        Facilitator.objects.bulk_create(waiting)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE outreach_facilitator")
            sql, params = claiming.due(campaign, CallKind.FIRST, clock.now())[:10].query.sql_with_params()
            cursor.execute("EXPLAIN " + sql, params)
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "Index Scan using facilitator_due_new" in plan
        assert "Sort" not in plan
