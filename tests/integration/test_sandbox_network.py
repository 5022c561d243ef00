"""The emulated carrier, seen by Twilio's own client and request validator."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import requests
from twilio.base.exceptions import TwilioRestException

from sandbox.faults import CREATE_FAULTS, PRESETS, Faults, UnknownFault
from sandbox.settings import SettingsError, settings_from
from sandbox.twiml import Dial, InvalidTwiml, SipAddress, parse
from tests.integration.outside_world import CONNECT, OUR_NUMBER, ROOM, World, number_of, until

pytestmark = pytest.mark.integration

SOMEBODY = number_of("interested")


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(state_dir=tmp_path) as world:
        yield world


async def ledger(world: World) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = (await world.control("ledger"))["calls"]
    return calls


async def ears(world: World) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = (await world.control("callees"))["calls"]
    return calls


class TestPlacingCalls:
    async def test_queues_a_call_and_shows_it(self, world: World) -> None:
        world.clock.ahead_seconds = 86_400
        placed = await world.place(SOMEBODY)
        shown = await asyncio.to_thread(world.twilio.calls(placed.sid).fetch)
        assert (placed.status, placed.direction, placed.price) == ("queued", "outbound-api", None)
        assert (shown.to, shown._from, shown.account_sid) == (SOMEBODY, OUR_NUMBER, placed.account_sid)
        assert shown.date_created - datetime.now(UTC) > timedelta(hours=23)

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"to": "12"}, 21211),
            ({"to": ""}, 21201),
            ({"from_": ""}, 21213),
            ({"from_": "Alex"}, 21212),
            ({"from_": "+12125550177"}, 21210),
            ({"url": "nowhere"}, 21205),
            ({"url": ""}, 21205),
            ({"status_callback": "ftp://example.org"}, 21609),
            ({"timeout": 601}, 20001),
        ],
    )
    async def test_refuses_what_twilio_refuses(
        self, tmp_path: Path, changes: dict[str, Any], code: int
    ) -> None:
        async with World(state_dir=tmp_path, caller_ids=(OUR_NUMBER,)) as world:
            with pytest.raises(TwilioRestException) as refused:
                await world.place(**{"to": SOMEBODY} | changes)
            assert (refused.value.status, refused.value.code) == (400, code)
            assert await ledger(world) == []

    async def test_refuses_a_wrong_token(self, world: World) -> None:
        with pytest.raises(TwilioRestException) as refused:
            await world.place(SOMEBODY, client=world.twilio_client(token="guessed"))
        assert (refused.value.status, refused.value.code) == (401, 20003)

    async def test_knows_no_call_that_was_not_placed(self, world: World) -> None:
        with pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(world.twilio.calls("CA" + "0" * 32).fetch)
        assert (refused.value.status, refused.value.code) == (404, 20404)

    async def test_lists_by_number_and_pages(self, world: World) -> None:
        sids = [(await world.place(SOMEBODY)).sid for _ in range(3)]
        await world.place(number_of("busy_first"))
        listed = await asyncio.to_thread(world.twilio.calls.list, to=SOMEBODY, from_=OUR_NUMBER, page_size=2)
        assert [call.sid for call in listed] == sids[::-1]
        assert await asyncio.to_thread(world.twilio.calls.list, from_="+12125550177") == []

    async def test_filters_by_start_time_which_a_queued_call_does_not_have(self, tmp_path: Path) -> None:
        async with World(state_dir=tmp_path, calls_per_second=0.1) as world:
            started, queued = await world.place(SOMEBODY), await world.place(SOMEBODY)
            await until(lambda: "ringing" in world.customer.statuses())
            yesterday = datetime.now(UTC) - timedelta(days=1)
            listed = await asyncio.to_thread(world.twilio.calls.list, start_time_after=yesterday)
            assert [call.sid for call in listed] == [started.sid]
            assert (int(started.queue_time), int(queued.queue_time) > 5000) == (0, True)

    async def test_cancels_a_queued_call_before_its_phone_rings(self, tmp_path: Path) -> None:
        async with World(state_dir=tmp_path, calls_per_second=0.1) as world:
            await world.place(number_of("not_in_service"), status_callback="")
            queued = await world.place(SOMEBODY)
            ended = await asyncio.to_thread(world.twilio.calls(queued.sid).update, status="canceled")
            await until(lambda: world.customer.statuses() == ["canceled"])
            assert (ended.status, ended.start_time) == ("canceled", None)


class TestLifeOfACall:
    @pytest.mark.parametrize(
        ("persona", "statuses", "sip_code"),
        [
            ("busy_first", ["initiated", "busy"], "486"),
            ("not_in_service", ["initiated", "failed"], "404"),
            ("never_answers", ["initiated", "ringing", "no-answer"], "480"),
            ("interested", ["initiated", "ringing", "in-progress", "completed"], "200"),
        ],
    )
    async def test_ends_as_the_persona_intends(
        self, world: World, persona: str, statuses: list[str], sip_code: str
    ) -> None:
        placed = await world.place(number_of(persona))
        ended = await world.ended(placed.sid)
        assert world.customer.statuses() == statuses
        last = world.customer.heard[-1].params
        assert (ended.status, last["SipResponseCode"]) == (statuses[-1], sip_code)
        (entry,) = await ledger(world)
        assert [step["status"] for step in entry["statuses"]] == statuses
        assert entry["answered"] == ("in-progress" in statuses)

    async def test_rings_no_longer_than_asked(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sandbox.call_life.ANSWER_BUFFER", -0.9)
        placed = await world.place(SOMEBODY, timeout=1)
        assert (await world.ended(placed.sid)).status == "no-answer"
        assert world.customer.heard[-1].params["SipResponseCode"] == "487"

    async def test_signs_every_webhook_over_the_address_without_its_fragment(self, world: World) -> None:
        placed = await world.place(
            SOMEBODY,
            url=f"{world.customer_url}/answer/t#rc=2&rp=ct,rt,5xx",
            status_callback=f"{world.customer_url}/status/t?a=b#rc=2",
        )
        await world.ended(placed.sid)
        heard = world.customer.heard
        assert all(webhook.is_signed for webhook in heard)
        sequence = [int(w.params["SequenceNumber"]) for w in heard if w.path.startswith("/status")]
        assert sequence == [0, 1, 2, 3]
        first = heard[0].params
        assert (first["CallSid"], first["To"], first["From"]) == (placed.sid, SOMEBODY, OUR_NUMBER)
        assert (first["Direction"], first["ApiVersion"]) == ("outbound-api", "2010-04-01")

    async def test_sends_only_the_events_that_were_asked_for(self, world: World) -> None:
        placed = await world.place(number_of("busy_first"), status_callback_event=["completed"])
        await world.ended(placed.sid)
        assert world.customer.statuses() == ["busy"]

    @pytest.mark.parametrize(("fragment", "heard"), [("", 2), ("#rc=3&rp=5xx", 3)])
    async def test_repeats_a_failed_webhook_only_as_overridden(
        self, world: World, fragment: str, heard: int
    ) -> None:
        world.customer.failures = 1
        placed = await world.place(
            number_of("busy_first"), status_callback=f"{world.customer_url}/status/t{fragment}"
        )
        await world.ended(placed.sid)
        await until(lambda: len(world.customer.heard) == heard)
        tokens = [webhook.token for webhook in world.customer.heard]
        assert len(set(tokens)) == 2

    async def test_is_canceled_while_it_rings(self, world: World) -> None:
        placed = await world.place(SOMEBODY)
        await until(lambda: world.customer.statuses()[-1:] == ["ringing"])
        await asyncio.to_thread(world.twilio.calls(placed.sid).update, status="canceled")
        assert (await world.ended(placed.sid)).status == "canceled"
        assert not any(webhook.path.startswith("/answer") for webhook in world.customer.heard)

    async def test_cannot_be_ended_twice(self, world: World) -> None:
        placed = await world.place(number_of("busy_first"))
        await world.ended(placed.sid)
        with pytest.raises(TwilioRestException) as refused:
            await asyncio.to_thread(world.twilio.calls(placed.sid).update, status="completed")
        assert (refused.value.status, refused.value.code) == (400, 21220)

    @pytest.mark.parametrize(
        ("twiml", "status", "code"),
        [("<Response>", 200, 12100), ("<Hello/>", 200, 12102), ("", 500, 11200)],
    )
    async def test_ends_a_call_whose_twiml_cannot_be_had(
        self, world: World, twiml: str, status: int, code: int
    ) -> None:
        world.customer.twiml, world.customer.answer_status = twiml, status
        placed = await world.place(SOMEBODY)
        assert (await world.ended(placed.sid)).status == "completed"
        (entry,) = await ledger(world)
        assert entry["error_codes"] == [code]


class TestConversations:
    async def test_connects_the_person_to_alex_until_alex_hangs_up(self, world: World) -> None:
        world.customer.twiml = CONNECT.format(timeout=5)
        line = await world.open_line()
        placed = await world.place(SOMEBODY)
        assert (await line.receive_json(timeout=5))["type"] == "joined"
        await line.send_json({"type": "speaking", "utterance": 1, "text": "Good morning. "})
        await line.send_json({"type": "said", "utterance": 1, "text": "Good morning.", "interrupted": False})
        while (frame := await line.receive_json(timeout=5))["type"] != "said":
            assert frame["type"] == "speaking"
        world.rooms.delete(ROOM)
        ended = await world.ended(placed.sid)
        dialed = world.customer.only("/dialed").params
        assert (ended.status, dialed["DialCallStatus"], dialed["DialSipResponseCode"]) == (
            "completed",
            "completed",
            "200",
        )
        (ear,) = await ears(world)
        assert [turn["speaker"] for turn in ear["spoken"]][:2] == ["alex", "person"]
        assert (ear["room"], ear["connected"], ear["attempt"]) == (ROOM, True, 1)
        assert ear["silence_seconds"] < 0.5

    async def test_tells_the_room_whose_call_it_is(self, world: World) -> None:
        world.customer.twiml = CONNECT.format(timeout=5)
        await world.open_line()
        placed = await world.place(SOMEBODY)
        await until(lambda: any(event.event == "participant_joined" for event in sip_events(world)))
        attributes = sip_events(world)[0].participant.attributes
        assert attributes["sip.twilio.callSid"] == placed.sid
        assert attributes["sip.h.x-call-id"] == "0001"
        assert "sip.h.subject" not in attributes

    async def test_leaves_the_person_in_silence_when_there_is_no_alex(self, world: World) -> None:
        world.customer.twiml = CONNECT.format(timeout=0.2)
        placed = await world.place(SOMEBODY)
        assert (await world.ended(placed.sid)).status == "completed"
        dialed = world.customer.only("/dialed").params
        assert (dialed["DialCallStatus"], dialed["DialSipResponseCode"]) == ("no-answer", "487")
        (ear,) = await ears(world)
        assert ear["silence_seconds"] >= 0.2
        assert (ear["connected"], ear["spoken"]) == (False, [])

    async def test_counts_the_silence_after_alex_died_until_somebody_hangs_up(self, world: World) -> None:
        world.customer.twiml = CONNECT.format(timeout=5)
        line = await world.open_line()
        placed = await world.place(number_of("silent"))
        await line.receive_json(timeout=5)
        await line.close()
        await asyncio.sleep(0.1)
        still = await asyncio.to_thread(world.twilio.calls(placed.sid).fetch)
        await asyncio.to_thread(world.twilio.calls(placed.sid).update, status="completed")
        await world.ended(placed.sid)
        (ear,) = await ears(world)
        assert (still.status, ear["connected"]) == ("in-progress", True)
        assert ear["silence_seconds"] >= 0.1

    async def test_asks_for_the_action_even_when_the_person_hangs_up(self, world: World) -> None:
        world.customer.twiml = CONNECT.format(timeout=5)
        line = await world.open_line()
        placed = await world.place(number_of("hangs_up_mid_sentence"))
        await line.receive_json(timeout=5)
        for piece in ("Good ", "morning, ", "this is ", "a long ", "sentence ", "of mine "):
            await line.send_json({"type": "speaking", "utterance": 1, "text": piece})
        while (frame := await line.receive_json(timeout=5))["type"] != "left":
            assert frame["type"] in ("speaking", "said")
        await world.ended(placed.sid)
        assert world.customer.only("/dialed").params["DialCallStatus"] == "completed"

    async def test_ends_at_the_time_limit(self, world: World) -> None:
        world.customer.twiml = '<Response><Pause length="30"/></Response>'
        placed = await world.place(SOMEBODY, time_limit=1)
        ended = await world.ended(placed.sid)
        assert (ended.status, ended.duration) == ("completed", "2")

    async def test_a_refused_sip_leg_is_a_failed_dial(self, world: World) -> None:
        world.customer.twiml = CONNECT.format(timeout=5).replace("open sesame", "guessed")
        await world.ended((await world.place(SOMEBODY)).sid)
        dialed = world.customer.only("/dialed").params
        assert (dialed["DialCallStatus"], dialed["DialSipResponseCode"]) == ("failed", "403")


def sip_events(world: World) -> list[Any]:
    return [event for event in world.customer.room_events if event.participant.identity.startswith("sip_")]


class TestFaults:
    async def test_500_may_mean_that_nothing_was_placed(self, world: World) -> None:
        world.faults.set({"twilio.create_500_not_placed": 1.0})
        with pytest.raises(TwilioRestException) as failed:
            await world.place(SOMEBODY)
        assert (failed.value.status, await ledger(world)) == (500, [])

    async def test_500_may_mean_that_the_phone_rings(self, world: World) -> None:
        world.faults.set({"twilio.create_500_placed": 1.0})
        with pytest.raises(TwilioRestException) as failed:
            await world.place(SOMEBODY)
        assert (failed.value.status, len(await ledger(world))) == (500, 1)

    async def test_the_connection_may_drop_after_the_call_was_placed(self, world: World) -> None:
        world.faults.set({"twilio.create_dropped_placed": 1.0})
        with pytest.raises(requests.ConnectionError):
            await world.place(SOMEBODY)
        assert len(await ledger(world)) == 1

    async def test_the_answer_may_come_too_late(self, world: World) -> None:
        world.faults.set({"twilio.create_hang_placed": 1.0, "twilio.hang_seconds": 0.5})
        with pytest.raises(requests.ReadTimeout):
            await world.place(SOMEBODY, client=world.twilio_client(timeout=0.1))
        assert len(await ledger(world)) == 1

    async def test_429_places_nothing(self, world: World) -> None:
        world.faults.set({"twilio": {"create_429": 1.0}})
        with pytest.raises(TwilioRestException) as refused:
            await world.place(SOMEBODY)
        assert (refused.value.status, refused.value.code, await ledger(world)) == (429, 20429, [])

    async def test_the_carrier_may_fail_before_anybody_is_reached(self, world: World) -> None:
        world.faults.set({"twilio.carrier_failure": 1.0})
        placed = await world.place(number_of("busy_first"))
        assert (await world.ended(placed.sid)).status == "failed"
        world.faults.set({"twilio.carrier_failure": 0.0})
        world.customer.heard.clear()
        again = await world.place(number_of("busy_first"))
        assert (await world.ended(again.sid)).status == "busy"

    async def test_webhooks_get_lost_and_doubled(self, world: World) -> None:
        world.faults.set({"twilio.webhook_duplicated": 1.0})
        await world.ended((await world.place(number_of("busy_first"))).sid)
        await until(lambda: len(world.customer.heard) == 4)
        assert len({webhook.token for webhook in world.customer.heard}) == 2
        world.customer.heard.clear()
        world.faults.set({"twilio.webhook_dropped": 1.0})
        placed = await world.place(number_of("not_in_service"))
        call = world.twilio.calls(placed.sid)
        while (await asyncio.to_thread(call.fetch)).status != "failed":
            await asyncio.sleep(0.02)
        assert world.customer.heard == []

    async def test_webhooks_overtake_each_other(self, world: World) -> None:
        world.faults.set({"twilio.webhook_reordered": 1.0})
        await world.place(SOMEBODY)
        await until(lambda: len(world.customer.statuses()) == 4)
        assert world.customer.statuses() == ["completed", "in-progress", "ringing", "initiated"]

    async def test_the_list_lags_behind(self, world: World) -> None:
        world.faults.set({"twilio.list_delay_seconds": 3600})
        placed = await world.place(SOMEBODY)
        assert await asyncio.to_thread(world.twilio.calls.list, to=SOMEBODY) == []
        assert (await asyncio.to_thread(world.twilio.calls(placed.sid).fetch)).sid == placed.sid
        world.clock.ahead_seconds = 3600
        assert len(await asyncio.to_thread(world.twilio.calls.list, to=SOMEBODY)) == 1

    def test_strike_the_same_calls_whatever_the_order(self) -> None:
        first, second = (Faults(seed=3, knobs={"preset": "network20"}) for _ in range(2))
        keys = [f"+1202555{place:04d}/1" for place in range(500)]
        struck = [first.one_of(CREATE_FAULTS, key=key) for key in keys]
        assert struck == [second.one_of(CREATE_FAULTS, key=key) for key in keys[::-1]][::-1]
        assert {fault for fault in struck if fault} == set(CREATE_FAULTS)

    def test_preset_makes_a_fifth_of_the_calls_fail(self) -> None:
        preset = PRESETS["network20"]
        failing = [*CREATE_FAULTS, "twilio.carrier_failure", "livekit.api_5xx", "livekit.dispatch_dropped"]
        assert sum(preset[name] for name in failing) == pytest.approx(0.20)

    @pytest.mark.parametrize("knobs", [{"twilio.typo": 1}, {"preset": "x"}, {"twilio": {"create_429": 2}}])
    def test_refuse_a_knob_that_does_not_exist_and_change_nothing(self, knobs: dict[str, Any]) -> None:
        faults = Faults(knobs={"livekit.api_5xx": 0.5})
        with pytest.raises(UnknownFault):
            faults.set({"livekit.api_5xx": 0.1} | knobs)
        assert faults.value("livekit.api_5xx") == 0.5


class TestControl:
    async def test_opens_only_to_the_key(self, world: World) -> None:
        async with world.http.get(f"{world.carrier_url}/control/ledger") as response:
            assert response.status == 403

    async def test_moves_the_clock_and_the_faults(self, world: World) -> None:
        await world.control("clock", {"ahead_seconds": 3600})
        knobs = await world.control("faults", {"preset": "network20"})
        assert world.clock.ahead_seconds == 3600
        assert knobs["twilio.create_429"] == PRESETS["network20"]["twilio.create_429"]
        assert "no knob" in (await world.control("faults", {"x": 1}))["error"]
        assert (await world.control("state"))["ahead_seconds"] == 3600

    async def test_masks_numbers_in_the_terminal(self, world: World) -> None:
        await world.ended((await world.place(number_of("busy_first"))).sid)
        assert number_of("busy_first") not in world.lines.getvalue()
        assert {"busy", "initiated"} <= {line["event"] for line in world.journal()}


class TestPowerCut:
    async def test_keeps_every_accepted_call_and_the_person_s_memory(self, tmp_path: Path) -> None:
        async with World(state_dir=tmp_path) as before:
            busy = await before.place(number_of("busy_first"))
            await before.ended(busy.sid)
            before.customer.twiml = '<Response><Pause length="30"/></Response>'
            talking = await before.place(SOMEBODY)
            await until(lambda: "in-progress" in before.customer.statuses())
        async with World(state_dir=tmp_path) as after:
            statuses = {
                sid: (await asyncio.to_thread(after.twilio.calls(sid).fetch)).status
                for sid in (busy.sid, talking.sid)
            }
            again = await after.place(number_of("busy_first"))
            await after.ended(again.sid)
            assert statuses == {busy.sid: "busy", talking.sid: "completed"}
            assert "in-progress" in after.customer.statuses()
            assert len(await ledger(after)) == 3


class TestTwiml:
    def test_reads_the_address_its_credentials_and_x_headers(self) -> None:
        (dial,) = parse(CONNECT.format(timeout=5))
        assert dial == Dial(
            address=SipAddress(
                user=ROOM,
                host="127.0.0.1",
                headers={"X-Call-Id": "0001"},
                username="alice",
                password="open sesame",
            ),
            timeout=5,
            action="/dialed/t",
        )

    @pytest.mark.parametrize("noun", ["", "+12125550100", "<Sip>tel:1</Sip>", "<Sip>sip:nobody</Sip>"])
    def test_dials_nothing_but_sip_addresses(self, noun: str) -> None:
        with pytest.raises(InvalidTwiml) as refused:
            parse(f"<Response><Dial>{noun}</Dial></Response>")
        assert refused.value.code == 13224


class TestProcess:
    async def test_says_where_it_listens_and_stops_cleanly_on_sigterm(self, tmp_path: Path) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "TWILIO_ACCOUNT_SID": "AC1",
            "TWILIO_AUTH_TOKEN": "t",
            "LIVEKIT_API_KEY": "k",
            "LIVEKIT_API_SECRET": "s" * 32,
            "SIP_USERNAME": "u",
            "SIP_PASSWORD": "p",
            "PUBLIC_BASE_URL": "http://127.0.0.1:1",
            "GROQ_API_KEY": "gsk_sandbox",
            "SANDBOX_STATE_DIR": str(tmp_path),
            "SANDBOX_TWILIO_PORT": "0",
            "SANDBOX_LIVEKIT_PORT": "0",
            "SANDBOX_GROQ_PORT": "0",
        }
        sandbox = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sandbox", env=environment, stdout=asyncio.subprocess.PIPE
        )
        assert sandbox.stdout is not None
        first = json.loads(await asyncio.wait_for(sandbox.stdout.readline(), 20))
        sandbox.send_signal(signal.SIGTERM)
        assert (first["event"], await asyncio.wait_for(sandbox.wait(), 10)) == ("listening", 0)

    def test_names_every_missing_and_malformed_variable_at_once(self) -> None:
        with pytest.raises(SettingsError) as refused:
            settings_from({"SANDBOX_SEED": "x", "SANDBOX_FAULTS": '{"twilio.typo": 1}', "SIP_USERNAME": "u"})
        for complaint in (
            "TWILIO_AUTH_TOKEN is missing",
            "SIP_PASSWORD is missing",
            "SANDBOX_SEED is malformed",
            "SANDBOX_FAULTS is malformed: no knob 'twilio.typo'",
        ):
            assert complaint in str(refused.value)
