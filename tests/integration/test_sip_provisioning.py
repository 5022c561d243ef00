"""Setting up SIP and the numbers: the contract at the sandbox, the requests field by field, the command."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from django.core.management import call_command
from django.core.management.base import CommandError
from google.protobuf.json_format import MessageToDict
from livekit.protocol import sip
from pytest_django import Settings

from outreach.integrations import livekit_sip, twilio_numbers
from outreach.integrations.telephony import TelephonyUnavailable
from outreach.integrations.twilio_numbers import NumberRoute
from outreach.services.provisioning import carry_out, make_plan
from outreach.services.setup_steps import Doing
from sandbox.accounts import LiveKitStanding
from sandbox.clock import RehearsalClock
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.room_server import RoomServer, make_room_server
from sandbox.settings import SandboxSettings
from tests.factories import a_campaign
from tests.served import Loop, a_loop
from tests.sip_contract import FakeNumbers, Project, SipContract

pytestmark = pytest.mark.integration

KEY, SECRET = "devkey", "throw-away-livekit-secret-of-32-chars"
OWN = "+12125550100"
ROUTE = NumberRoute(sid="PN1", number=OWN, voice=True, voice_url="", voice_method="POST")


@dataclass
class Emulated:
    """The emulated project, and what it was asked."""

    url: str
    server: RoomServer
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def last(self, method: str) -> bytes:
        """Return the last request to a method."""
        return next(body for path, body in reversed(self.asked) if path.endswith(f"livekit.SIP/{method}"))


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    with a_loop() as running:
        yield running


@pytest.fixture
def emulated(loop: Loop, tmp_path: Path) -> Emulated:
    made: list[RoomServer] = []
    asked: list[tuple[str, bytes]] = []

    @web.middleware
    async def remembering(request: web.Request, handler: Any) -> web.StreamResponse:
        asked.append((request.path, await request.read()))
        answer: web.StreamResponse = await handler(request)
        return answer

    def build() -> web.Application:
        server = make_room_server(
            settings=_settings(tmp_path),
            faults=Faults(),
            journal=Journal(clock=RehearsalClock(), stream=io.StringIO()),
            standing=LiveKitStanding(sip_at_start=False, webhooks=False),
        )
        made.append(server)
        server.app.middlewares.append(remembering)
        return server.app

    return Emulated(loop.serve(build), made[0], asked)


@pytest.fixture
def project(emulated: Emulated) -> Project:
    return Project(url=emulated.url, key=KEY, secret=SECRET)


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


class TestSandbox(SipContract):
    """The sandbox's SIP service keeps the contract."""


class TestRequests:
    def test_create_the_trunk_and_the_rule(
        self, project: Project, emulated: Emulated, settings: Settings
    ) -> None:
        carry_out(project.plan())
        trunk = sip.CreateSIPInboundTrunkRequest.FromString(emulated.last("CreateSIPInboundTrunk"))
        assert MessageToDict(trunk, preserving_proto_field_name=True) == {
            "trunk": {
                "name": "outreach",
                "auth_username": settings.SIP_USERNAME,
                "auth_password": settings.SIP_PASSWORD,
            }
        }
        rule = sip.CreateSIPDispatchRuleRequest.FromString(emulated.last("CreateSIPDispatchRule"))
        (made,) = emulated.server.rooms.sip.trunks
        assert MessageToDict(rule, preserving_proto_field_name=True) == {
            "dispatch_rule": {
                "name": "outreach",
                "rule": {"dispatch_rule_callee": {}},
                "trunk_ids": [made],
            }
        }

    def test_replace_what_differs_as_a_whole(self, project: Project, emulated: Emulated) -> None:
        carry_out(project.plan())
        (trunk,) = emulated.server.rooms.sip.trunks.values()
        trunk.auth_password = "an old one"
        carry_out(project.plan())
        asked = sip.UpdateSIPInboundTrunkRequest.FromString(emulated.last("UpdateSIPInboundTrunk"))
        assert (asked.sip_trunk_id, asked.WhichOneof("action")) == (trunk.sip_trunk_id, "replace")
        assert asked.replace.sip_trunk_id == trunk.sip_trunk_id

    def test_say_that_a_server_does_not_answer(self) -> None:
        nobody = Project(url="http://127.0.0.1:9", key=KEY, secret=SECRET)
        with pytest.raises(TelephonyUnavailable):
            nobody.sip.rules()


