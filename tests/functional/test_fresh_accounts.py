"""Accounts opened this morning: doctor's sentences, followed one by one, lead to a first call.

The vendors are the sandbox's emulators, the clients the real ones; LiveKit's webhooks come to our own hooks
by HTTP. Nobody here knows beforehand what is wrong: what fails first is mended as its finding says.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from outreach.doctor import livekit_project
from outreach.domain import defaults
from outreach.integrations import livekit, twilio
from outreach.models import Call, Campaign, Facilitator
from outreach.services import dialing, dispatching
from outreach.services.facts import apply_fact
from sandbox.accounts import Accounts, accounts_of
from sandbox.carrier import make_carrier
from sandbox.clock import RehearsalClock
from sandbox.faults import Faults
from sandbox.groq_api import make_app
from sandbox.journal import Journal
from sandbox.room_server import RoomServer, make_room_server
from sandbox.settings import SandboxSettings
from tests.factories import TUESDAY_MORNING, a_campaign, a_person, an_agent_worker, ready_fact, set_clock
from tests.integration.hooks import be_the_hooks_process
from tests.integration.outside_world import number_of
from tests.job_taker import a_job_taker
from tests.served import Loop, a_loop

pytestmark = [
    pytest.mark.functional,
    pytest.mark.urls("config.hooks_urls"),
    pytest.mark.django_db(transaction=True),
    # aiohttp, of its own reading of a form.
    pytest.mark.filterwarnings("ignore:unread_data:DeprecationWarning"),
]

CALLER_ID = "+12025550199"


@dataclass
class Vendors:
    """The three vendors, with one account each."""

    accounts: Accounts
    rooms: RoomServer
    loop: Loop


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What a finding must say, and what somebody does who follows it."""

    says: str
    page: str
    follow: Callable[[Vendors], None]


def at_twilio(**switches: Any) -> Callable[[Vendors], None]:
    """Do something in Twilio's console."""
    return lambda vendors: vendors.accounts.set({"twilio": switches})


def at_groq(**switches: Any) -> Callable[[Vendors], None]:
    """Do something in Groq's console."""
    return lambda vendors: vendors.accounts.set({"groq": switches})


def add_the_webhook(vendors: Vendors) -> None:
    """Do something in LiveKit's console; from now on there is something to wait for."""
    vendors.accounts.set({"livekit": {"webhooks": True}})
    livekit_project.HEARD_WITHIN = 8.0


def provision(_vendors: Vendors) -> None:
    """Run `manage.py provision`."""
    call_command("provision", "--yes", stdout=io.StringIO())


ADVICE: dict[str, Advice] = {
    "twilio.account": Advice(says="trial", page="https://console.twilio.com", follow=at_twilio(trial=False)),
    "twilio.caller_ids": Advice(
        says="Buy a number", page="https://console.twilio.com", follow=at_twilio(numbers=[CALLER_ID])
    ),
    "twilio.countries": Advice(
        says="US disabled: 1 person", page="https://console.twilio.com", follow=at_twilio(countries=["US"])
    ),
    "livekit.webhooks": Advice(
        says="/hooks/livekit",
        page="https://docs.livekit.io",
        follow=add_the_webhook,
    ),
    "livekit.trunk": Advice(
        says="Run manage.py provision", page="https://cloud.livekit.io", follow=provision
    ),
    "groq.speech": Advice(
        says="accepts them, once",
        page="https://console.groq.com/playground?model=canopylabs%2Forpheus-v1-english",
        follow=at_groq(terms_wanted=[]),
    ),
    "groq.budget": Advice(
        says="carries 0 calls at once", page="https://console.groq.com", follow=at_groq(plan="developer")
    ),
}


@pytest.fixture
def vendors(
    live_server: LiveServer, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Vendors]:
    be_the_hooks_process(settings)
    settings.PUBLIC_BASE_URL = settings.HOOKS_URL = live_server.url
    set_clock(TUESDAY_MORNING)
    monkeypatch.setattr(livekit_project, "HEARD_WITHIN", 0.2)
    with a_loop() as loop:
        yield _serve(loop, settings, tmp_path)
    _let_the_hooks_finish()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM outreach_clock")


