"""An operator's first hour, in a real browser: from a messy list to a file with what became of it."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from django.urls import reverse
from playwright.sync_api import Page, expect

from outreach import tasks
from outreach.domain.call_status import CallStatus
from outreach.domain.contracts import WORDS_FIELD, WORDS_STREAM, AnyWord, End, TurnWord
from outreach.domain.disposition import EndedBy
from outreach.models import Call, Campaign, CampaignState, Facilitator, ImportBatch, Suppression
from outreach.services import caller_ids, recording
from tests.browser.conftest import Desk, barriers
from tests.factories import (
    a_campaign,
    alex_says,
    an_agent_worker,
    claim,
    dial,
    prepare,
    provider_says,
)
from tests.fakes import FakeTelephony

pytestmark = [pytest.mark.functional, pytest.mark.timeout(180)]

#: Latin-1, semicolons, a blank line; spellings of one number, letters, an extension, a formula for a name, no
#: zone and no country on this earth, a cell too many; three people whom Alex can call.
MESSY = """\
Nombre;Teléfono;Organización;Zona horaria;País
José Núñez;(212) 555-0142;Escuela Peña;EST5;
Zoë Müller;+1 212.555.0143;"Atelier; Zoë";Mars/Olympus;USA

JOSÉ NÚÑEZ;001 212 555 0142;
Señor Corto;12;;;
Flor Gómez;1-800-FLOWERS;;;
Ext Ruiz;(212) 555-0147 ext. 12;;;
=HYPERLINK(1);212 555 0148;;;
Lía Lejos;212 555 0149;;;Atlantis
Ada Más;212 555 0150;;;;de más
Chloé Roy;+33 1 99 00 12 30;Société Roy
""".encode("latin-1")


@pytest.fixture
def campaign(desk: Desk) -> Campaign:
    """A campaign that nobody has started; somebody has heard its script on their own phone."""
    draft = a_campaign(name="Spring", state=CampaignState.DRAFT)
    Campaign.objects.update(heard_script=draft.script)
    caller_ids.make_rows()
    return draft


class TestAnOperator:
    def test_takes_a_messy_list_to_a_call_and_its_results_out_again(
        self, desk: Desk, campaign: Campaign, valkey: redis.Redis, tmp_path: Path
    ) -> None:
        operator = desk.log_in("olga", group="Operator")
        found = both(operator)
        found += upload(operator, desk, campaign)
        found += import_them(operator)
        found += look_before_the_start(operator, desk, campaign)

        supervisor = desk.log_in("sam", group="Supervisor")
        start(supervisor, desk, campaign)
        call = the_call_with("José Núñez")
        expect(supervisor.locator("[data-live=standing]")).to_contain_text(re.compile(r"In call \d"))
        found += watch(operator, desk, call, valkey)
        found += never_call_again(operator, desk, call)
        found += look_around(operator, desk)
        export(supervisor, desk, tmp_path)

        assert not found, "\n".join(found)
        assert desk.complaints == []
        assert desk.strangers == []


def both(page: Page) -> list[str]:
    """Return what keeps somebody from using a page in the light or in the dark."""
    return barriers(page, dark=True) + barriers(page)


def upload(page: Page, desk: Desk, campaign: Campaign) -> list[str]:
    """Give the desk a list, and see on its second page what it holds."""
    page.goto(desk.address + reverse("admin:outreach_facilitator_upload"))
    found = both(page)
    page.set_input_files(
        "[name=file]", {"name": "gente.csv", "mimeType": "text/csv", "buffer": MESSY}, timeout=5_000
    )
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_role("heading", name="The first rows as they will be stored")).to_be_visible()
    figures = page.locator(".desk-figures")
    expect(figures).to_contain_text("New people3")
    expect(figures).to_contain_text("Twice in the file1")
    expect(figures).to_contain_text("Invalid6")
    expect(figures).to_contain_text("Will be held3")
    expect(page.get_by_role("cell", name="José Núñez").first).to_be_visible()
    return found + both(page)


def import_them(page: Page) -> list[str]:
    """Say why they may be called, and import the list.

    What was chosen is looked at first. This process does what a worker would, and the page notices by itself.
    """
    page.get_by_label("Why we may call them").select_option("express")
    page.get_by_label("Where and when they agreed").fill("sign-up form, May 2026")
    page.get_by_role("button", name="Import them").click()
    expect(page.locator(".desk-figures")).to_contain_text("Will be held0")
    page.get_by_role("button", name="Import them").click()
    expect(page.locator("#import-progress")).to_be_visible()
    tasks.run_import(batch_id=ImportBatch.objects.get().pk)
    expect(page.get_by_role("heading", name="What next")).to_be_visible()
    assert Facilitator.objects.count() == 3
    return both(page)


def look_before_the_start(page: Page, desk: Desk, campaign: Campaign) -> list[str]:
    """See on the campaign's page that Alex is nowhere, and then that he is there."""
    address = desk.address + reverse("admin:outreach_campaign_change", args=[campaign.pk])
    page.goto(address)
    expect(page.get_by_text("No agent worker reports: Alex is nowhere.")).to_be_visible()
    page.get_by_role("link", name="Start").click()
    expect(page.locator("#dialog").get_by_text("It cannot be started yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Start calling")).to_be_hidden()
    an_agent_worker()
    page.reload()
    expect(page.get_by_text("Alex has 50 places, 50 of them free.")).to_be_visible()
    return both(page)


