"""Talking with Alex in a real browser: a microphone, a room of a real livekit-server, the real worker."""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from outreach.management.supervisor import programs
from outreach.management.supervisor.child import Child
from outreach.management.supervisor.ports import free_ports
from outreach.models import Call, Campaign, Facilitator, Tally, Turn
from outreach.services import tallying
from sandbox.voice_box import PERSON, SAMPLE_RATE, speak
from tests.factories import a_campaign, a_person
from tests.voice.browser import Page, a_browser, find_browser
from tests.voice.conftest import Production, eventually, in_database, wait_for

BROWSER = find_browser()

pytestmark = [
    pytest.mark.functional,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        BROWSER is None, reason="there is no Chromium on the PATH (Debian: apt install chromium)"
    ),
]

ANSWER = "Yes, that's fine."
#: Seconds of silence before the person answers: the greeting is over by then.
PATIENCE = 8.0


@pytest.fixture(scope="module")
def admin(production: Production) -> Iterator[str]:
    """The web process; its address."""
    ports = free_ports()
    (web,) = (
        service
        for service in programs.product(environment=production.environment, ports=ports)
        if service.name == "web"
    )
    with (production.logs / "web.log").open("wb") as log:
        child = Child(web.program, output=log)
        try:
            assert web.ready is not None
            wait_for(web.ready, production.logs)
            yield f"http://127.0.0.1:{ports.web}"
        finally:
            child.stop()
            child.close()


@pytest.fixture
def microphone(production: Production, tmp_path: Path) -> Path:
    """What the person says into the microphone: nothing for a while, then an answer."""
    speech = speak(ANSWER, voice=PERSON)
    production.voice.people.learn(speech)
    silence = np.zeros(round(PATIENCE * SAMPLE_RATE), dtype=np.int16)
    sound = np.concatenate([silence, speech.samples, silence, silence, silence, silence])
    path = tmp_path / "microphone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(2 * SAMPLE_RATE)
        file.writeframes(np.repeat(sound, 2).tobytes())
    return path


def logged_in() -> str:
    """Return the session of an operator who may do everything."""
    user, _ = User.objects.get_or_create(username="root", is_superuser=True, is_staff=True)
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@asynccontextmanager
async def an_operator_at(address: str, tmp_path: Path, microphone: Path | None = None) -> AsyncIterator[Page]:
    """Open a page as an operator; an error in the page's scripts fails the test."""
    session = await in_database(logged_in)
    cookie: dict[str, Any] = {"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}
    assert BROWSER is not None
    async with a_browser(
        program=BROWSER, profile=tmp_path / "profile", cookies=[cookie], microphone=microphone
    ) as page:
        await page.open(address)
        yield page
        assert not [said for said in page.console if "Error" in said], page.console


async def shows(page: Page, words: str, *, seconds: float = 30.0) -> None:
    """Return once the page says something."""
    await page.until(f"document.querySelector('[data-talk]').innerText.includes({words!r})", seconds=seconds)


async def look(page: Page, name: str) -> None:
    """Take pictures for whoever asks for them with TALK_PICTURES=directory."""
    if directory := os.environ.get("TALK_PICTURES"):
        for width, height in ((1280, 900), (390, 844)):
            for dark in (False, True):
                path = Path(directory) / f"{name}-{width}-{'dark' if dark else 'light'}.png"
                await page.picture(path, width=width, height=height, dark=dark)


class TestTalkToAlex:
    async def test_is_heard_read_and_hung_up(
        self, production: Production, admin: str, microphone: Path, tmp_path: Path
    ) -> None:
        def people() -> tuple[Campaign, Facilitator]:
            campaign = a_campaign()
            return campaign, a_person(campaign, name="Noah Eriksen")

        campaign, person = await in_database(people)
        before = await in_database(lambda: Facilitator.objects.filter(pk=person.pk).values().get())
        address = admin + reverse("admin:outreach_campaign_talk", args=[campaign.pk])
        async with an_operator_at(f"{address}?person={person.pk}", tmp_path, microphone) as page:
            await look(page, "idle")
            await page.click("[data-start]")
            await shows(page, "You are talking with Alex.")
            await shows(page, "Noah Eriksen, this is Alex")
            loud = "getComputedStyle(document.querySelector('[data-level=alex] i')).transform"
            await page.until(f"{loud} !== 'none' && {loud} !== 'matrix(0, 0, 0, 1, 0, 0)'")
            await page.until(f"document.querySelector('[data-turns]').innerText.includes({ANSWER!r})")
            await page.until("document.querySelectorAll('[data-turns] [data-seq]').length >= 3")
            await look(page, "talking")
            await page.click("[data-hang-up]")
            await shows(page, "You hung up after 0:")
            await look(page, "ended")
            call_page = await page.evaluate("document.querySelector('[data-call-page]').pathname")
        call_id = UUID(call_page.split("/")[-3])
        call: Call = await eventually(
            lambda: Call.objects.filter(pk=call_id, settled_at__isnull=False).first()
        )
        assert (call.channel, call.status, call.ended_by) == ("web", "completed", "callee")
        assert (call.facilitator_id, call.number, call.counts) == (person.pk, "", False)
        await eventually(lambda: Turn.objects.filter(call=call_id).count() == call.n_turns)
        await eventually(lambda: Call.objects.filter(pk=call_id, transcript="complete").exists())
        turns = await in_database(
            lambda: list(Turn.objects.filter(call=call_id).order_by("seq").values_list("speaker", "text"))
        )
        assert turns[:2] == [
            ("alex", "Hi Noah Eriksen, this is Alex, an AI assistant of Acme."),
            ("person", ANSWER),
        ]
        await in_database(tallying.take_in)
        counted = await in_database(lambda: Tally.objects.filter(campaign=campaign).exists())
        assert not counted
        assert await in_database(lambda: Facilitator.objects.filter(pk=person.pk).values().get()) == before

    async def test_that_somebody_else_ends_says_so(
        self, production: Production, admin: str, tmp_path: Path
    ) -> None:
        campaign = await in_database(a_campaign)
        address = admin + reverse("admin:outreach_campaign_talk", args=[campaign.pk])
        async with an_operator_at(address, tmp_path) as page:
            await page.click("[data-start]")
            await shows(page, "Sam Sample, this is Alex")
            call: Call = await in_database(lambda: Call.objects.get(campaign=campaign))
            await asyncio.to_thread(production.rooms.delete_room, call.room)
            await shows(page, "The other side hung up after 0:")
        await eventually(lambda: Call.objects.filter(pk=call.pk, settled_at__isnull=False).exists())

    async def test_says_what_to_do_without_a_microphone(
        self, production: Production, admin: str, tmp_path: Path
    ) -> None:
        campaign = await in_database(a_campaign)
        address = admin + reverse("admin:outreach_scriptversion_talk", args=[campaign.script_id])
        async with an_operator_at(address, tmp_path) as page:
            missing = "Promise.reject(new DOMException('Requested device not found', 'NotFoundError'))"
            await page.evaluate(f"void (navigator.mediaDevices.getUserMedia = () => {missing})")
            await page.click("[data-start]")
            await shows(page, "There is no microphone. Plug one in")
            await shows(page, "The talk did not begin.")
            await look(page, "no-microphone")
        assert not await in_database(lambda: Call.objects.filter(campaign=campaign).exists())
