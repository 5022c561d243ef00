"""The streams themselves: who may watch, what is sent, how a browser resumes.

An open stream must not hold a database connection: 101 of 200 got "too many clients" before each
view closed its own first.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import (
    HttpRequest,
    HttpResponseBase,
    HttpResponseForbidden,
    HttpResponseNotFound,
    StreamingHttpResponse,
)

from outreach.desk.badges import badge
from outreach.desk.own_time import zone_name_of
from outreach.desk.rights import Rights, may_see_campaigns, rights_of
from outreach.domain.contracts import WORDS_STREAM
from outreach.live.hub import Hub, SpokenWord, entries_of, hub, word_of
from outreach.live.standings import FRESH_SECONDS, Standings
from outreach.live.watching import CallFacts, stored_turns
from outreach.services.accesses import note_following, note_watching

PING_SECONDS = 15.0
PING = b": ping\n\n"
#: A stream ends after this long: the browser comes back by itself, and is asked again what it may see.
LIFETIME_SECONDS = 900.0
CATCH_UP_MS = 30_000
"""Words this old may not be in the database yet; older ones are."""
CATCH_UP_ENTRIES = 5_000
_EVENT_ID = re.compile(r"\d{1,16}-\d{1,10}")


async def live_dashboard(request: HttpRequest) -> HttpResponseBase:
    """Stream the dashboard's sections, each when it changed."""
    user = await request.auser()
    rights = await sync_to_async(rights_of)(user)
    if not rights.see:
        return HttpResponseForbidden()
    if rights.read:
        await sync_to_async(note_watching)(user=user)
    return await _stream(_board_events(hub(), rights, await sync_to_async(zone_name_of)(user)))


async def live_campaign(request: HttpRequest, campaign_id: int) -> HttpResponseBase:
    """Stream how one campaign stands, whenever that changed."""
    user = await request.auser()
    if not await sync_to_async(may_see_campaigns)(user):
        return HttpResponseForbidden()
    zone = await sync_to_async(zone_name_of)(user)
    if await hub().standings.html(campaign_id, zone) is None:
        return HttpResponseNotFound()
    return await _stream(_standing_events(hub().standings, campaign_id, zone))


async def live_call(request: HttpRequest, call_id: UUID) -> HttpResponseBase:
    """Stream one call's words as they are spoken, and where the call stands."""
    user = await request.auser()
    rights = await sync_to_async(rights_of)(user)
    if not rights.read:
        return HttpResponseForbidden()
    after = request.GET.get("after", "0")
    stored = await sync_to_async(stored_turns)(call_id, int(after) if after.isdecimal() else 0)
    if stored is None:
        return HttpResponseNotFound()
    await sync_to_async(note_following)(user=user, call_id=call_id, n_turns=len(stored))
    last_id = request.headers.get("Last-Event-ID", "")
    since = last_id if _EVENT_ID.fullmatch(last_id) else ""
    return await _stream(_call_events(hub(), call_id, stored, since))


async def _stream(events: AsyncIterator[bytes]) -> StreamingHttpResponse:
    await sync_to_async(connections.close_all)()
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(events, content_type="text/event-stream", headers=headers)


async def _board_events(board: Hub, rights: Rights, zone: str) -> AsyncIterator[bytes]:
    ends = asyncio.get_running_loop().time() + LIFETIME_SECONDS
    sent: dict[str, str] = {}
    version = 0
    yield PING
    async with board.watch_board():
        while not board.ending and asyncio.get_running_loop().time() < ends:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    version, sections = await board.newer_board(version, rights=rights, zone=zone)
            except TimeoutError:
                yield PING
                continue
            changed = {name: html for name, html in sections.items() if sent.get(name) != html}
            sent |= changed
            yield _event("board", changed) if changed else b""


async def _standing_events(standings: Standings, campaign_id: int, zone: str) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop().time
    ends, quiet_since, sent = clock() + LIFETIME_SECONDS, clock(), ""
    yield PING
    while not hub().ending and clock() < ends:
        html = await standings.html(campaign_id, zone)
        if html and html != sent:
            sent, quiet_since = html, clock()
            yield _event("board", {"standing": html})
        elif clock() - quiet_since >= PING_SECONDS:
            quiet_since = clock()
            yield PING
        await asyncio.sleep(FRESH_SECONDS)


async def _call_events(
    words: Hub, call_id: UUID, stored: list[dict[str, Any]], since: str
) -> AsyncIterator[bytes]:
    ends = asyncio.get_running_loop().time() + LIFETIME_SECONDS
    async with words.follow(call_id) as viewer:
        # The viewer listens before the past is read, so no word falls between the two; the page
        # drops what it has by the turn's number.
        for turn in stored:
            yield _event("word", turn)
        for spoken in await _recent(words, call_id, since):
            yield _written(spoken)
        yield PING
        while not viewer.dropped and asyncio.get_running_loop().time() < ends:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    event = await viewer.queue.get()
            except TimeoutError:
                yield PING
                continue
            if event is not None:
                yield _written(event)


async def _recent(words: Hub, call_id: UUID, since: str) -> list[SpokenWord]:
    """Return the words since an event, or those too young to be surely in the database."""
    start = f"({since}"
    if not since:
        seconds, _micros = await words.redis.time()
        start = f"{int(seconds) * 1000 - CATCH_UP_MS}-0"
    entries = entries_of(
        [(WORDS_STREAM, await words.redis.xrange(WORDS_STREAM, start, "+", count=CATCH_UP_ENTRIES))]
    )
    found = [(entry_id, word_of(fields)) for entry_id, fields in entries]
    return [
        SpokenWord(event_id=entry_id, word=word)
        for entry_id, word in found
        if word is not None and word.call_id == call_id and word.kind != "partial"
    ]


def _written(event: SpokenWord | CallFacts) -> bytes:
    if isinstance(event, CallFacts):
        facts = {"status": str(badge(event.status)), "settled": event.settled}
        return _event("call", facts)
    return _event("word", event.word.model_dump(mode="json", exclude={"call_id"}), event_id=event.event_id)


def _event(name: str, value: Any, *, event_id: str = "") -> bytes:
    number = f"id: {event_id}\n" if event_id else ""
    return f"{number}event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()
