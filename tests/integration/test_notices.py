"""Operators are told what needs them: once per matter until it is over, by mail and in a chat channel."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from unittest.mock import Mock

import pytest
from django.core import mail
from pytest_django import Settings

from outreach import tasks
from outreach.doctor.finding import Check, Result, Surroundings
from outreach.domain.account_rules import BALANCE_CHECK, BILLING_PAGE
from outreach.integrations.hook_posts import NotPosted
from outreach.integrations.telephony import TelephonyUnavailable
from outreach.integrations.twilio_account import Balance
from outreach.models import Callback, Campaign, CheckResult, DialingControl, ImportBatch, Notice
from outreach.services import campaigns, clock, notices
from outreach.services.notice_matters import DIALS
from tests.factories import a_campaign, a_person, an_earlier_call, pass_time

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]


@dataclass
class Chat:
    """A chat channel's incoming webhook."""

    works: bool = True
    said: list[str] = field(default_factory=list)

    def __call__(self, url: str, *, body: bytes, headers: dict[str, str], private: bool) -> int:
        if not self.works:
            raise NotPosted("no answer in time")
        self.said.append(json.loads(body)["text"])
        return 200


@pytest.fixture
def chat(settings: Settings) -> Chat:
    settings.NOTICE_EMAILS = ["desk@example.org"]
    settings.EMAIL_HOST = "mail.example.org"
    settings.NOTICE_WEBHOOK_URL = "https://chat.example.org/hook"
    settings.ADMIN_BASE_URL = "https://admin.example.org"
    a_campaign()
    return Chat()


def a_held_campaign() -> Campaign:
    campaign = a_campaign(name="Spring")
    campaigns.hold(campaign_id=campaign.pk, reason="Twilio refuses the caller ID", release_after=None)
    return campaign


class TestAMatter:
    def test_is_told_once_with_the_page_to_open(self, chat: Chat) -> None:
        campaign = a_held_campaign()
        assert [notices.send_notices(post=chat) for _ in range(2)] == [1, 0]
        sentence = (
            "The campaign “Spring” is held: Twilio refuses the caller ID. Resume it when that is mended. "
            f"https://admin.example.org/admin/outreach/campaign/{campaign.pk}/change/"
        )
        assert chat.said == [sentence]
        (message,) = mail.outbox
        assert (message.to, message.subject) == (["desk@example.org"], "Outreach: Campaign held")
        assert message.body == sentence

    def test_is_told_anew_after_it_was_over(self, chat: Chat) -> None:
        campaign = a_held_campaign()
        notices.send_notices(post=chat)
        Campaign.objects.filter(pk=campaign.pk).update(state="running")
        notices.send_notices(post=chat)
        assert Notice.objects.get().over_at is not None
        campaigns.hold(campaign_id=campaign.pk, reason="No agent became ready.", release_after=None)
        assert notices.send_notices(post=chat) == 1

    def test_waits_for_a_way_that_works(self, chat: Chat, settings: Settings) -> None:
        settings.NOTICE_EMAILS = []
        a_held_campaign()
        chat.works = False
        assert notices.send_notices(post=chat) == 0
        chat.works = True
        assert notices.send_notices(post=chat) == 1

    def test_is_listed_though_nobody_is_to_be_told(self, chat: Chat, settings: Settings) -> None:
        settings.NOTICE_EMAILS, settings.NOTICE_WEBHOOK_URL = [], ""
        a_held_campaign()
        assert notices.send_notices(post=chat) == 0
        assert Notice.objects.get().sent_at is None

    def test_comes_with_all_others_in_one_message(self, chat: Chat) -> None:
        a_held_campaign()
        campaigns.stop_all_dialing(by="olga", reason="complaints")
        assert notices.send_notices(post=chat) == 2
        assert len(chat.said) == len(mail.outbox) == 1
        assert "All dialing is stopped by olga: complaints. Nobody is called" in chat.said[0]


def held_by_itself() -> None:
    campaigns.hold(campaign_id=a_campaign().pk, reason="Models fail.", release_after=timedelta(minutes=10))
    pass_time(timedelta(minutes=6))


def canary_waits() -> None:
    a_campaign(canary_state="waiting", state="held", state_reason="Canary.")


def balance_is_low() -> None:
    CheckResult.objects.create(
        name=BALANCE_CHECK, area="twilio", status="warn", finding="The balance is USD 3.",
        remedy="Add money.", page=BILLING_PAGE, checked_at=clock.now(),
    )  # fmt: skip


def nobody_answers() -> None:
    campaign = a_campaign()
    for n in range(DIALS):
        an_earlier_call(a_person(campaign), ago=timedelta(minutes=n + 1))


