"""The live streams: who may watch, what arrives, how a browser resumes."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import redis
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import AsyncClient
from django.urls import reverse

from outreach.domain.contracts import WORDS_FIELD, WORDS_STREAM, AnyWord, NoteWord, PartialWord, TurnWord
from outreach.live import hub as live_hub
from outreach.live import standings as live_standings
from outreach.live import views as live_views
from outreach.models import Access, Call, Campaign, Turn
from outreach.services import clock
from tests.factories import a_campaign, a_person
from tests.integration.desk_rows import a_live_call, an_operator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.usefixtures("real_commits"),
    pytest.mark.filterwarnings("ignore:No directory at"),  # collected static files are a deployment's
]

SOON = 5.0


@pytest.fixture
def call(real_commits: None) -> Call:
    """Somebody is talking."""
    return a_live_call(a_person(a_campaign(), name="Ann Example"))


@pytest.fixture
def reader(real_commits: None) -> User:
    """Somebody who may see calls and read words."""
    return an_operator("outreach.view_call", "outreach.read_transcript")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_hub, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(live_hub, "FRAME_SECONDS", 0.02)
    monkeypatch.setattr(live_standings, "FRESH_SECONDS", 0.02)
    monkeypatch.setattr(live_views, "FRESH_SECONDS", 0.02)


def say(valkey: redis.Redis, word: AnyWord) -> str:
    """Put a word into the stream, as Alex does; return its id."""
    entry_id: Any = valkey.xadd(WORDS_STREAM, {WORDS_FIELD: word.model_dump_json()})
    return str(entry_id.decode())


def a_turn(call_id: UUID, seq: int, text: str = "Hello") -> TurnWord:
    return TurnWord(call_id=call_id, at=datetime.now(UTC), seq=seq, speaker="alex", text=text)


async def get(user: User | AnonymousUser, url: str, **headers: str) -> HttpResponseBase:
    """Open a stream as somebody."""
    client = AsyncClient()
    if isinstance(user, User):
        await client.aforce_login(user)
    return await client.get(url, headers=headers)


async def events(response: HttpResponseBase) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the events of a stream, each at most `SOON` after the one before."""
    assert isinstance(response, StreamingHttpResponse)
    chunks: Any = aiter(response)
    try:
        while True:
            async with asyncio.timeout(SOON):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            fields = dict(
                line.split(": ", 1)
                for line in chunk.decode().splitlines()
                if line and not line.startswith(":")
            )
            if "data" in fields:
                yield {**fields, "data": json.loads(fields["data"])}
    finally:
        await chunks.aclose()
        await response._iterator.aclose()  # type: ignore[attr-defined]  # as a server does at a disconnect


async def words_until(response: HttpResponseBase, text: str) -> list[dict[str, Any]]:
    """Return the words that arrive until one says `text`."""
    seen = []
    stream = events(response)
    async for event in stream:
        if event["event"] == "word":
            seen.append(event)
            if event["data"].get("text") == text:
                break
    await stream.aclose()
    return seen


class TestWhoMayWatch:
    @pytest.mark.parametrize("name", ["live-dashboard", "live-call", "live-campaign"])
    async def test_refuses_strangers(self, call: Call, name: str) -> None:
        args: dict[str, list[Any]] = {"live-call": [call.pk], "live-campaign": [call.campaign_id]}
        url = reverse(name, args=args.get(name, []))
        assert (await get(AnonymousUser(), url)).status_code == 403

    async def test_refuses_words_to_those_who_may_only_see_calls(self, call: Call) -> None:
        olga = await sync_to_async(an_operator)("outreach.view_call")
        assert (await get(olga, reverse("live-call", args=[call.pk]))).status_code == 403

    @pytest.mark.parametrize(
        ("name", "key"), [("live-call", "00000000-0000-4000-8000-000000000000"), ("live-campaign", "0")]
    )
    async def test_knows_no_other(self, call: Call, name: str, key: str) -> None:
        rights = ("outreach.view_call", "outreach.read_transcript", "outreach.view_campaign")
        reader = await sync_to_async(an_operator)(*rights)
        assert (await get(reader, reverse(name, args=[key]))).status_code == 404

    async def test_says_that_nobody_may_cache_or_buffer(self, call: Call, reader: User) -> None:
        response = await get(reader, reverse("live-call", args=[call.pk]))
        assert response["Content-Type"] == "text/event-stream"
        assert response["Cache-Control"] == "no-cache"
        assert response["X-Accel-Buffering"] == "no"


