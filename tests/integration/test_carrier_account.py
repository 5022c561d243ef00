"""An account that may not call: said before any phone rings, in the same words everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from outreach.domain.account_rules import SUSPENDED, TRIAL, AccountRule
from outreach.domain.call_status import CallStatus
from outreach.integrations.telephony import AccountState, TelephonyError, TelephonyUnavailable
from outreach.models import Call, CampaignState, CheckResult
from outreach.services import carrier_account, dialing
from tests.factories import a_campaign, a_person, claim, dial, pass_time, prepare
from tests.fakes import FakeRooms, FakeTelephony

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

UPGRADED = AccountState(trial=False, active=True)
ON_TRIAL = AccountState(trial=True, active=True)


@dataclass(kw_only=True)
class FakeAccount:
    """An account that says what the test has it say, and counts how often it was asked."""

    says: AccountState | TelephonyError = UPGRADED
    asked: int = field(default=0)

    def state(self) -> AccountState:
        """Answer."""
        self.asked += 1
        if isinstance(self.says, TelephonyError):
            raise self.says
        return self.says


def look(account: FakeAccount) -> AccountRule | None:
    carrier_account.look_now_and_then(account=account)
    return carrier_account.refusal()


class TestLooking:
    def test_lets_an_upgraded_account_call_and_asks_again_after_a_day(self) -> None:
        account = FakeAccount()
        assert [look(account) for _ in range(3)] == [None] * 3
        assert account.asked == 1
        pass_time(timedelta(hours=25))
        look(account)
        assert account.asked == 2

    @pytest.mark.parametrize(
        ("state", "rule"),
        [(ON_TRIAL, TRIAL), (AccountState(trial=False, active=False), SUSPENDED)],
    )
    def test_says_why_an_account_may_not_call(self, state: AccountState, rule: AccountRule) -> None:
        assert look(FakeAccount(says=state)) == rule

    def test_notices_an_upgrade_at_the_next_call(self) -> None:
        account = FakeAccount(says=ON_TRIAL)
        look(account)
        account.says = UPGRADED
        assert look(account) is None

    def test_refuses_nobody_because_twilio_did_not_answer(self) -> None:
        assert look(FakeAccount(says=TelephonyUnavailable("away"))) is None
        assert not CheckResult.objects.exists()

    def test_refuses_nobody_because_a_check_failed_for_another_reason(self) -> None:
        look(FakeAccount(says=ON_TRIAL))
        CheckResult.objects.update(finding="No answer within 15 s.")
        assert carrier_account.refusal() is None


class TestDialing:
    def test_sends_no_alex_into_a_room_on_a_trial_account(self) -> None:
        campaign, rooms = a_campaign(), FakeRooms()
        call = claim(a_person(campaign))
        look(FakeAccount(says=ON_TRIAL))
        dialing.prepare_call(call_id=call.pk, rooms=rooms)
        assert rooms.prepared == []
        assert_refused(call)

    def test_places_no_call_on_a_trial_account(self) -> None:
        telephony = FakeTelephony()
        call = prepare(claim(a_person(a_campaign())))
        look(FakeAccount(says=ON_TRIAL))
        dial(call, telephony)
        assert telephony.orders == []
        assert_refused(call)


def assert_refused(call: Call) -> None:
    call.refresh_from_db()
    call.campaign.refresh_from_db()
    call.person.refresh_from_db()
    assert (call.status, call.counts, call.failure_reason) == (CallStatus.CANCELED, False, TRIAL.sentence)
    assert (call.campaign.state, call.campaign.release_at) == (CampaignState.HELD, None)
    assert call.campaign.state_reason == TRIAL.sentence
    assert call.person.attempts_made == 0
