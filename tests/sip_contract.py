"""What setting up SIP relies on: one suite, kept by the sandbox and by a real livekit-server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from livekit import api

from outreach.integrations.livekit import livekit_client
from outreach.integrations.livekit_sip import LiveKitSip
from outreach.integrations.telephony import TelephonyRefused
from outreach.integrations.twilio_numbers import NumberRoute
from outreach.services.provisioning import carry_out, make_plan
from outreach.services.setup_steps import Doing, Plan

T = TypeVar("T")
OURS = "outreach"


@dataclass
class FakeNumbers:
    """An account's numbers."""

    owned: list[NumberRoute] = field(default_factory=list)
    asked_for: list[tuple[str, str]] = field(default_factory=list)

    def routes(self, numbers: Collection[str]) -> list[NumberRoute]:
        """Return those that are asked about."""
        return [route for route in self.owned if route.number in numbers]

    def ask_us(self, *, sid: str, url: str) -> None:
        """Keep what is wanted."""
        self.asked_for.append((sid, url))


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project: our door to it, and LiveKit's own client beside it."""

    url: str
    key: str
    secret: str = field(repr=False)

    @property
    def sip(self) -> LiveKitSip:
        """Our door."""
        return LiveKitSip(url=self.url, api_key=self.key, api_secret=self.secret)

    def raw(self, ask: Callable[[api.LiveKitAPI], Coroutine[Any, Any, T]]) -> T:
        """Ask with LiveKit's own client."""

        async def asking() -> T:
            async with livekit_client(url=self.url, api_key=self.key, api_secret=self.secret) as client:
                return await ask(client)

        return async_to_sync(asking)()

    def trunks(self) -> list[api.SIPInboundTrunkInfo]:
        """Return the trunks as LiveKit has them."""
        return list(self.raw(lambda c: c.sip.list_inbound_trunk(api.ListSIPInboundTrunkRequest())).items)

    def rules(self) -> list[api.SIPDispatchRuleInfo]:
        """Return the rules as LiveKit has them."""
        return list(self.raw(lambda c: c.sip.list_dispatch_rule(api.ListSIPDispatchRuleRequest())).items)

    def add_trunk(self, **fields: Any) -> api.SIPInboundTrunkInfo:
        """Have somebody else make a trunk."""
        asked = api.CreateSIPInboundTrunkRequest(trunk=api.SIPInboundTrunkInfo(**fields))
        return self.raw(lambda c: c.sip.create_inbound_trunk(asked))

    def add_rule(self, **fields: Any) -> api.SIPDispatchRuleInfo:
        """Have somebody else make a rule."""
        asked = api.CreateSIPDispatchRuleRequest(dispatch_rule=api.SIPDispatchRuleInfo(**fields))
        return self.raw(lambda c: c.sip.create_dispatch_rule(asked))

    def plan(self) -> Plan:
        """Plan, with no numbers."""
        return make_plan(sip=self.sip, book=FakeNumbers(), numbers=[])

    def empty(self) -> None:
        """Delete everything."""
        for rule in self.rules():
            gone = api.DeleteSIPDispatchRuleRequest(sip_dispatch_rule_id=rule.sip_dispatch_rule_id)
            self.raw(lambda c, gone=gone: c.sip.delete_dispatch_rule(gone))  # type: ignore[misc]
        for trunk in self.trunks():
            dead = api.DeleteSIPTrunkRequest(sip_trunk_id=trunk.sip_trunk_id)
            self.raw(lambda c, dead=dead: c.sip.delete_trunk(dead))  # type: ignore[misc]


def callee(**fields: Any) -> api.SIPDispatchRule:
    """Return a rule that takes the called name for the room's."""
    return api.SIPDispatchRule(dispatch_rule_callee=api.SIPDispatchRuleCallee(**fields))


def doings(plan: Plan) -> list[Doing]:
    """Return what a plan's steps do."""
    return [step.doing for step in plan.steps]


