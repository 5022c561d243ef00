"""Doctor's questions to LiveKit: keys, a worker that takes a job, webhooks, the SIP port, trunk and rule."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from pytest_django import Settings

from outreach.doctor import livekit_project, livekit_sip
from outreach.doctor.finding import Finding, Surroundings
from outreach.domain.dialing_mode import DialingMode
from outreach.integrations.livekit_probe import RoomProbe
from outreach.models import EventSource
from outreach.services import clock, provisioning
from outreach.services.inbox import store_event
from sandbox.accounts import LiveKitStanding
from sandbox.clock import RehearsalClock
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.room_server import RoomServer, make_room_server
from sandbox.settings import SandboxSettings
from tests.factories import an_agent_worker
from tests.job_taker import a_job_taker
from tests.served import Loop, a_loop
from tests.sip_contract import FakeNumbers, Project, callee

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("tuesday")]

KEY, SECRET = "devkey", "throw-away-livekit-secret-of-32-chars"


@dataclass
class Emulated:
    """The emulated project."""

    url: str
    server: RoomServer
    loop: Loop

    @property
    def rooms(self) -> list[str]:
        """Return the rooms that there are."""
        return [room.name for room in self.server.rooms.all()]


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    with a_loop() as running:
        yield running


@pytest.fixture
def project(loop: Loop, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Emulated:
    made: list[RoomServer] = []

    def build() -> web.Application:
        server = make_room_server(
            settings=_settings(tmp_path),
            faults=Faults(),
            journal=Journal(clock=RehearsalClock(), stream=io.StringIO()),
            standing=LiveKitStanding(sip_at_start=False, webhooks=False),
        )
        made.append(server)
        return server.app

    settings.LIVEKIT_URL = loop.serve(build)
    settings.LIVEKIT_API_KEY, settings.LIVEKIT_API_SECRET = KEY, SECRET
    monkeypatch.setattr(livekit_project, "TAKEN_WITHIN", 0.5)
    monkeypatch.setattr(livekit_project, "HEARD_WITHIN", 0.3)
    return Emulated(settings.LIVEKIT_URL, made[0], loop)


def _settings(place: Path) -> SandboxSettings:
    return SandboxSettings(
        twilio_account_sid="AC",
        twilio_auth_token="token",
        livekit_api_key=KEY,
        livekit_api_secret=SECRET,
        sip_username="u",
        sip_password="p",
        public_base_url="http://127.0.0.1:9",
        groq_api_key="gsk_tests",
        state_dir=place,
    )


def found(check: str) -> Finding:
    checks = livekit_project.CHECKS + livekit_sip.CHECKS
    (examine,) = [each.examine for each in checks if each.name == f"livekit.{check}"]
    return examine(Surroundings())


@pytest.fixture
def worker(project: Emulated) -> Iterator[None]:
    """Let a worker be registered as alex."""
    with a_job_taker(project.loop, url=project.url, name="alex", key=KEY, secret=SECRET):
        yield


class TestKeys:
    def test_let_us_in(self, project: Emulated) -> None:
        assert found("keys").status == "ok"

    def test_are_wrong(self, project: Emulated, settings: Settings) -> None:
        settings.LIVEKIT_API_SECRET = "another secret, of 32 characters"
        refused = found("keys")
        assert (refused.status, refused.page) == (
            "fail",
            "https://cloud.livekit.io/projects/p_/settings/keys",
        )
        assert "does not know the key" in refused.says

    def test_lead_to_no_server(self, settings: Settings) -> None:
        settings.LIVEKIT_URL = "ws://127.0.0.1:9"
        assert "No LiveKit server answers at LIVEKIT_URL" in found("keys").says


class TestAgent:
    def test_takes_a_job(self, project: Emulated, worker: None) -> None:
        an_agent_worker(free=8)
        finding = found("agent")
        assert finding.status == "ok"
        assert '"alex" took a job; 50 calls at once have a place' in finding.says
        assert project.rooms == []

    def test_does_not_report_to_us(self, project: Emulated, worker: None) -> None:
        finding = found("agent")
        assert finding.status == "fail"
        assert "HOOKS_URL and AGENT_SECRET" in finding.remedy

    def test_is_registered_under_another_name(
        self, project: Emulated, worker: None, settings: Settings
    ) -> None:
        an_agent_worker()
        settings.AGENT_NAME = "alexa"
        finding = found("agent")
        assert finding.status == "fail"
        assert 'none took a job as "alexa"' in finding.says

    def test_is_not_running_yet(self, project: Emulated) -> None:
        finding = found("agent")
        assert (finding.status, finding.says) == (
            "warn",
            'No agent worker runs, so nobody takes a job as "alex".',
        )
        assert project.rooms == []


class TestWebhooks:
    def test_arrive(self, project: Emulated, monkeypatch: pytest.MonkeyPatch) -> None:
        opened = RoomProbe.open

        def open_and_hear(probe: RoomProbe, room: str) -> None:
            opened(probe, room)
            for name in (room, "call-of-somebody"):
                store_event(
                    source=EventSource.LIVEKIT,
                    event_id=f"EV_{name}",
                    kind="room_started",
                    call=None,
                    payload={"room": {"name": name}},
                    now=clock.now(),
                )

        monkeypatch.setattr(RoomProbe, "open", open_and_hear)
        assert found("webhooks").status == "ok"
        assert project.rooms == []

    def test_do_not_arrive(self, project: Emulated, settings: Settings) -> None:
        settings.LIVEKIT_URL, url = "wss://example.livekit.cloud", settings.LIVEKIT_URL
        by_hand = provisioning.webhooks_by_hand()
        settings.LIVEKIT_URL = url
        finding = found("webhooks")
        assert finding.status == "fail"
        assert "`webhook: {api_key:" in finding.remedy
        assert by_hand.page == "https://cloud.livekit.io/projects/p_/settings/webhooks"


class TestSipPort:
    def test_listens(self, settings: Settings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            settings.LIVEKIT_SIP_URI = f"sip:127.0.0.1:{server.getsockname()[1]};transport=tcp"
            settings.DIALING = DialingMode.TEST
            assert found("sip_port").status == "ok"

    def test_is_closed(self, settings: Settings) -> None:
        settings.LIVEKIT_SIP_URI, settings.DIALING = "sip:127.0.0.1:9", DialingMode.TEST
        finding = found("sip_port")
        assert finding.says == "Nothing listens at 127.0.0.1, port 9 by TCP (ConnectionRefusedError)."
        assert "cannot be derived" in finding.remedy

    def test_is_not_used_by_a_rehearsal(self) -> None:
        assert found("sip_port").status == "skipped"

    @pytest.mark.parametrize(
        ("uri", "address"),
        [
            ("sip:example.sip.livekit.cloud", ("example.sip.livekit.cloud", 5060)),
            ("sip:someone@10.0.0.1:5070;transport=tcp", ("10.0.0.1", 5070)),
            ("sip:[::1]:5061", ("::1", 5061)),
        ],
    )
    def test_is_read_off_the_address(self, uri: str, address: tuple[str, int]) -> None:
        assert livekit_sip.sip_address(uri) == address


class TestTrunkAndRule:
    def test_are_missing_and_then_there(self, project: Emulated) -> None:
        for check in ("trunk", "rule"):
            finding = found(check)
            assert finding.status == "fail"
            assert "manage.py provision" in finding.remedy
        sip = livekit_sip.livekit_sip.sip_project()
        provisioning.carry_out(provisioning.make_plan(sip=sip, book=FakeNumbers(), numbers=[]))
        assert [found(check).status for check in ("trunk", "rule")] == ["ok", "ok"]

    def test_differ(self, project: Emulated) -> None:
        raw = Project(url=project.url, key=KEY, secret=SECRET)
        trunk = raw.add_trunk(name="outreach", auth_username="old", auth_password="old")
        raw.add_rule(name="outreach", rule=callee(randomize=True), trunk_ids=[trunk.sip_trunk_id])
        assert "Wanted: user outreach in place of old; the password" in found("trunk").says
        assert "Wanted: room = the called name" in found("rule").says

    def test_are_in_order_beside_a_rule_that_takes_too_much(self, project: Emulated) -> None:
        sip = livekit_sip.livekit_sip.sip_project()
        provisioning.carry_out(provisioning.make_plan(sip=sip, book=FakeNumbers(), numbers=[]))
        Project(url=project.url, key=KEY, secret=SECRET).add_rule(name="catch-all", rule=callee())
        finding = found("rule")
        assert finding.status == "warn"
        assert "scanners" in finding.remedy

    def test_have_another_trunk_in_their_way(self, project: Emulated) -> None:
        raw = Project(url=project.url, key=KEY, secret=SECRET)
        raw.add_trunk(name="theirs", auth_username="somebody", auth_password="else")
        finding = found("trunk")
        assert finding.status == "fail"
        assert "Give it its numbers, or delete it" in finding.says

    def test_are_not_needed_where_no_phone_rings(self, settings: Settings) -> None:
        settings.SIP_USERNAME = settings.LIVEKIT_SIP_URI = ""
        assert {found(check).status for check in ("trunk", "rule", "sip_port")} == {"skipped"}
