"""Doctor against the sandbox's accounts: each thing that is missing is said, and done as said it is well."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from outreach.doctor import (
    local_processes,
    local_stores,
    public_address,
    results,
    twilio_account,
    twilio_campaign,
)
from outreach.doctor.finding import Check, Finding, Result, Surroundings, fail, ok
from outreach.domain import account_rules
from outreach.domain.dialing_mode import DialingMode
from outreach.integrations import addresses, nonces
from outreach.models import CheckResult, DialingControl
from tests.factories import a_campaign, a_person, an_agent_worker
from tests.integration.operators import read_json, typed
from tests.integration.outside_world import AUTH_TOKEN, World

pytestmark = pytest.mark.integration

EVERYBODY = Surroundings()
CALLER_ID = "+12025550199"


@contextmanager
def _world_beside_us(state_dir: Path) -> Iterator[World]:
    """Run the sandbox on a loop of its own, so that the checks may block as they do in production."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    world = World(state_dir=state_dir)
    try:
        asyncio.run_coroutine_threadsafe(world.__aenter__(), loop).result(10)
        yield world
        asyncio.run_coroutine_threadsafe(world.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with _world_beside_us(tmp_path_factory.mktemp("sandbox")) as world:
        yield world


@pytest.fixture
def twilio(outside: World, settings: Settings) -> World:
    """A Twilio account that was opened this morning, and settings that name it."""
    outside.accounts.set({"profile": "fresh"})
    settings.TWILIO_API_URL = outside.carrier_url
    settings.TWILIO_AUTH_TOKEN = AUTH_TOKEN
    return outside


class TestTwilioAccount:
    def test_accepts_the_account_and_its_token(self, twilio: World) -> None:
        assert twilio_account.credentials(EVERYBODY).status == "ok"

    def test_does_not_accept_another_token(self, twilio: World, settings: Settings) -> None:
        settings.TWILIO_AUTH_TOKEN = "guessed"
        found = twilio_account.credentials(EVERYBODY)
        assert (found.status, found.says) == ("fail", account_rules.CREDENTIALS.finding)

    def test_does_not_accept_an_api_key_in_the_accounts_place(self, settings: Settings) -> None:
        settings.TWILIO_ACCOUNT_SID = "SK" + "0" * 32
        found = twilio_account.credentials(EVERYBODY)
        assert found.status == "fail"
        assert "API key" in found.remedy

    def test_says_that_twilio_cannot_be_reached(self, settings: Settings) -> None:
        settings.TWILIO_API_URL = "http://127.0.0.1:9"
        for check in twilio_account.CHECKS:
            found = check.examine(EVERYBODY)
            assert (found.status, found.page) == ("fail", twilio_account.STATUS_PAGE)

    def test_needs_no_account_where_no_phone_can_ring(self, settings: Settings) -> None:
        settings.DIALING, settings.TEST_NUMBERS, settings.TWILIO_ACCOUNT_SID = DialingMode.TEST, [], ""
        assert twilio_account.credentials(EVERYBODY).status == "skipped"

    def test_a_trial_account_fails_until_it_is_upgraded(self, twilio: World) -> None:
        found = twilio_account.account(EVERYBODY)
        assert f"{found.says} {found.remedy}" == account_rules.TRIAL.sentence
        twilio.accounts.set({"twilio": {"trial": False}})
        assert twilio_account.account(EVERYBODY).status == "ok"

    def test_a_suspended_account_fails(self, twilio: World) -> None:
        twilio.accounts.set({"twilio": {"suspended": True}})
        assert twilio_account.account(EVERYBODY).says == account_rules.SUSPENDED.finding

    def test_an_account_without_a_profile_is_worth_a_look(self, twilio: World) -> None:
        assert twilio_account.concurrency(EVERYBODY).status == "warn"
        twilio.accounts.set({"twilio": {"approved_profile": True}})
        assert twilio_account.concurrency(EVERYBODY).status == "ok"


@pytest.mark.usefixtures("tuesday", "twilio")
class TestTwilioAndACampaign:
    def test_a_caller_id_is_bought_or_verified(self, twilio: World) -> None:
        about = Surroundings(campaign=a_campaign(caller_ids=[CALLER_ID]))
        found = twilio_campaign.callers(about)
        assert found.status == "fail"
        assert "+1202***0199" in found.says
        twilio.accounts.set({"twilio": {"verified": [CALLER_ID]}})
        assert twilio_campaign.callers(about).status == "ok"
        twilio.accounts.set({"twilio": {"verified": [], "numbers": [CALLER_ID]}})
        assert twilio_campaign.callers(about).status == "ok"

    def test_a_caller_id_carries_calls(self, twilio: World) -> None:
        twilio.accounts.set({"twilio": {"numbers": [CALLER_ID], "without_voice": [CALLER_ID]}})
        found = twilio_campaign.callers(Surroundings(campaign=a_campaign(caller_ids=[CALLER_ID])))
        assert (found.status, "cannot carry calls" in found.says) == ("fail", True)

    def test_a_country_is_allowed_before_its_people_are_called(self, twilio: World) -> None:
        campaign = a_campaign()
        for n in range(3):
            a_person(campaign, country="ES", number=f"+3461234567{n}")
        a_person(campaign)
        a_person(a_campaign(), country="FR", number="+33639981234")
        about = Surroundings(campaign=campaign)
        found = twilio_campaign.geography(about)
        assert found.says == "Geographic permissions: ES disabled: 3 people, US disabled: 1 person."
        assert "geo-permissions" in found.page
        twilio.accounts.set({"twilio": {"countries": ["ES", "US"]}})
        assert twilio_campaign.geography(about).says == "Calls are allowed to ES, US."
        assert "FR disabled: 1 person" in twilio_campaign.geography(EVERYBODY).says

    def test_nobody_needs_no_permission(self) -> None:
        assert twilio_campaign.geography(EVERYBODY).status == "skipped"

    def test_the_balance_is_measured_against_the_people(self, twilio: World) -> None:
        campaign = a_campaign()
        for _ in range(40):
            a_person(campaign)
        about = Surroundings(campaign=campaign)
        found = twilio_campaign.money(about)
        assert found.status == "warn"
        assert "0.50 USD are left on the Twilio account; about 2.16 are needed (40 people" in found.says
        twilio.accounts.set({"twilio": {"balance": "0.00"}})
        assert twilio_campaign.money(about).status == "fail"
        twilio.accounts.set({"twilio": {"balance": "25.00"}})
        assert twilio_campaign.money(about).status == "ok"


class _Answers(BaseHTTPRequestHandler):
    """A web server that answers what the test says; "signed" stands for our own hooks process."""

    says: tuple[int, dict[str, str], str] = (200, {}, "signed")
    admin_status = 404

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        status, headers, body = self.says
        if parts.path.startswith("/admin"):
            status, headers, body = self.admin_status, {}, ""
        if body == "signed":
            body = nonces.signed(parse_qs(parts.query)["ask"][0])
        self.send_response(status)
        for name, value in ({"Content-Type": "text/plain"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server(settings: Settings) -> Iterator[type[_Answers]]:
    """Whatever PUBLIC_BASE_URL and HOOKS_URL lead to."""
    handler = type("Answers", (_Answers,), {})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.PUBLIC_BASE_URL = settings.HOOKS_URL = f"http://127.0.0.1:{httpd.server_address[1]}"
    yield handler
    httpd.shutdown()
    thread.join()
    httpd.server_close()


class TestPublicAddress:
    def test_leads_to_our_hooks_process(self, server: type[_Answers]) -> None:
        assert public_address.address(EVERYBODY).status == "ok"

    @pytest.mark.parametrize(
        ("says", "words"),
        [
            (
                (302, {"Location": "https://elsewhere.example/x?secret=1"}, ""),
                "redirects to elsewhere.example;",
            ),
            ((200, {"Content-Type": "text/html; charset=utf-8"}, "<html>You are about to visit"), "web page"),
            ((502, {"Content-Type": "text/html"}, "<html>bad gateway"), "answers 502"),
            ((404, {}, ""), "answers 404"),
            ((200, {}, "0" * 64), "another installation"),
        ],
    )
    def test_says_what_stands_in_between(
        self, server: type[_Answers], says: tuple[int, dict[str, str], str], words: str
    ) -> None:
        server.says = says
        found = public_address.address(EVERYBODY)
        assert (found.status, words in found.says, bool(found.remedy)) == ("fail", True, True)
        assert "secret" not in found.says

    def test_says_that_nobody_answers(self, settings: Settings) -> None:
        settings.PUBLIC_BASE_URL = "http://127.0.0.1:9"
        assert "does not answer" in public_address.address(EVERYBODY).says

    def test_says_that_the_certificate_is_not_valid(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuses(*_args: object, **_kwargs: object) -> None:
            raise addresses.Untrusted("its certificate is not valid")

        settings.PUBLIC_BASE_URL = "https://hooks.example.org"
        monkeypatch.setattr(public_address, "fetch", refuses)
        assert "certificate" in public_address.address(EVERYBODY).says

    def test_wants_https_for_what_others_can_read(self, settings: Settings) -> None:
        settings.PUBLIC_BASE_URL = "http://hooks.example.org"
        assert "not https" in public_address.address(EVERYBODY).says

    def test_shows_no_admin_to_the_world(self, server: type[_Answers]) -> None:
        assert public_address.nothing_else(EVERYBODY).status == "ok"
        server.admin_status = 200
        assert public_address.nothing_else(EVERYBODY).status == "warn"

    @pytest.mark.urls("config.hooks_urls")
    def test_our_hooks_process_signs_nonces_and_nothing_else(self, client: Client) -> None:
        nonce = nonces.new_nonce()
        answer = client.get(f"/hooks/nonce?ask={nonce}")
        assert nonces.is_signed(nonce, answer.content.decode())
        assert answer["Cache-Control"] == "no-store"
        assert client.get("/hooks/nonce?ask=AC123").status_code == 400
        assert client.post(f"/hooks/nonce?ask={nonce}").status_code == 405


class TestThisMachine:
    @pytest.mark.django_db
    def test_knows_its_database_and_its_tables(self) -> None:
        assert local_stores.database(EVERYBODY).status == "ok"
        assert local_stores.migrations(EVERYBODY).status == "ok"
        assert local_processes.database_clock(EVERYBODY).status == "ok"

    @pytest.mark.django_db
    def test_refuses_a_database_of_another_mode(self) -> None:
        DialingControl.objects.update_or_create(pk=1, defaults={"mode": "live"})
        found = local_stores.mode(EVERYBODY)
        assert (found.status, "DIALING=live" in found.says) == ("fail", True)

    def test_says_that_redis_is_away(self, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        assert local_stores.redis_server(EVERYBODY).status == "fail"

    @pytest.mark.parametrize(
        ("about", "status"),
        [
            ({"maxmemory_policy": "allkeys-lru", "aof_enabled": 1}, "fail"),
            ({"maxmemory_policy": "noeviction", "aof_enabled": 0}, "warn"),
            ({"maxmemory_policy": "noeviction", "aof_enabled": 1}, "ok"),
        ],
    )
    def test_wants_a_redis_that_forgets_nothing(
        self, monkeypatch: pytest.MonkeyPatch, about: dict[str, Any], status: str
    ) -> None:
        monkeypatch.setattr("redis.Redis.info", lambda _self, _section: about | {"redis_version": "7.4"})
        assert local_stores.redis_server(EVERYBODY).status == status

    def test_runs_the_packages_it_was_tried_with(self, tmp_path: Path, settings: Settings) -> None:
        assert local_processes.versions(EVERYBODY).status == "ok"
        settings.BASE_DIR = tmp_path
        (tmp_path / "requirements.txt").write_text(
            "django==1.0\nno-such-package==2.0 \\\n    --hash=x\n"
            "of-another-python==3.0 ; python_version >= '3.99' \\\n"
        )
        found = local_processes.versions(EVERYBODY)
        assert f"django is {_django()}, not 1.0; no-such-package is missing." in found.says

    @pytest.mark.parametrize(("ahead", "status"), [(2.0, "ok"), (-30.0, "warn"), (301.0, "fail")])
    def test_minds_a_clock_by_which_signatures_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, ahead: float, status: str
    ) -> None:
        monkeypatch.setattr(local_processes, "clock_ahead", lambda _url: ahead)
        found = local_processes.vendor_clocks(EVERYBODY)
        assert found.status == status
        assert ("behind" in found.says) == (ahead > 5)

    def test_reads_a_vendors_clock_from_any_answer(self, twilio: World) -> None:
        told = addresses.clock_ahead(twilio.carrier_url)
        assert told is not None
        assert abs(told) < 3

    def test_knows_its_own_hooks_process(self, server: type[_Answers]) -> None:
        assert local_processes.hooks(EVERYBODY).status == "ok"
        server.says = (200, {}, "somebody else's")
        assert local_processes.hooks(EVERYBODY).status == "fail"

    def test_may_be_asked_before_anything_runs(self, settings: Settings) -> None:
        settings.HOOKS_URL = "http://127.0.0.1:9"
        assert local_processes.hooks(EVERYBODY).status == "warn"

    @pytest.mark.usefixtures("tuesday")
    def test_knows_whether_beat_ticks_and_agents_report(self) -> None:
        PeriodicTask.objects.update(last_run_at=None)
        assert local_processes.beat(EVERYBODY).status == "warn"
        assert local_processes.agents(EVERYBODY).status == "warn"
        PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(minutes=9))
        assert "9 minutes ago" in local_processes.beat(EVERYBODY).says
        PeriodicTask.objects.update(last_run_at=timezone.now())
        an_agent_worker()
        assert local_processes.beat(EVERYBODY).status == "ok"
        assert local_processes.agents(EVERYBODY).status == "ok"


def _django() -> str:
    return local_processes.metadata.version("django")


def a_result(name: str, finding: Finding, *, of_campaign: bool = False) -> Result:
    check = Check(name=name, examine=lambda _: finding, of_campaign=of_campaign)
    return Result(check=check, finding=finding, seconds=0.1)


@pytest.mark.usefixtures("tuesday")
class TestResults:
    def test_the_last_one_of_each_check_is_kept(self) -> None:
        results.store([a_result("local.redis", ok("Well."))], EVERYBODY)
        results.store(
            [a_result("local.redis", fail("Away.", remedy="Start it.", page="https://x"))], EVERYBODY
        )
        (row,) = results.latest()
        assert (row.status, row.finding, row.remedy, row.page) == ("fail", "Away.", "Start it.", "https://x")

    def test_a_campaigns_own_is_shown_on_its_page_only(self) -> None:
        campaign, other = a_campaign(), a_campaign()
        about = Surroundings(campaign=campaign)
        results.store([a_result("twilio.countries", ok("All."), of_campaign=True)], EVERYBODY)
        results.store([a_result("twilio.countries", ok("Ours."), of_campaign=True)], about)
        assert [row.finding for row in results.latest(campaign=campaign)] == ["Ours."]
        assert [row.finding for row in results.latest(campaign=other)] == ["All."]

    def test_one_of_a_check_that_is_no_more_is_not_shown(self) -> None:
        results.store([a_result("local.phlogiston", ok("Well."))], EVERYBODY)
        assert results.latest() == []


@pytest.mark.usefixtures("tuesday")
class TestTheCommand:
    @pytest.fixture(autouse=True)
    def _checks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let a check be about nothing outside, and be made in this thread's transaction."""
        found = {
            "local.redis": fail("Redis is away.", remedy="Start it.", page="https://redis.example"),
            "twilio.account": ok("Upgraded."),
        }

        def run(checks: list[Check], _about: Surroundings) -> list[Result]:
            return [a_result(check.name, found[check.name]) for check in checks if check.name in found]

        monkeypatch.setattr("outreach.management.commands.doctor.run", run)

    def test_says_what_to_do_and_exits_with_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as left:
            call_command("doctor", no_color=True)
        printed = capsys.readouterr().out
        assert left.value.code == 1
        for words in ("FAIL Redis is away.", "→ Start it.", "→ https://redis.example", "1 of 2 checks"):
            assert words in printed
        assert CheckResult.objects.get(pk="local.redis").status == "fail"

    def test_exits_well_when_nothing_stands_in_the_way(self) -> None:
        assert "Nothing stands in the way of a call." in typed("doctor", "--only", "twilio")

    def test_prints_json(self) -> None:
        printed = read_json("doctor", "--only", "twilio")
        assert (printed["ok"], printed["mode"], printed["campaign"]) == (True, "rehearsal", None)
        assert printed["checks"][0]["finding"] == "Upgraded."

    def test_works_in_a_database_of_another_mode(self) -> None:
        DialingControl.objects.update(mode="live")
        assert json.loads(typed("doctor", "--only", "twilio", "--json"))["ok"]