def a_callback_is_late() -> None:
    promised_at = clock.now() - timedelta(minutes=31)
    Callback.objects.create(
        facilitator=a_person(a_campaign()), promised_at=promised_at, time_zone="UTC", created_at=promised_at
    )


def an_import_is_over() -> None:
    now = clock.now()
    ImportBatch.objects.create(
        campaign=a_campaign(), file_name="x.csv", sha256="0", state="imported", rows_created=7,
        created_at=now, finished_at=now,
    )  # fmt: skip


class TestHoldsThatEndByThemselves:
    """An outage is many short holds with a moment of calling between them."""

    def hold_for_two_minutes(self) -> None:
        campaign = Campaign.objects.get()
        campaigns.hold(campaign_id=campaign.pk, reason="5 in a row.", release_after=timedelta(minutes=2))

    def call_again(self) -> None:
        pass_time(timedelta(minutes=2))
        assert campaigns.release_held() == 1
        pass_time(timedelta(seconds=50))

    def test_are_told_once_when_they_have_lasted_for_five_minutes(self, chat: Chat) -> None:
        told = []
        for _ in range(4):
            self.hold_for_two_minutes()
            told.append(notices.send_notices(post=chat))
            self.call_again()
            told.append(notices.send_notices(post=chat))
        assert told == [0, 0, 0, 0, 1, 0, 0, 0]
        assert "held: 5 in a row. It tries again by itself." in chat.said[0]
        pass_time(timedelta(minutes=10))
        notices.send_notices(post=chat)
        assert Notice.objects.get().over_at is not None
        self.hold_for_two_minutes()
        assert notices.send_notices(post=chat) == 0

    def test_are_over_when_an_operator_starts_it_and_told_anew_when_one_must(self, chat: Chat) -> None:
        self.hold_for_two_minutes()
        pass_time(timedelta(minutes=6))
        campaign = Campaign.objects.get()
        assert notices.send_notices(post=chat) == 1
        campaigns.start(campaign_id=campaign.pk, by="olga")
        campaigns.hold(campaign_id=campaign.pk, reason="Bad key.", release_after=None)
        assert notices.send_notices(post=chat) == 1
        assert Notice.objects.filter(over_at=None).count() == 1


class TestTheBalance:
    @pytest.mark.parametrize(
        ("answer", "told"), [(Balance(amount=Decimal(0), currency="USD"), 1), (TelephonyUnavailable("x"), 0)]
    )
    def test_is_asked_for_by_a_tick(
        self,
        chat: Chat,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
        answer: Balance | Exception,
        told: int,
    ) -> None:
        settings.TWILIO_ACCOUNT_SID = "AC" + "0" * 32
        account = Mock(balance=Mock(side_effect=[answer]))
        monkeypatch.setattr("outreach.integrations.twilio_account.account", lambda: account)
        monkeypatch.setattr("outreach.doctor.examining.run", run_here)
        tasks.look_at_balance()
        assert notices.send_notices(post=chat) == told


def run_here(checks: list[Check], about: Surroundings) -> list[Result]:
    """Make checks without threads, whose connections would not see this test's rows."""
    return [Result(check=check, finding=check.examine(about), seconds=0) for check in checks]


class TestWhatIsTold:
    @pytest.mark.parametrize(
        ("happens", "code"),
        [
            (held_by_itself, "campaign_held"),
            (canary_waits, "canary_waiting"),
            (balance_is_low, "low_balance"),
            (nobody_answers, "nobody_answers"),
            (a_callback_is_late, "callbacks_late"),
            (an_import_is_over, "import_finished"),
        ],
    )
    def test_includes(self, chat: Chat, happens: Callable[[], None], code: str) -> None:
        happens()
        assert notices.send_notices(post=chat) == 1
        assert Notice.objects.get().code == code

    def test_leaves_out_what_is_in_order(self, chat: Chat) -> None:
        campaign = a_campaign()
        campaigns.hold(campaign_id=campaign.pk, reason="Models fail.", release_after=timedelta(minutes=10))
        calling = a_campaign()
        for n in range(DIALS):
            an_earlier_call(
                a_person(calling),
                ago=timedelta(minutes=n + 1),
                answered_at=clock.now() if n == 7 else None,
            )
        assert not DialingControl.objects.get().stopped
        assert notices.send_notices(post=chat) == 0
        assert not Notice.objects.exists()

    def test_ends_with_an_hour_where_it_was_over_at_once(self, chat: Chat) -> None:
        an_import_is_over()
        notices.send_notices(post=chat)
        pass_time(timedelta(minutes=61))
        assert notices.send_notices(post=chat) == 0
        assert Notice.objects.get().over_at is not None
