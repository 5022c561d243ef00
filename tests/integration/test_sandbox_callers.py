"""People ring the customer's number back in the sandbox, as Twilio tells it and plays the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sandbox.persona import RingsBack
from tests.integration.outside_world import OUR_NUMBER, World, number_of, until

pytestmark = pytest.mark.integration

RING, CHOICE = "/hooks/twilio/incoming", "/hooks/twilio/incoming/choice/1"
OFFER = (
    '<Response><Gather input="dtmf speech" numDigits="1" timeout="6" actionOnEmptyResult="{always}" '
    f'action="{CHOICE}"><Say>{{offer}}</Say></Gather><Redirect>/otherwise</Redirect></Response>'
)
MENU = OFFER.format(always="true", offer="Press 1 to be called back. Press 9, or say: stop.")
STOPPED = "<Response><Say>You will not be called again.</Say><Hangup/></Response>"
PROMISED = "<Response><Say>We will call you back.</Say><Pause/></Response>"


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(state_dir=tmp_path, pace=0.01) as world:
        yield world


async def callers(world: World) -> list[dict[str, Any]]:
    """Return the ledger of those who rang."""
    calls: list[dict[str, Any]] = (await world.control("callers"))["calls"]
    return calls


async def ring_back(world: World, persona: str) -> dict[str, Any]:
    """Let somebody miss a call and ring back until they give up; return their last call."""
    await world.place(number_of(persona), timeout=5)
    await until(lambda: world.customer.statuses()[-1:] in (["no-answer"], ["busy"]))
    deadline = asyncio.get_running_loop().time() + 5
    while (await world.control("state"))["open_calls"]:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)
    return (await callers(world))[-1]


class TestRingingBack:
    async def test_asks_the_number_as_twilio_does_and_presses_a_key(self, world: World) -> None:
        world.customer.documents = {RING: MENU, CHOICE: PROMISED}
        ended = await ring_back(world, "rings_back")
        asked, chosen = (heard for heard in world.customer.heard if heard.path.startswith(RING))
        told = {name: value for name, value in asked.params.items() if not name.endswith("Sid")}
        assert asked.is_signed
        assert chosen.is_signed
        assert told == {
            "ApiVersion": "2010-04-01", "CallStatus": "ringing", "Direction": "inbound",
            "From": number_of("rings_back"), "Caller": number_of("rings_back"),
            "To": OUR_NUMBER, "Called": OUR_NUMBER,
        }  # fmt: skip
        assert (chosen.params["Digits"], chosen.params["CallStatus"]) == ("1", "in-progress")
        assert chosen.params["CallSid"] == asked.params["CallSid"]
        assert (ended["wish"], ended["confirmed"]) == ("callback", True)
        assert ended["heard"][-1] == "We will call you back."

    async def test_can_be_looked_up_as_an_inbound_call(self, world: World) -> None:
        world.customer.documents = {RING: MENU, CHOICE: PROMISED}
        ended = await ring_back(world, "rings_back")
        shown = await asyncio.to_thread(world.twilio.calls(ended["call_sid"]).fetch)
        assert (shown.direction, shown.status, shown.to) == ("inbound", "completed", OUR_NUMBER)

    async def test_says_a_word_where_words_are_listened_for(self, world: World) -> None:
        world.customer.documents = {RING: MENU, CHOICE: STOPPED}
        ended = await ring_back(world, "rings_back_and_says_stop")
        assert world.customer.only(CHOICE).params["SpeechResult"] == "Stop."
        assert (ended["wish"], ended["chose"], ended["confirmed"]) == ("stop", "Stop.", True)

    async def test_enters_nothing_that_was_not_offered_and_rings_again(self, world: World) -> None:
        world.customer.documents = {RING: OFFER.format(always="true", offer="Press 5 for our opening hours.")}
        ended = await ring_back(world, "rings_back_to_be_left_alone")
        assert (ended["chose"], ended["confirmed"], len(await callers(world))) == ("", False, 3)
        silences = [heard for heard in world.customer.heard if heard.path == CHOICE]
        assert [silence.params.get("Digits") for silence in silences] == [None] * 3

    async def test_goes_on_after_a_silence_that_nobody_asks_about(self, world: World) -> None:
        world.customer.documents = {RING: OFFER.format(always="false", offer="Good day.")}
        await ring_back(world, "rings_back")
        assert any(heard.path == "/otherwise" for heard in world.customer.heard)

    async def test_reaches_nobody_where_the_number_was_never_set_up(self, world: World) -> None:
        world.accounts.set({"twilio": {"any_caller_id": False, "numbers": [OUR_NUMBER]}})
        assert (await ring_back(world, "rings_back"))["error_codes"] == [11100]

    async def test_nobody_rings_back_but_those_whose_way_it_is(self, world: World) -> None:
        await world.place(number_of("busy_first"))
        await until(lambda: "busy" in world.customer.statuses())
        assert (await world.control("state"))["open_calls"] == 0
        assert await callers(world) == []


@pytest.mark.parametrize(
    ("wish", "stops"),
    [(RingsBack(presses="1"), False), (RingsBack(presses="9"), True), (RingsBack(says="Stop."), True)],
)
def test_a_wish_to_be_left_alone_is_known_as_one(wish: RingsBack, stops: bool) -> None:
    assert wish.stops is stops
