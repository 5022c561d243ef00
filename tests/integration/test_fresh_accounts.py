"""From an account of this morning to a first call: each refusal is seen once, and in our words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from outreach.domain.account_rules import (
    CALLER_ID,
    CONCURRENCY,
    COUNTRY,
    SUSPENDED,
    TRIAL,
    AccountRule,
    rule_of,
)
from outreach.integrations.telephony import CallOrder, Fault, TelephonyRefused
from outreach.integrations.twilio import TwilioTelephony
from sandbox.settings import SettingsError, settings_from
from tests.integration.outside_world import AUTH_TOKEN, OUR_NUMBER, World, number_of, until

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(state_dir=tmp_path) as world:
        await world.control("accounts", {"profile": "fresh"})
        yield world


async def place(world: World) -> AccountRule | None:
    """Place a call as the product does; return what the account does not allow, None when it is placed."""
    telephony = TwilioTelephony(
        account_sid="AC" + "0" * 32,
        auth_token=AUTH_TOKEN,
        api_url=world.carrier_url,
        hooks_url=world.customer_url,
    )
    order = CallOrder(
        call_id=uuid4(),
        token="t",
        to=number_of("interested"),
        from_=OUR_NUMBER,
        ring_timeout=25,
        max_duration=60,
    )
    try:
        await asyncio.to_thread(telephony.place_call, order)
    except TelephonyRefused as refusal:
        return rule_of(refusal.code) if refusal.fault is Fault.ACCOUNT else None
    return None


async def test_each_refusal_is_seen_once_on_the_way_to_a_first_call(world: World) -> None:
    steps: list[tuple[AccountRule, dict[str, Any]]] = [
        (CALLER_ID, {"verified": [OUR_NUMBER]}),
        (TRIAL, {"trial": False}),
        (COUNTRY, {"countries": ["US"]}),
    ]
    for rule, done in steps:
        assert await place(world) == rule
        await world.control("accounts", {"twilio": done})
    assert await place(world) is None


async def test_a_second_call_at_once_is_refused_until_the_profile_is_approved(world: World) -> None:
    allowed = {"trial": False, "countries": None, "any_caller_id": True}
    await world.control("accounts", {"twilio": allowed})
    assert await place(world) is None
    assert await place(world) == CONCURRENCY
    await until(lambda: any(heard.params.get("CallDuration") for heard in world.customer.heard))
    assert await place(world) is None
    await world.control("accounts", {"twilio": {"calls_at_once": None}})
    assert await place(world) is None


async def test_a_suspended_account_places_nothing(world: World) -> None:
    await world.control("accounts", {"profile": "usual", "twilio": {"suspended": True}})
    assert await place(world) == SUSPENDED


class TestTheSwitches:
    async def test_are_shown_as_they_stand(self, world: World) -> None:
        shown = (await world.control("accounts"))["twilio"]
        assert (shown["trial"], shown["numbers"], shown["countries"]) == (True, [], [])

    @pytest.mark.parametrize(
        "wrong",
        [
            {"profile": "rich"},
            {"vonage": {"trial": True}},
            {"twilio": {"trail": True}},
            {"twilio": {"trial": "yes"}},
            {"twilio": True},
        ],
    )
    async def test_change_nothing_when_one_is_wrong(self, world: World, wrong: dict[str, Any]) -> None:
        before = await world.control("accounts")
        assert "error" in await world.control("accounts", {"twilio": {"balance": "7.00"}} | wrong)
        assert await world.control("accounts") == before

    def test_may_be_chosen_at_start(self) -> None:
        livekit = ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "SIP_USERNAME", "SIP_PASSWORD")
        others = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_BASE_URL", "GROQ_API_KEY")
        given = dict.fromkeys((*livekit, *others), "x")
        assert settings_from(given | {"SANDBOX_ACCOUNTS": "fresh"}).accounts == "fresh"
        with pytest.raises(SettingsError, match="SANDBOX_ACCOUNTS is malformed: no profile 'rich'"):
            settings_from(given | {"SANDBOX_ACCOUNTS": "rich"})
