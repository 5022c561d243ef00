"""The emulated room server, seen by LiveKit's own client, webhook receiver and agent server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from livekit import api
from livekit.agents import AgentServer, JobContext, JobExecutorType, JobRequest
from livekit.protocol import agent

from sandbox.legs import AlexSaid, AlexSpeaking, Leg, LegEnded, SipInvite, SipRefused
from tests.integration.outside_world import OUR_NUMBER, ROOM, ROOM_KEY, ROOM_SECRET, World, until

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(state_dir=tmp_path) as world:
        yield world


def invitation(**changes: Any) -> SipInvite:
    given = {
        "user": ROOM,
        "caller": OUR_NUMBER,
        "called": f"{ROOM}@127.0.0.1",
        "username": "alice",
        "password": "open sesame",
    }
    return SipInvite(**given | changes)


async def events_of(leg: Leg) -> list[Any]:
    return [event async for event in leg]


def room_events(world: World) -> list[str]:
    return [event.event for event in world.customer.room_events]


class TestRoomApi:
    async def test_makes_one_room_of_a_name_however_often_it_is_asked(self, world: World) -> None:
        asked = api.CreateRoomRequest(name=ROOM, empty_timeout=60, metadata="m")
        first = await world.livekit.room.create_room(asked)
        second = await world.livekit.room.create_room(asked)
        listed = await world.livekit.room.list_rooms(api.ListRoomsRequest(names=[ROOM]))
        assert (first.sid, first.empty_timeout, first.metadata) == (second.sid, 60, "m")
        assert [room.name for room in listed.rooms] == [ROOM]

    async def test_deletes_a_room_and_knows_it_no_more(self, world: World) -> None:
        await world.livekit.room.create_room(api.CreateRoomRequest(name=ROOM))
        await world.livekit.room.delete_room(api.DeleteRoomRequest(room=ROOM))
        with pytest.raises(api.TwirpError) as refused:
            await world.livekit.room.delete_room(api.DeleteRoomRequest(room=ROOM))
        assert (refused.value.code, refused.value.status) == ("not_found", 404)

    async def test_refuses_a_token_signed_with_another_secret(self, world: World) -> None:
        async with api.LiveKitAPI(world.rooms_url, ROOM_KEY, "x" * 32, failover=False) as stranger:
            with pytest.raises(api.TwirpError) as refused:
                await stranger.room.list_rooms(api.ListRoomsRequest())
        assert (refused.value.code, refused.value.status) == ("unauthenticated", 401)

    async def test_refuses_a_token_without_the_grant(self, world: World) -> None:
        token = api.AccessToken(ROOM_KEY, ROOM_SECRET).with_grants(api.VideoGrants(room_list=True)).to_jwt()
        async with world.http.post(
            f"{world.rooms_url}/twirp/livekit.RoomService/CreateRoom",
            data=api.CreateRoomRequest(name=ROOM).SerializeToString(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/protobuf"},
        ) as response:
            assert (response.status, (await response.json())["msg"]) == (401, "permissions denied")

    async def test_answers_503_when_it_has_a_bad_day(self, world: World) -> None:
        world.faults.set({"livekit": {"api_5xx": 1.0}})
        with pytest.raises(api.TwirpError) as refused:
            await world.livekit.room.create_room(api.CreateRoomRequest(name=ROOM))
        assert refused.value.status == 503
        assert world.rooms.get(ROOM) is None

    async def test_closes_a_room_in_which_only_an_agent_is(self, world: World) -> None:
        await world.livekit.room.create_room(api.CreateRoomRequest(name=ROOM, empty_timeout=1))
        line = await world.open_line()
        assert (await line.receive_json())["type"] == "room_deleted"
        await until(lambda: "room_finished" in room_events(world))
        assert (
            world.customer.room_events[-1].room_end_reason
            == api.WebhookEvent(room_end_reason="ROOM_END_IDLE_TIMEOUT").room_end_reason
        )


class TestPhonesInRooms:
    @pytest.mark.parametrize(
        ("changes", "status"),
        [({"username": "", "password": ""}, 407), ({"password": "wrong"}, 403), ({"user": ""}, 404)],
    )
    async def test_refuses_a_phone_without_credentials_or_address(
        self, world: World, changes: dict[str, str], status: int
    ) -> None:
        with pytest.raises(SipRefused) as refused:
            await world.rooms.invite(invitation(**changes))
        assert refused.value.status == status

    async def test_lets_a_phone_ring_until_alex_is_there(self, world: World) -> None:
        ringing = asyncio.create_task(world.rooms.invite(invitation()))
        await asyncio.sleep(0.1)
        assert not ringing.done()
        asked = api.ListParticipantsRequest(room=ROOM)
        (phone,) = (await world.livekit.room.list_participants(asked)).participants
        assert phone.identity == f"sip_{OUR_NUMBER}"
        assert phone.attributes["sip.callStatus"] == "ringing"
        line = await world.open_line()
        assert (await ringing).is_answered
        assert await line.receive_json() == {"type": "joined", "identity": f"sip_{OUR_NUMBER}"}

    async def test_gives_up_ringing_when_the_carrier_does(self, world: World) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(world.rooms.invite(invitation()), 0.05)
        await until(lambda: room_events(world)[-1:] == ["participant_left"])

    async def test_refuses_a_ringing_phone_when_the_room_is_deleted(self, world: World) -> None:
        ringing = asyncio.create_task(world.rooms.invite(invitation()))
        await until(lambda: world.rooms.get(ROOM))
        world.rooms.delete(ROOM)
        with pytest.raises(SipRefused) as refused:
            await ringing
        assert refused.value.status == 480

    async def test_throws_the_first_phone_out_when_the_same_caller_comes_again(self, world: World) -> None:
        first = asyncio.create_task(world.rooms.invite(invitation()))
        await until(lambda: world.rooms.get(ROOM))
        second = asyncio.create_task(world.rooms.invite(invitation()))
        with pytest.raises(SipRefused) as refused:
            await first
        await world.open_line()
        assert refused.value.status == 486
        assert (await second).is_answered

    async def test_carries_words_both_ways(self, world: World) -> None:
        line = await world.open_line()
        leg = await world.rooms.invite(invitation())
        await leg.send_speaking()
        assert await leg.say("Hello?")
        heard = [await line.receive_json() for _ in range(3)]
        await line.send_json({"type": "speaking", "utterance": 1, "text": "Good "})
        await line.send_json({"type": "said", "utterance": 1, "text": "Good morning", "interrupted": False})
        await until(lambda: leg._events.qsize() == 2)
        await world.livekit.room.delete_room(api.DeleteRoomRequest(room=ROOM))
        assert [frame["type"] for frame in heard] == ["joined", "speaking", "said"]
        assert await events_of(leg) == [
            AlexSpeaking(1, "Good "),
            AlexSaid(1, "Good morning", interrupted=False),
            LegEnded("ROOM_DELETED"),
        ]
        assert (await line.receive_json())["type"] == "room_deleted"

    async def test_tells_alex_that_the_person_hung_up(self, world: World) -> None:
        line = await world.open_line()
        leg = await world.rooms.invite(invitation())
        await leg.hang_up()
        frames = [await line.receive_json() for _ in range(2)]
        assert frames[1] == {"type": "left", "reason": "CLIENT_INITIATED"}

    async def test_keeps_the_phone_in_silence_when_alex_dies(self, world: World) -> None:
        line = await world.open_line()
        leg = await world.rooms.invite(invitation())
        await line.close()
        await until(lambda: not world.rooms.get(ROOM).lines)  # type: ignore[union-attr]
        assert not await leg.say("Are you still there?")
        await asyncio.sleep(0.05)
        assert leg.ended_reason is None
        world.rooms.delete(ROOM)
        assert leg.silence_seconds >= 0.05
        assert leg.unheard == 1


class TestTextLine:
    @pytest.mark.parametrize(
        ("token", "status"),
        [
            ("nonsense", 401),
            (api.AccessToken(ROOM_KEY, "x" * 32).with_grants(api.VideoGrants(room=ROOM)).to_jwt(), 401),
            (api.AccessToken(ROOM_KEY, ROOM_SECRET).with_grants(api.VideoGrants(room=ROOM)).to_jwt(), 403),
        ],
    )
    async def test_refuses_a_token_that_does_not_allow_to_join(
        self, world: World, token: str, status: int
    ) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await world.http.ws_connect(f"{world.rooms_url}/text-line", params={"access_token": token})
        assert refused.value.status == status

    async def test_closes_on_a_frame_that_it_does_not_know(self, world: World) -> None:
        line = await world.open_line()
        await line.send_str("[")
        assert (await line.receive()).type is aiohttp.WSMsgType.CLOSE
        assert line.close_code == 1003


class TestWebhooks:
    async def test_are_signed_unique_and_tell_the_story_of_a_room(self, world: World) -> None:
        await world.livekit.room.create_room(api.CreateRoomRequest(name=ROOM))
        await world.open_line()
        leg = await world.rooms.invite(invitation())
        await leg.hang_up()
        await world.livekit.room.delete_room(api.DeleteRoomRequest(room=ROOM))
        await until(lambda: len(world.customer.room_events) == 6)
        events = world.customer.room_events
        assert [(event.event, event.participant.kind) for event in events] == [
            ("room_started", 0),
            ("participant_joined", api.ParticipantInfo.AGENT),
            ("participant_joined", api.ParticipantInfo.SIP),
            ("participant_left", api.ParticipantInfo.SIP),
            ("participant_left", api.ParticipantInfo.AGENT),
            ("room_finished", 0),
        ]
        assert len({event.id for event in events}) == 6
        assert {event.room.name for event in events} == {ROOM}

    async def test_may_be_lost_without_anybody_being_told(self, world: World) -> None:
        world.faults.set({"livekit.webhook_dropped": 1.0})
        await world.livekit.room.create_room(api.CreateRoomRequest(name=ROOM))
        world.faults.set({"livekit.webhook_dropped": 0.0})
        await world.livekit.room.delete_room(api.DeleteRoomRequest(room=ROOM))
        await until(lambda: world.customer.room_events)
        assert room_events(world) == ["room_finished"]


class ScriptedWorker:
    """A worker on the bare protocol, to say no or be full."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    @classmethod
    async def register(cls, world: World, *, name: str = "alex") -> ScriptedWorker:
        token = api.AccessToken(ROOM_KEY, ROOM_SECRET).with_grants(api.VideoGrants(agent=True)).to_jwt()
        headers = {"Authorization": f"Bearer {token}"}
        worker = cls(await world.http.ws_connect(f"{world.rooms_url}/agent", headers=headers))
        await worker.send(agent.WorkerMessage(register=agent.RegisterWorkerRequest(agent_name=name)))
        assert (await worker.receive()).register.worker_id
        return worker

    async def send(self, message: agent.WorkerMessage) -> None:
        await self._socket.send_bytes(message.SerializeToString())

    async def receive(self) -> agent.ServerMessage:
        return agent.ServerMessage.FromString(await self._socket.receive_bytes(timeout=5))

    async def answer(self, *, available: bool, terminate: bool = False) -> None:
        job = (await self.receive()).availability.job
        answer = agent.AvailabilityResponse(
            job_id=job.id, available=available, terminate=terminate, participant_identity="alex"
        )
        await self.send(agent.WorkerMessage(availability=answer))