class SipContract:
    """Subclass it and provide the fixture `project`, empty."""

    def test_makes_the_trunk_and_the_rule(self, project: Project) -> None:
        plan = project.plan()
        assert doings(plan) == [Doing.CREATE, Doing.CREATE]
        carry_out(plan)
        (trunk,), (rule,) = project.trunks(), project.rules()
        assert (trunk.name, trunk.auth_username) == (OURS, settings.SIP_USERNAME)
        assert trunk.auth_password == settings.SIP_PASSWORD
        assert (list(trunk.numbers), list(trunk.allowed_numbers)) == ([], [])
        assert rule.name == OURS
        assert list(rule.trunk_ids) == [trunk.sip_trunk_id]
        assert rule.rule == callee()

    def test_changes_nothing_the_second_time(self, project: Project) -> None:
        carry_out(project.plan())
        before = project.trunks(), project.rules()
        plan = project.plan()
        assert doings(plan) == [Doing.KEEP, Doing.KEEP]
        carry_out(plan)
        assert (project.trunks(), project.rules()) == before

    def test_mends_what_differs_and_keeps_the_rest(self, project: Project) -> None:
        trunk = project.add_trunk(
            name="by hand",
            numbers=["+14155550100"],
            auth_username=settings.SIP_USERNAME,
            auth_password="an old one",
            allowed_addresses=["54.172.60.0/30"],
            metadata="kept",
        )
        project.add_rule(
            name="by hand too",
            rule=callee(room_prefix="call", randomize=True),
            trunk_ids=[trunk.sip_trunk_id],
            metadata="kept too",
        )
        plan = project.plan()
        assert [step.changes for step in plan.steps] == [
            ("the password in SIP_PASSWORD", "every number in place of 1 listed ones"),
            ("room = the called name, no prefix, nothing random",),
        ]
        carry_out(plan)
        (mended,), (rule,) = project.trunks(), project.rules()
        assert mended.sip_trunk_id == trunk.sip_trunk_id
        assert (mended.auth_password, list(mended.numbers)) == (settings.SIP_PASSWORD, [])
        assert (list(mended.allowed_addresses), mended.metadata) == (["54.172.60.0/30"], "kept")
        assert (rule.rule, rule.metadata) == (callee(), "kept too")
        assert doings(project.plan()) == [Doing.KEEP, Doing.KEEP]

    def test_turns_a_rule_of_another_kind_into_ours(self, project: Project) -> None:
        lobby = api.SIPDispatchRule(dispatch_rule_direct=api.SIPDispatchRuleDirect(room_name="lobby"))
        project.add_rule(name=OURS, rule=lobby, trunk_ids=["ST_gone"])
        carry_out(project.plan())
        (rule,) = project.rules()
        assert rule.rule == callee()
        assert list(rule.trunk_ids) == [project.trunks()[0].sip_trunk_id]

    def test_leaves_a_trunk_with_numbers_of_its_own_alone(self, project: Project) -> None:
        theirs = project.add_trunk(
            name="reception", numbers=["+14155550100"], auth_username="r", auth_password="r"
        )
        carry_out(project.plan())
        assert theirs in project.trunks()
        assert len(project.trunks()) == 2

    def test_stops_at_a_trunk_that_takes_every_number(self, project: Project) -> None:
        project.add_trunk(name="theirs", auth_username="somebody", auth_password="else")
        plan = project.plan()
        assert doings(plan) == [Doing.BLOCKED]
        assert '"theirs"' in plan.steps[0].says
        with pytest.raises(TelephonyRefused, match="Conflicting inbound SIP Trunks"):
            project.sip.put_trunk(trunk_id="", name=OURS, username="u", password="p")

    def test_remarks_on_rules_that_take_too_much(self, project: Project) -> None:
        carry_out(project.plan())
        trunk = project.trunks()[0].sip_trunk_id
        project.add_rule(name="catch-all", rule=callee())
        project.add_rule(name="with a pin", rule=callee(pin="1234"), trunk_ids=[trunk])
        every = next(said for said in project.plan().remarks if '"catch-all"' in said)
        ours = next(said for said in project.plan().remarks if '"with a pin"' in said)
        assert "scanners" in every
        assert "our trunk too" in ours
        assert doings(project.plan()) == [Doing.KEEP, Doing.KEEP]

    def test_is_told_when_the_keys_are_wrong(self, project: Project) -> None:
        stranger = LiveKitSip(url=project.url, api_key=project.key, api_secret="x" * 40)
        with pytest.raises(TelephonyRefused) as refused:
            stranger.trunks()
        assert refused.value.http_status == 401
