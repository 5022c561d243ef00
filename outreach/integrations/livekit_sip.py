"""LiveKit's SIP API: the inbound trunk that Twilio calls into, and the rule that finds a call its room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from asgiref.sync import async_to_sync
from django.conf import settings
from livekit import api

from outreach.integrations.livekit import livekit_client, refusals


@dataclass(frozen=True, kw_only=True)
class Trunk:
    """An inbound trunk, as far as we care."""

    id: str
    name: str
    username: str
    password: str = field(repr=False)
    """Empty also where LiveKit does not show it."""
    numbers: tuple[str, ...] = ()
    """Called numbers that it takes; empty: all."""
    allowed_numbers: tuple[str, ...] = ()
    """Calling numbers that it takes; empty: all."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A dispatch rule, as far as we care."""

    id: str
    name: str
    trunk_ids: tuple[str, ...]
    """Trunks whose calls it takes; empty: those of every trunk."""
    kind: str
    """callee, direct, individual."""
    room_prefix: str = ""
    randomize: bool = False
    pin: str = field(default="", repr=False)
    inbound_numbers: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


class SipProject(Protocol):
    """The SIP side of one LiveKit project."""

    def trunks(self) -> list[Trunk]:
        """Return the inbound trunks.

        :raises TelephonyRefused: when LiveKit says no.
        :raises TelephonyUnavailable: when it could not be asked.
        """

    def rules(self) -> list[Rule]:
        """Return the dispatch rules; raises as `trunks` does."""

    def put_trunk(self, *, trunk_id: str, name: str, username: str, password: str) -> None:
        """Create the trunk (`trunk_id` empty), or set it right and leave alone what is not named here.

        :raises TelephonyRefused: when LiveKit says no: another trunk takes every number, say.
        :raises TelephonyUnavailable: when it could not be asked.
        """

    def put_rule(self, *, rule_id: str, name: str, trunk_id: str) -> None:
        """Create the rule (`rule_id` empty), or set it right: calls of the trunk, room as called, no pin.

        :raises TelephonyRefused: when LiveKit says no.
        :raises TelephonyUnavailable: when it could not be asked.
        """


class LiveKitSip:
    """The SIP side of a project, over LiveKit's API."""

    def __init__(self, *, url: str, api_key: str, api_secret: str) -> None:
        self._url = url
        self._api_key = api_key
        self._api_secret = api_secret

    def trunks(self) -> list[Trunk]:
        """Return the inbound trunks."""
        with refusals():
            return [_trunk(found) for found in async_to_sync(self._trunks)()]

    def rules(self) -> list[Rule]:
        """Return the dispatch rules."""
        with refusals():
            return [_rule(found) for found in async_to_sync(self._rules)()]

    def put_trunk(self, *, trunk_id: str, name: str, username: str, password: str) -> None:
        """Create the trunk, or set it right."""
        with refusals():
            async_to_sync(self._put_trunk)(trunk_id, name, username, password)

    def put_rule(self, *, rule_id: str, name: str, trunk_id: str) -> None:
        """Create the rule, or set it right."""
        with refusals():
            async_to_sync(self._put_rule)(rule_id, name, trunk_id)

    def _client(self) -> api.LiveKitAPI:
        return livekit_client(url=self._url, api_key=self._api_key, api_secret=self._api_secret)

    async def _trunks(self) -> list[api.SIPInboundTrunkInfo]:
        async with self._client() as client:
            return list((await client.sip.list_inbound_trunk(api.ListSIPInboundTrunkRequest())).items)

    async def _rules(self) -> list[api.SIPDispatchRuleInfo]:
        async with self._client() as client:
            return list((await client.sip.list_dispatch_rule(api.ListSIPDispatchRuleRequest())).items)

    async def _put_trunk(self, trunk_id: str, name: str, username: str, password: str) -> None:
        kept = next((each for each in await self._trunks() if each.sip_trunk_id == trunk_id), None)
        trunk = kept or api.SIPInboundTrunkInfo()
        trunk.name, trunk.auth_username, trunk.auth_password = name, username, password
        # The called "number" is a room's name: a trunk that asks for numbers takes none of our calls.
        del trunk.numbers[:], trunk.allowed_numbers[:]
        async with self._client() as client:
            if kept is None:
                await client.sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=trunk))
            else:
                # Replaced as a whole: LiveKit has no update that empties a list.
                await client.sip.update_inbound_trunk(trunk_id, trunk)

    async def _put_rule(self, rule_id: str, name: str, trunk_id: str) -> None:
        kept = next((each for each in await self._rules() if each.sip_dispatch_rule_id == rule_id), None)
        rule = kept or api.SIPDispatchRuleInfo()
        rule.name = name
        rule.rule.dispatch_rule_callee.CopyFrom(api.SIPDispatchRuleCallee(room_prefix="", randomize=False))
        del rule.trunk_ids[:], rule.inbound_numbers[:], rule.numbers[:]
        rule.trunk_ids.append(trunk_id)
        async with self._client() as client:
            if kept is None:
                await client.sip.create_dispatch_rule(api.CreateSIPDispatchRuleRequest(dispatch_rule=rule))
            else:
                await client.sip.update_dispatch_rule(rule_id, rule)


def sip_project() -> SipProject:
    """Return the project that the settings name."""
    return LiveKitSip(
        url=settings.LIVEKIT_URL, api_key=settings.LIVEKIT_API_KEY, api_secret=settings.LIVEKIT_API_SECRET
    )


def _trunk(found: api.SIPInboundTrunkInfo) -> Trunk:
    return Trunk(
        id=found.sip_trunk_id,
        name=found.name,
        username=found.auth_username,
        password=found.auth_password,
        numbers=tuple(found.numbers),
        allowed_numbers=tuple(found.allowed_numbers),
    )


def _rule(found: api.SIPDispatchRuleInfo) -> Rule:
    which = found.rule.WhichOneof("rule") or ""
    inside = getattr(found.rule, which) if which else None
    return Rule(
        id=found.sip_dispatch_rule_id,
        name=found.name,
        trunk_ids=tuple(found.trunk_ids),
        kind=which.removeprefix("dispatch_rule_"),
        room_prefix=getattr(inside, "room_prefix", ""),
        randomize=getattr(inside, "randomize", False),
        pin=getattr(inside, "pin", ""),
        inbound_numbers=tuple(found.inbound_numbers),
        numbers=tuple(found.numbers),
    )
