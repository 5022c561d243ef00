"""LiveKit's SIP service: trunks, dispatch rules, and which room a call gets into.

Conflicts and refusals are those of livekit-server 1.13.5, whose SIP API was asked the same questions
(tests/voice/test_sip_provisioning.py does).
"""

from __future__ import annotations

from collections.abc import Iterable

from livekit.protocol import sip

from sandbox.legs import SipInvite, SipRefused, check_credentials
from sandbox.room import new_id
from sandbox.twirp import TwirpError

_UNKNOWN_ID = "trunk id in the info must be empty or match the id in the update"


class SipService:
    """The trunks and rules of one project."""

    def __init__(self) -> None:
        self.trunks: dict[str, sip.SIPInboundTrunkInfo] = {}
        self.rules: dict[str, sip.SIPDispatchRuleInfo] = {}

    def put_trunk(self, trunk: sip.SIPInboundTrunkInfo, *, trunk_id: str = "") -> sip.SIPInboundTrunkInfo:
        """Keep a new trunk, or one in place of `trunk_id`.

        :raises TwirpError: when it lets everybody in, or takes the numbers of another one.
        """
        if trunk.sip_trunk_id not in ("", trunk_id):
            raise TwirpError("invalid_argument", _UNKNOWN_ID)
        if trunk_id and trunk_id not in self.trunks:
            raise TwirpError("not_found", "requested sip trunk does not exist")
        if not (trunk.auth_username or trunk.allowed_addresses or trunk.numbers):
            raise TwirpError(
                "invalid_argument",
                "for security, one of the fields must be set: AuthUsername+AuthPassword, "
                "AllowedAddresses or Numbers",
            )
        kept = sip.SIPInboundTrunkInfo()
        kept.CopyFrom(trunk)
        kept.sip_trunk_id = trunk_id or new_id("ST")
        self._refuse_same_numbers(kept)
        self.trunks[kept.sip_trunk_id] = kept
        return kept

    def put_rule(self, rule: sip.SIPDispatchRuleInfo, *, rule_id: str = "") -> sip.SIPDispatchRuleInfo:
        """Keep a new rule, or one in place of `rule_id`.

        :raises TwirpError: when it says nothing, or the same as another one.
        """
        if rule_id and rule_id not in self.rules:
            raise TwirpError("not_found", "requested sip dispatch rule does not exist")
        if rule.rule.WhichOneof("rule") is None:
            raise TwirpError("invalid_argument", "missing rule")
        kept = sip.SIPDispatchRuleInfo()
        kept.CopyFrom(rule)
        kept.sip_dispatch_rule_id = rule_id or new_id("SDR")
        for other in self.rules.values():
            if other.sip_dispatch_rule_id != kept.sip_dispatch_rule_id and _keys(other) & _keys(kept):
                raise TwirpError(
                    "invalid_argument",
                    "Dispatch rule for the same trunk, inbound number, number, and PIN combination already "
                    f'exists in dispatch rule "{other.sip_dispatch_rule_id}" "{other.name}"',
                )
        self.rules[kept.sip_dispatch_rule_id] = kept
        return kept

    def delete_rule(self, rule_id: str) -> sip.SIPDispatchRuleInfo:
        """Forget a rule and return it.

        :raises TwirpError: when there is none.
        """
        try:
            return self.rules.pop(rule_id)
        except KeyError:
            raise TwirpError("not_found", "requested sip dispatch rule does not exist") from None

    def set_up(self, *, username: str, password: str) -> None:
        """Have the trunk and the rule that a rehearsal calls through."""
        trunk = self.put_trunk(
            sip.SIPInboundTrunkInfo(name="outreach", auth_username=username, auth_password=password)
        )
        callee = sip.SIPDispatchRule(dispatch_rule_callee=sip.SIPDispatchRuleCallee())
        self.put_rule(sip.SIPDispatchRuleInfo(name="outreach", rule=callee, trunk_ids=[trunk.sip_trunk_id]))

    def room_for(self, invite: SipInvite) -> str:
        """Return the room that a call gets into.

        :raises SipRefused: with 407 or 403 by the trunk's digest authentication, with 404 where no trunk or
            no rule takes the call.
        """
        trunk = next((trunk for trunk in self.trunks.values() if _takes(trunk, invite.user)), None)
        if trunk is None:
            raise SipRefused(404)
        if trunk.auth_username:
            check_credentials(invite, username=trunk.auth_username, password=trunk.auth_password)
        own = [rule for rule in self.rules.values() if trunk.sip_trunk_id in rule.trunk_ids]
        rule = next(iter(own or [rule for rule in self.rules.values() if not rule.trunk_ids]), None)
        if rule is None:
            raise SipRefused(404)
        return _room_by(rule, invite)

    def _refuse_same_numbers(self, trunk: sip.SIPInboundTrunkInfo) -> None:
        for other in self.trunks.values():
            same = set(_numbers(other)) & set(_numbers(trunk))
            if other.sip_trunk_id != trunk.sip_trunk_id and same and not _told_apart(other, trunk):
                raise TwirpError(
                    "invalid_argument",
                    f'Conflicting inbound SIP Trunks: "<new>" and "{other.sip_trunk_id}", using the same '
                    f"number(s) {', '.join(sorted(same))} without AllowedNumbers set",
                )


def _numbers(trunk: sip.SIPInboundTrunkInfo) -> Iterable[str]:
    return trunk.numbers or ["<any>"]


def _told_apart(one: sip.SIPInboundTrunkInfo, two: sip.SIPInboundTrunkInfo) -> bool:
    return bool(one.allowed_numbers and two.allowed_numbers) and not (
        set(one.allowed_numbers) & set(two.allowed_numbers)
    )


def _takes(trunk: sip.SIPInboundTrunkInfo, called: str) -> bool:
    return not trunk.numbers or called in trunk.numbers


def _keys(rule: sip.SIPDispatchRuleInfo) -> set[tuple[str, str, str, str]]:
    pin = str(getattr(rule.rule, str(rule.rule.WhichOneof("rule"))).pin)
    return {
        (pin, trunk, caller, called)
        for trunk in rule.trunk_ids or [""]
        for caller in rule.inbound_numbers or [""]
        for called in rule.numbers or [""]
    }


def _room_by(rule: sip.SIPDispatchRuleInfo, invite: SipInvite) -> str:
    match rule.rule.WhichOneof("rule"):
        case "dispatch_rule_direct":
            return rule.rule.dispatch_rule_direct.room_name
        case "dispatch_rule_individual":
            return f"{rule.rule.dispatch_rule_individual.room_prefix}_{invite.caller}_{new_id('')}"
    callee = rule.rule.dispatch_rule_callee
    room = f"{callee.room_prefix}_{invite.user}" if callee.room_prefix else invite.user
    return f"{room}_{new_id('')}" if callee.randomize else room