class TestTheTranscript:
    async def test_brings_a_word_while_it_is_spoken(
        self, call: Call, reader: User, valkey: redis.Redis
    ) -> None:
        response = await get(reader, reverse("live-call", args=[call.pk]))
        waiting = asyncio.create_task(words_until(response, "I am Alex"))
        partial = PartialWord(call_id=call.pk, at=datetime.now(UTC), speaker="alex", text="I am Alex")
        while not waiting.done():  # the reader starts at the end of the stream, so speak until it is there
            say(valkey, partial)
            await asyncio.sleep(0.05)
        assert (await waiting)[-1]["data"]["kind"] == "partial"

    async def test_keeps_other_calls_words_out(self, call: Call, reader: User, valkey: redis.Redis) -> None:
        other = await sync_to_async(lambda: a_live_call(a_person(a_campaign())))()
        say(valkey, a_turn(other.pk, 1, "not yours"))
        say(valkey, a_turn(call.pk, 1, "yours"))
        response = await get(reader, reverse("live-call", args=[call.pk]))
        assert [word["data"]["text"] for word in await words_until(response, "yours")] == ["yours"]

    async def test_begins_after_what_the_page_has(self, call: Call, reader: User) -> None:
        for seq in (1, 2, 3):
            await Turn.objects.acreate(
                call=call, seq=seq, speaker="alex", text=f"turn {seq}", said_at=datetime.now(UTC)
            )
        response = await get(reader, reverse("live-call", args=[call.pk]) + "?after=1")
        words = await words_until(response, "turn 3")
        assert [word["data"]["seq"] for word in words] == [2, 3]

    async def test_resumes_after_the_last_event_seen(
        self, call: Call, reader: User, valkey: redis.Redis
    ) -> None:
        say(valkey, a_turn(call.pk, 1, "seen"))
        seen = say(valkey, a_turn(call.pk, 2, "seen too"))
        say(valkey, NoteWord(call_id=call.pk, at=datetime.now(UTC), seq=1, text="noted"))
        say(valkey, a_turn(call.pk, 3, "missed"))
        response = await get(reader, reverse("live-call", args=[call.pk]), **{"Last-Event-ID": seen})
        words = await words_until(response, "missed")
        assert [word["data"]["text"] for word in words] == ["noted", "missed"]
        assert words[-1]["id"] > seen

    async def test_says_where_the_call_stands(self, call: Call, reader: User) -> None:
        response = await get(reader, reverse("live-call", args=[call.pk]))
        stream = events(response)
        first = await anext(stream)
        assert (first["event"], first["data"]["settled"]) == ("call", False)
        now = await sync_to_async(clock.now)()
        await Call.objects.filter(pk=call.pk).aupdate(status="completed", ended_at=now, settled_at=now)
        last = await anext(stream)
        assert last["data"]["settled"]
        assert "Completed" in last["data"]["status"]
        await stream.aclose()


class TestACampaign:
    async def test_is_shown_anew_when_something_changed(self, call: Call) -> None:
        olga = await sync_to_async(an_operator)("outreach.view_campaign")
        stream = events(await get(olga, reverse("live-campaign", args=[call.campaign_id])))
        assert "Running" in (await anext(stream))["data"]["standing"]
        await Campaign.objects.filter(pk=call.campaign_id).aupdate(state="paused", state_reason="Lunch")
        strip = (await anext(stream))["data"]["standing"]
        assert "Paused by a person" in strip
        assert "Lunch" in strip
        await stream.aclose()


class TestTheDashboard:
    async def test_shows_calls_with_their_last_words(self, call: Call, reader: User) -> None:
        await Turn.objects.acreate(
            call=call, seq=1, speaker="alex", text="Good morning", said_at=datetime.now(UTC)
        )
        stream = events(await get(reader, reverse("live-dashboard")))
        sections = (await anext(stream))["data"]
        assert "Ann Example" in sections["air"]
        assert "Good morning" in sections["air"]
        assert await Access.objects.filter(user=reader, kind="transcript").acount() == 1
        await stream.aclose()

    async def test_hides_words_from_those_who_may_not_read_them(self, call: Call) -> None:
        await Turn.objects.acreate(
            call=call, seq=1, speaker="alex", text="Good morning", said_at=datetime.now(UTC)
        )
        olga = await sync_to_async(an_operator)("outreach.view_call")
        stream = events(await get(olga, reverse("live-dashboard")))
        sections = (await anext(stream))["data"]
        assert "Ann Example" in sections["air"]
        assert "Good morning" not in sections["air"]
        await stream.aclose()

    async def test_sends_only_what_changed(self, call: Call, reader: User) -> None:
        stream = events(await get(reader, reverse("live-dashboard")))
        assert "campaigns" in (await anext(stream))["data"]
        await Call.objects.filter(pk=call.pk).aupdate(stage="close")
        while "Close" not in (sections := (await anext(stream))["data"]).get("air", ""):
            pass
        assert "campaigns" not in sections
        await stream.aclose()

    async def test_rests_when_nobody_watches(self, call: Call, reader: User) -> None:
        stream = events(await get(reader, reverse("live-dashboard")))
        await anext(stream)
        await stream.aclose()
        async with asyncio.timeout(SOON):
            while live_hub.hub()._tasks:
                await asyncio.sleep(0.02)


class TestAServerThatIsToldToStop:
    async def test_waits_for_no_stream(self, call: Call, reader: User) -> None:
        told: list[int] = []
        before = signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
        try:
            board = events(await get(reader, reverse("live-dashboard")))
            await anext(board)
            words = events(await get(reader, reverse("live-call", args=[call.pk])))
            assert (await anext(words))["event"] == "call"
            signal.raise_signal(signal.SIGTERM)
            for stream in (board, words):
                async for _ in stream:
                    pass
        finally:
            signal.signal(signal.SIGTERM, before)
        assert told == [signal.SIGTERM]


class TestASlowViewer:
    async def test_is_dropped_and_not_waited_for(self, call: Call) -> None:
        viewer = live_hub.Viewer(call_id=call.pk)
        for seq in range(1, live_hub.QUEUE_SIZE + 2):
            viewer.put(live_hub.SpokenWord(event_id=f"{seq}-0", word=a_turn(call.pk, seq)))
        assert viewer.dropped
