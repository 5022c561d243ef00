"""A campaign's first and last day, its end, and what becomes of promises."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outreach.domain.standing import Standing
from outreach.models import Call, Callback, CallbackState, Campaign, Facilitator
from outreach.services import campaigns, clock, dialing, dispatching
from outreach.services.finishing import finish, finish_over, promised_in
from tests.factories import a_campaign, a_person, an_agent_worker, prepare
from tests.fakes import FakeTelephony

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


def promised_to(campaign: Campaign, *, in_minutes: int = 0) -> Facilitator:
    """Return somebody whom Alex has promised a call."""
    at = clock.now() + timedelta(minutes=in_minutes)
    person = a_person(campaign, standing=Standing.CALLBACK_DUE.value, next_call_at=at)
    Callback.objects.create(
        facilitator=person, promised_at=at, time_zone=person.time_zone, created_at=clock.now()
    )
    return person


def claimed() -> set[int | None]:
    an_agent_worker()
    ids = dispatching.claim_due() + dispatching.claim_retries()
    return set(Call.objects.filter(pk__in=ids).values_list("facilitator_id", flat=True))


class TestTheFirstDay:
    def test_nobody_is_called_or_moved_before_it(self) -> None:
        campaign = a_campaign(starts_at=clock.now() + timedelta(hours=1))
        person = a_person(campaign)
        before = Facilitator.objects.filter(pk=person.pk).values().get()
        assert claimed() == set()
        assert Facilitator.objects.filter(pk=person.pk).values().get() == before
        Campaign.objects.update(starts_at=clock.now())
        assert claimed() == {person.pk}

    def test_binds_the_last_moment_before_a_dial_too(self) -> None:
        campaign = a_campaign()
        a_person(campaign)
        claimed()
        call = prepare(Call.objects.get())
        Campaign.objects.update(starts_at=clock.now() + timedelta(hours=1))
        telephony = FakeTelephony()
        dialing.dial_call(call_id=call.pk, telephony=telephony)
        assert telephony.orders == []
        assert Call.objects.get().failure_reason == "The campaign's first day has not come yet."


class TestTheLastDay:
    def test_new_people_and_retries_are_over_and_promises_are_kept(self) -> None:
        campaign = a_campaign(ends_at=clock.now())
        a_person(campaign)
        a_person(campaign, standing=Standing.RETRY_DUE.value, attempts_made=1)
        owed = promised_to(campaign)
        assert claimed() == {owed.pk}

    def test_finishes_it_and_leaves_drafts_alone(self) -> None:
        over, draft = a_campaign(ends_at=clock.now()), a_campaign(state="draft", ends_at=clock.now())
        goes_on = a_campaign(ends_at=clock.now() + timedelta(hours=1))
        assert finish_over() == 1
        states = dict(Campaign.objects.values_list("pk", "state"))
        assert states == {over.pk: "finished", draft.pk: "draft", goes_on.pk: "running"}


class TestFinishing:
    def test_keeps_what_was_promised_and_dials_it(self) -> None:
        campaign = a_campaign()
        a_person(campaign)
        owed = promised_to(campaign)
        assert finish(campaign_id=campaign.pk, by="olga", keep_callbacks=True) == 1
        assert claimed() == {owed.pk}
        telephony = FakeTelephony()
        dialing.dial_call(call_id=prepare(Call.objects.get()).pk, telephony=telephony)
        assert [order.to for order in telephony.orders] == [owed.number]

    def test_gives_promises_up_where_everybody_sees_it(self) -> None:
        campaign = a_campaign()
        owed = promised_to(campaign, in_minutes=30)
        assert finish(campaign_id=campaign.pk, by="olga", keep_callbacks=False) == 1
        owed.refresh_from_db()
        assert owed.standing == Standing.HELD.value
        assert owed.standing_reason == "Finished by olga. The promised call was given up."
        assert Callback.objects.get().state == CallbackState.CANCELED
        assert claimed() == set()

    def test_a_pause_endangers_what_is_promised_soon(self) -> None:
        campaign = a_campaign()
        promised_to(campaign, in_minutes=300)
        soon = promised_to(campaign, in_minutes=30)
        until = clock.now() + timedelta(hours=1)
        assert [one.facilitator_id for one in promised_in(campaign.pk, until=until)] == [soon.pk]


class TestACopy:
    def test_has_the_settings_and_nothing_of_what_happened(self) -> None:
        campaign = a_campaign(name="Spring", canary_state="passed", max_attempts=2, ends_at=clock.now())
        a_person(campaign)
        copy = campaigns.duplicate(campaign_id=campaign.pk)
        assert (copy.name, copy.state, copy.canary_state) == ("Spring (copy)", "draft", "none")
        assert (copy.max_attempts, copy.script_id, copy.ends_at) == (2, campaign.script_id, None)
        assert not copy.facilitators.exists()
        assert campaigns.duplicate(campaign_id=copy.pk).name == "Spring (copy 2)"
