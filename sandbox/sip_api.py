"""LiveKit's SIP API over Twirp: inbound trunks and dispatch rules, for tokens that administer SIP."""

from __future__ import annotations

from collections.abc import Callable

from google.protobuf.message import Message
from livekit.api.access_token import Claims
from livekit.protocol import sip

from sandbox.sip_service import SipService
from sandbox.twirp import TwirpError, require


class SipApi:
    """Answers the methods of `livekit.SIP` that a project's set-up needs."""

    def __init__(self, service: SipService) -> None:
        self._service = service
        self.methods: dict[str, Callable[[bytes, Claims], Message]] = {
            "SIP/ListSIPInboundTrunk": self._list_trunks,
            "SIP/CreateSIPInboundTrunk": self._create_trunk,
            "SIP/UpdateSIPInboundTrunk": self._update_trunk,
            "SIP/ListSIPDispatchRule": self._list_rules,
            "SIP/CreateSIPDispatchRule": self._create_rule,
            "SIP/UpdateSIPDispatchRule": self._update_rule,
            "SIP/DeleteSIPDispatchRule": self._delete_rule,
        }

    def _list_trunks(self, body: bytes, claims: Claims) -> Message:
        _require_admin(claims)
        asked = sip.ListSIPInboundTrunkRequest.FromString(body)
        found = [
            trunk
            for trunk in self._service.trunks.values()
            if not asked.trunk_ids or trunk.sip_trunk_id in asked.trunk_ids
        ]
        return sip.ListSIPInboundTrunkResponse(items=found)

    def _create_trunk(self, body: bytes, claims: Claims) -> Message:
        _require_admin(claims)
        return self._service.put_trunk(sip.CreateSIPInboundTrunkRequest.FromString(body).trunk)

    def _update_trunk(self, body: bytes, claims: Claims) -> Message:
        _require_admin(claims)
        asked = sip.UpdateSIPInboundTrunkRequest.FromString(body)
        _replaces(asked.WhichOneof("action"))
        return self._service.put_trunk(asked.replace, trunk_id=asked.sip_trunk_id)

    def _list_rules(self, body: bytes, claims: Claims) -> Message:
        _require_admin(claims)
        asked = sip.ListSIPDispatchRuleRequest.FromString(body)
        found = [
            rule
            for rule in self._service.rules.values()
            if not asked.trunk_ids or not rule.trunk_ids or set(asked.trunk_ids) & set(rule.trunk_ids)
        ]
        return sip.ListSIPDispatchRuleResponse(items=found)

    def _create_rule(self, body: bytes, claims: Claims) -> Message:
        _require_admin(claims)
        return self._service.put_rule(sip.CreateSIPDispatchRuleRequest.FromString(body).dispatch_rule)

    def _update_rule(self, body: bytes, claims: Claims) -> Message:
        _require_admin(claims)
        asked = sip.UpdateSIPDispatchRuleRequest.FromString(body)
        _replaces(asked.WhichOneof("action"))
        return self._service.put_rule(asked.replace, rule_id=asked.sip_dispatch_rule_id)

    def _delete_rule(self, body: bytes, claims: Claims) -> Message:
        _require_admin(claims)
        asked = sip.DeleteSIPDispatchRuleRequest.FromString(body)
        return self._service.delete_rule(asked.sip_dispatch_rule_id)


def _require_admin(claims: Claims) -> None:
    require(claims.sip is not None and claims.sip.admin)


def _replaces(action: str | None) -> None:
    if action != "replace":
        raise TwirpError("invalid_argument", "this sandbox only replaces: `update` is not emulated")