def start(page: Page, desk: Desk, campaign: Campaign) -> None:
    """Start the campaign, after the question."""
    page.goto(desk.address + reverse("admin:outreach_campaign_change", args=[campaign.pk]))
    an_agent_worker()
    page.get_by_role("link", name="Start").click()
    page.get_by_role("button", name="Start calling").click()
    expect(page.get_by_text("The campaign is running.")).to_be_visible()


def the_call_with(name: str) -> Call:
    """Return a call in which somebody has just picked up, as the dialer would bring it there."""
    call = dial(prepare(claim(Facilitator.objects.get(name=name))), FakeTelephony())
    provider_says(call, CallStatus.IN_PROGRESS)
    return call


def watch(page: Page, desk: Desk, call: Call, valkey: redis.Redis) -> list[str]:
    """Read on the call's page what is said while it is said, and all of it after the end."""
    page.goto(desk.address + reverse("admin:outreach_call_change", args=[call.pk]))
    expect(page.locator("[data-live-state]")).to_have_text("live")
    said = [
        TurnWord(call_id=call.pk, at=datetime.now(UTC), seq=seq, speaker=speaker, text=text)
        for seq, (speaker, text) in enumerate([("alex", "Hello, this is Alex."), ("person", "¿Sí?")], start=1)
    ]
    for word in said:
        speak(valkey, word)
        expect(page.locator(f"[data-seq='{word.seq}']")).to_contain_text(word.text)
    found = both(page)
    recording.record_words(said)
    alex_says(call, End, n_turns=len(said), ended_by=EndedBy.ALEX)
    provider_says(call, CallStatus.COMPLETED, duration=40)
    expect(page.locator("[data-live-state]")).to_have_count(0)  # the page has loaded anew
    expect(page.locator("#turn-2")).to_contain_text("¿Sí?")
    return found + both(page)


def speak(valkey: redis.Redis, word: AnyWord) -> None:
    """Put a word into the stream, as Alex does."""
    valkey.xadd(WORDS_STREAM, {WORDS_FIELD: word.model_dump_json()})


def never_call_again(page: Page, desk: Desk, call: Call) -> list[str]:
    """Put the person on the do-not-call list, with a reason."""
    page.goto(desk.address + reverse("admin:outreach_facilitator_change", args=[call.facilitator_id]))
    go_by_keyboard(page)
    found = both(page)
    if not (button := page.get_by_role("link", name="Never call again")).is_visible():
        page.locator("#header-inner a:visible", has_text="More").first.click()
    button.click()
    page.locator("#dialog [name=reason]").fill("Asked by letter")
    page.locator("#dialog").get_by_role("button", name="Never call again").click()
    expect(page.get_by_text("The number is never called again.")).to_be_visible()
    assert Suppression.objects.filter(number=call.number).exists()
    return found


def go_by_keyboard(page: Page) -> None:
    """Go past the menu, into a menu of actions and its dialog, and out again, without a mouse."""
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip the menu")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    more = page.locator("#header-inner").get_by_role("button", name="More")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Hold")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Hold this person?").get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(more).to_be_focused()


def look_around(page: Page, desk: Desk) -> list[str]:
    """Open the other pages of the day, and hold them on a phone, where nothing may be out of sight."""
    found = []
    for name in ("facilitator_changelist", "callback_agenda", "tally_changelist"):
        page.goto(desk.address + reverse(f"admin:outreach_{name}"))
        found += both(page)
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("index", "outreach_callback_agenda", "outreach_tally_changelist"):
        page.goto(desk.address + reverse(f"admin:{name}"))
        width = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{page.url} is {width} px wide on a phone"] if width > 390 else []
        found += barriers(page)
    return found


def export(page: Page, desk: Desk, place: Path) -> None:
    """Take the people out as a file, which says who is never called again."""
    page.goto(desk.address + reverse("admin:outreach_facilitator_changelist"))
    page.locator("#action-toggle").check()
    page.select_option("select[name=action]", "export_csv")
    page.get_by_role("button", name="Run").click()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download").click()
    taken.value.save_as(place / "people.csv")
    with (place / "people.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"José Núñez", "Zoë Müller", "Chloé Roy"}
    assert rows["José Núñez"]["standing"] == "suppressed"
