"""The carrier's prices through Twilio's own client, against a carrier that names them late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from outreach.integrations.prices import CallPrice, TwilioPrices
from outreach.integrations.telephony import TelephonyUnavailable
from sandbox.tariff import PRICED_AFTER
from tests.integration.outside_world import AUTH_TOKEN, CONNECT, OUR_NUMBER, World, number_of

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(state_dir=tmp_path) as world:
        yield world


async def price_of(world: World, sid: str) -> CallPrice | None:
    """Ask as the worker does: in a thread."""
    prices = TwilioPrices(account_sid="AC" + "0" * 32, auth_token=AUTH_TOKEN, api_url=world.carrier_url)
    return await asyncio.to_thread(prices.price_of, sid)


async def test_come_some_time_after_the_end_for_both_legs(world: World) -> None:
    world.customer.twiml = CONNECT.format(timeout=5)
    line = await world.open_line()
    placed = await world.place(number_of("interested"))
    assert await price_of(world, placed.sid) == CallPrice(amount=None, currency="USD", legs=())
    assert (await line.receive_json(timeout=5))["type"] == "joined"
    await line.send_json({"type": "said", "utterance": 1, "text": "Hello.", "interrupted": False})
    while (await line.receive_json(timeout=5))["type"] != "said":
        pass
    await asyncio.to_thread(world.twilio.calls(placed.sid).update, status="completed")
    await world.ended(placed.sid)
    assert (await price_of(world, placed.sid)) == CallPrice(amount=None, currency="USD", legs=())
    world.clock.ahead_seconds += PRICED_AFTER.total_seconds() + 1
    priced = await price_of(world, placed.sid)
    assert priced == CallPrice(amount=Decimal("0.014"), currency="USD", legs=(Decimal("0.004"),))
    (leg,) = await asyncio.to_thread(world.twilio.calls.list, parent_call_sid=placed.sid)
    assert (leg.direction, leg.parent_call_sid, leg.to[:4]) == ("outbound-dial", placed.sid, "sip:")
    (call,) = await asyncio.to_thread(world.twilio.calls.list, from_=OUR_NUMBER, to=number_of("interested"))
    assert (call.sid, call.price) == (placed.sid, "-0.01400")


async def test_never_come_for_a_phone_that_only_rang(world: World) -> None:
    placed = await world.place(number_of("busy_first"))
    await world.ended(placed.sid)
    world.clock.ahead_seconds += 86_400
    assert await price_of(world, placed.sid) == CallPrice(amount=None, currency="USD", legs=())


async def test_are_none_of_a_call_that_is_not_known(world: World) -> None:
    assert await price_of(world, "CA" + "0" * 32) is None


async def test_cannot_be_had_from_a_carrier_in_trouble(world: World) -> None:
    world.faults.set({"twilio.api_5xx": 1.0})
    with pytest.raises(TelephonyUnavailable):
        await price_of(world, "CA" + "0" * 32)