class TestPassword:
    def test_is_taken_for_right_where_livekit_does_not_show_it(
        self, project: Project, emulated: Emulated
    ) -> None:
        carry_out(project.plan())
        (trunk,) = emulated.server.rooms.sip.trunks.values()
        trunk.auth_password = ""
        assert not project.plan().pending
        plan = make_plan(sip=project.sip, book=FakeNumbers(), numbers=[], set_password=True)
        assert [step.what for step in plan.pending] == ["inbound trunk"]


class TestNumbers:
    @pytest.mark.parametrize(
        ("route", "doing"),
        [
            (ROUTE, Doing.CHANGE),
            (
                NumberRoute(
                    sid="PN1",
                    number=OWN,
                    voice=True,
                    voice_url="https://hooks.example.org/hooks/twilio/incoming",
                    voice_method="POST",
                ),
                Doing.KEEP,
            ),
            (
                NumberRoute(
                    sid="PN1",
                    number=OWN,
                    voice=True,
                    voice_url="https://hooks.example.org/hooks/twilio/incoming",
                    voice_method="POST",
                    elsewhere="TK1",
                ),
                Doing.CHANGE,
            ),
            (
                NumberRoute(sid="PN1", number=OWN, voice=False, voice_url="", voice_method=""),
                Doing.BLOCKED,
            ),
        ],
    )
    def test_ask_us_when_somebody_calls_back(
        self, project: Project, settings: Settings, route: NumberRoute, doing: Doing
    ) -> None:
        settings.PUBLIC_BASE_URL = "https://hooks.example.org"
        book = FakeNumbers(owned=[route])
        plan = make_plan(sip=project.sip, book=book, numbers=[OWN])
        assert plan.steps[-1].doing is doing
        assert OWN not in plan.steps[-1].what
        carry_out(plan)
        wanted = [("PN1", "https://hooks.example.org/hooks/twilio/incoming")]
        assert book.asked_for == (wanted if doing is Doing.CHANGE else [])

    def test_of_other_uses_are_left_alone(self, project: Project) -> None:
        plan = make_plan(sip=project.sip, book=FakeNumbers(owned=[ROUTE]), numbers=["+14155550199"])
        assert [step.what for step in plan.steps] == ["inbound trunk", "dispatch rule"]


@pytest.mark.django_db
class TestProvision:
    @pytest.fixture(autouse=True)
    def _accounts(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> FakeNumbers:
        self.project, self.book = project, FakeNumbers(owned=[ROUTE])
        monkeypatch.setattr(livekit_sip, "sip_project", lambda: project.sip)
        monkeypatch.setattr(twilio_numbers, "number_book", lambda: self.book)
        return self.book

    def provision(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command("provision", *arguments, stdout=out)
        return out.getvalue()

    def test_shows_the_plan_and_does_it(self) -> None:
        a_campaign(caller_ids=[OWN])
        said = self.provision("--yes")
        assert "create    inbound trunk: There is no inbound trunk for Twilio's calls." in said
        assert "change    number +1212***0100: Whoever calls it back does not reach us." in said
        assert "Done. It is now so:" in said
        assert "livekit.yaml: `webhook:" in said
        assert [sid for sid, _ in self.book.asked_for] == ["PN1"]
        assert "Nothing is to be changed" not in said

    def test_has_nothing_to_do_the_second_time(self) -> None:
        self.provision("--yes")
        said = self.provision("--yes")
        assert "Nothing is to be changed." in said
        assert "No campaign has a caller ID yet" in said

    def test_only_shows_the_plan_when_it_is_to(self) -> None:
        self.provision("--dry-run")
        assert self.project.trunks() == []

    def test_leaves_all_as_it_is_without_a_yes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("builtins.input", lambda: "n")
        assert "By hand" in self.provision()
        assert self.project.trunks() == []

    def test_says_what_is_in_the_way(self) -> None:
        self.project.add_trunk(name="theirs", auth_username="somebody", auth_password="else")
        with pytest.raises(CommandError, match="Something stands in the way"):
            self.provision("--yes")

    def test_tells_where_to_click_in_the_cloud(self, settings: Settings) -> None:
        settings.LIVEKIT_URL = "wss://example.livekit.cloud"
        assert "https://cloud.livekit.io/projects/p_/settings/webhooks" in self.provision("--dry-run")

    def test_has_nothing_to_set_up_where_no_phone_rings(self, settings: Settings) -> None:
        settings.SIP_USERNAME = ""
        with pytest.raises(CommandError, match="No phone can ring"):
            self.provision()