def _let_the_hooks_finish() -> None:
    """Return once nobody else is in the database: what is under way would stand in the way of emptying it."""
    quiet, deadline = 0, time.monotonic() + 5
    while quiet < 3 and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            quiet = 0 if cursor.fetchone()[0] else quiet + 1
        time.sleep(0.05)


def _serve(loop: Loop, settings: Settings, place: Path) -> Vendors:
    wanted = SandboxSettings(
        twilio_account_sid=settings.TWILIO_ACCOUNT_SID,
        twilio_auth_token=settings.TWILIO_AUTH_TOKEN,
        livekit_api_key=settings.LIVEKIT_API_KEY,
        livekit_api_secret=settings.LIVEKIT_API_SECRET,
        sip_username=settings.SIP_USERNAME,
        sip_password=settings.SIP_PASSWORD,
        public_base_url=settings.PUBLIC_BASE_URL,
        groq_api_key=settings.GROQ_API_KEY,
        state_dir=place,
    )
    accounts, faults, clock = accounts_of("fresh"), Faults(), RehearsalClock()
    journal = Journal(clock=clock, stream=io.StringIO())
    rooms = loop.do(
        lambda: make_room_server(settings=wanted, faults=faults, journal=journal, standing=accounts.livekit)
    )
    settings.LIVEKIT_URL = loop.serve(lambda: rooms.app)
    settings.TWILIO_API_URL = loop.serve(
        lambda: make_carrier(
            settings=wanted,
            clock=clock,
            faults=faults,
            journal=journal,
            room_server=rooms,
            accounts=accounts,
        )
    )
    groq = make_app(api_key=wanted.groq_api_key, faults=faults, standing=accounts.groq)
    settings.GROQ_BASE_URL = loop.serve(lambda: groq) + "/openai/v1"
    return Vendors(accounts, rooms, loop)


@pytest.fixture
def worker(vendors: Vendors, settings: Settings) -> Iterator[None]:
    """Let an agent worker be registered, as `make up` has one."""
    with a_job_taker(
        vendors.loop,
        url=settings.LIVEKIT_URL,
        name=settings.AGENT_NAME,
        key=settings.LIVEKIT_API_KEY,
        secret=settings.LIVEKIT_API_SECRET,
    ):
        yield


def failures(campaign: Campaign) -> list[dict[str, str]]:
    """Return what doctor says stands in the way, in its own order."""
    an_agent_worker()
    out = io.StringIO()
    with suppress(SystemExit):
        call_command("doctor", "--json", "--campaign", campaign.name, stdout=out)
    report = json.loads(out.getvalue())
    found = [check for check in report["checks"] if check["status"] == "fail"]
    assert report["ok"] is not bool(found)
    return found


def place_a_call(person: Facilitator) -> Call:
    """Call somebody now, as `manage.py call` and the workers do; Alex is ready at once."""
    call_id = dispatching.call_now(facilitator_id=person.pk, requested_by="test")
    dialing.prepare_call(call_id=call_id, rooms=livekit.rooms())
    apply_fact(call_id=call_id, fact=ready_fact())
    dialing.dial_call(call_id=call_id, telephony=twilio.telephony())
    return Call.objects.get(pk=call_id)


def test_following_doctor_one_by_one_leads_to_a_first_call(vendors: Vendors, worker: None) -> None:
    campaign = a_campaign(caller_ids=[CALLER_ID])
    person = a_person(campaign, number=number_of("never_answers"))
    seen = []
    while found := failures(campaign):
        first = found[0]
        advice = ADVICE[first["name"]]
        assert first["name"] not in seen, f"{first['name']} again: {first['finding']}"
        assert advice.says in f"{first['finding']} {first['remedy']}"
        assert first["page"].startswith(advice.page)
        advice.follow(vendors)
        seen.append(first["name"])
    assert seen == list(ADVICE)
    assert defaults.TTS_MODEL not in vendors.accounts.groq.terms_wanted
    call = place_a_call(person)
    assert call.twilio_sid
    assert call.placed_at is not None
    assert call.failure_code == ""
    dialing.hang_up(call_id=call.pk, telephony=twilio.telephony(), rooms=livekit.rooms())