async def dispatch(world: World, *, name: str = "alex") -> api.AgentDispatch:
    asked = api.CreateAgentDispatchRequest(agent_name=name, room=ROOM, metadata='{"call_id": "1"}')
    return await world.livekit.agent_dispatch.create_dispatch(asked)


class TestDispatch:
    async def test_succeeds_and_is_lost_when_there_is_no_worker(self, world: World) -> None:
        await ScriptedWorker.register(world, name="somebody else")
        assert (await dispatch(world)).id
        await until(lambda: world.journal()[-1]["event"] == "dispatch dropped: no worker")
        (kept,) = await world.livekit.agent_dispatch.list_dispatch(ROOM)
        assert not kept.state.jobs

    async def test_is_lost_when_every_worker_is_full(self, world: World) -> None:
        worker = await ScriptedWorker.register(world)
        full = agent.UpdateWorkerStatus(status=agent.WorkerStatus.WS_FULL, load=1.0)
        await worker.send(agent.WorkerMessage(update_worker=full))
        await until(lambda: not world.room_server.workers.workers()[0].is_available)
        await dispatch(world)
        await until(lambda: world.journal()[-1]["event"] == "dispatch dropped: no worker")
        (kept,) = await world.livekit.agent_dispatch.list_dispatch(ROOM)
        assert not kept.state.jobs

    async def test_goes_to_the_next_worker_when_the_first_says_no(self, world: World) -> None:
        first, second = await ScriptedWorker.register(world), await ScriptedWorker.register(world)
        await dispatch(world)
        await first.answer(available=False)
        await second.answer(available=True)
        assignment = (await second.receive()).assignment
        claims = api.TokenVerifier(ROOM_KEY, ROOM_SECRET).verify(assignment.token)
        assert (assignment.job.metadata, claims.identity) == ('{"call_id": "1"}', "alex")
        assert claims.video is not None
        assert (claims.video.room, claims.video.room_join) == (ROOM, True)

    async def test_is_dead_for_everybody_when_a_worker_terminates_it(self, world: World) -> None:
        first, second = await ScriptedWorker.register(world), await ScriptedWorker.register(world)
        await dispatch(world)
        await first.answer(available=False, terminate=True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(second.receive(), 0.1)

    async def test_is_lost_silently_when_the_fault_says_so(self, world: World) -> None:
        worker = await ScriptedWorker.register(world)
        world.faults.set({"livekit.dispatch_dropped": 1.0})
        assert (await dispatch(world)).id
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(worker.receive(), 0.1)

    async def test_needs_a_worker_with_an_agent_token(self, world: World) -> None:
        token = api.AccessToken(ROOM_KEY, ROOM_SECRET).with_grants(api.VideoGrants()).to_jwt()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await world.http.ws_connect(
                f"{world.rooms_url}/agent", headers={"Authorization": f"Bearer {token}"}
            )
        assert refused.value.status == 401

    async def test_answers_a_workers_ping(self, world: World) -> None:
        worker = await ScriptedWorker.register(world)
        await worker.send(agent.WorkerMessage(ping=agent.WorkerPing(timestamp=42)))
        assert (await worker.receive()).pong.last_timestamp == 42


class TestRealAgentServer:
    async def test_registers_gets_the_job_and_loses_it_with_the_room(self, world: World) -> None:
        jobs: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        server = AgentServer(
            ws_url=world.rooms_url,
            api_key=ROOM_KEY,
            api_secret=ROOM_SECRET,
            host="127.0.0.1",
            port=0,
            job_executor_type=JobExecutorType.THREAD,
            num_idle_processes=0,
            load_fnc=lambda server: len(server.active_jobs) / 4,
            load_threshold=0.999,
        )

        async def accept(request: JobRequest) -> None:
            await request.accept(identity="alex-1", name="Alex")

        @server.rtc_session(agent_name="alex", on_request=accept)
        async def entrypoint(context: JobContext) -> None:
            async def note_shutdown(reason: str) -> None:
                loop.call_soon_threadsafe(jobs.put_nowait, ("over", reason))

            context.add_shutdown_callback(note_shutdown)
            started = (context.job.room.name, context.job.metadata)
            loop.call_soon_threadsafe(jobs.put_nowait, started)

        running = asyncio.create_task(server.run(devmode=False))
        try:
            await until(world.room_server.workers.workers, seconds=10)
            await dispatch(world)
            room, metadata = await asyncio.wait_for(jobs.get(), 10)
            assert (room, json.loads(metadata)) == (ROOM, {"call_id": "1"})
            await world.livekit.room.delete_room(api.DeleteRoomRequest(room=ROOM))
            assert (await asyncio.wait_for(jobs.get(), 10))[0] == "over"
        finally:
            await server.aclose()
            await running
