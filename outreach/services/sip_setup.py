"""The SIP side of the LiveKit project: one trunk that lets Twilio in, one rule that finds each call its room.

What livekit-server 1.13.5 does with them was asked of one: of the trunks without numbers it allows one; a
rule of a trunk goes before the rules of all trunks.
"""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings

from outreach.integrations.livekit_sip import Rule, SipProject, Trunk
from outreach.services.setup_steps import Doing, Step

#: What the trunk and the rule are called; a project may have others.
OURS = "outreach"


def our_trunk(trunks: Collection[Trunk]) -> Trunk | None:
    """Return the trunk that bears our name or lets our user in."""
    named = [trunk for trunk in trunks if trunk.name == OURS]
    known = [trunk for trunk in trunks if trunk.username and trunk.username == settings.SIP_USERNAME]
    return next(iter(named or known), None)


def our_rule(rules: Collection[Rule], trunk: Trunk | None) -> Rule | None:
    """Return the rule that bears our name, or takes our trunk's calls without asking for a pin."""
    named = [rule for rule in rules if rule.name == OURS]
    of_trunk = [rule for rule in rules if trunk and trunk.id in rule.trunk_ids and not rule.pin]
    return next(iter(named or of_trunk), None)


def trunk_step(trunks: Collection[Trunk], sip: SipProject, *, set_password: bool = False) -> Step:
    """Return what is to be done about the inbound trunk."""
    trunk = our_trunk(trunks)
    in_the_way = [each for each in trunks if each != trunk and not (each.numbers or each.allowed_numbers)]
    if in_the_way:
        return _blocked_by(in_the_way[0])

    def put() -> None:
        sip.put_trunk(
            trunk_id=trunk.id if trunk else "",
            name=OURS,
            username=settings.SIP_USERNAME,
            password=settings.SIP_PASSWORD,
        )

    if trunk is None:
        return Step(
            what="inbound trunk",
            doing=Doing.CREATE,
            says="There is no inbound trunk for Twilio's calls.",
            changes=(
                f"user {settings.SIP_USERNAME} and password of SIP_USERNAME, SIP_PASSWORD",
                "every number",
            ),
            carry_out=put,
        )
    changes = tuple(_trunk_drift(trunk, set_password=set_password))
    return Step(
        what="inbound trunk",
        doing=Doing.CHANGE if changes else Doing.KEEP,
        says=f"The inbound trunk {trunk.id} "
        + ("is not as calls need it." if changes else "lets Twilio in by user and password."),
        changes=changes,
        carry_out=put,
    )


def _blocked_by(other: Trunk) -> Step:
    return Step(
        what="inbound trunk",
        doing=Doing.BLOCKED,
        says=f'The inbound trunk "{other.name}" ({other.id}) takes calls to every number, as ours must, '
        "and LiveKit allows one such trunk. Give it its numbers, or delete it.",
    )


def rule_step(trunk: Trunk | None, rule: Rule | None, sip: SipProject) -> Step:
    """Return what is to be done about the dispatch rule; its trunk may be one that is still to be made."""

    def put() -> None:
        made = our_trunk(sip.trunks())
        if made is not None:
            sip.put_rule(rule_id=rule.id if rule else "", name=OURS, trunk_id=made.id)

    if rule is None:
        return Step(
            what="dispatch rule",
            doing=Doing.CREATE,
            says="There is no dispatch rule that puts Twilio's calls into their rooms.",
            changes=("room = the called name, no prefix, nothing random", "only calls of that trunk"),
            carry_out=put,
        )
    changes = tuple(_rule_drift(rule, trunk))
    return Step(
        what="dispatch rule",
        doing=Doing.CHANGE if changes else Doing.KEEP,
        says=f"The dispatch rule {rule.id} "
        + ("is not as calls need it." if changes else "puts each call into its own room."),
        changes=changes,
        carry_out=put,
    )


def remarks_about(trunk: Trunk | None, ours: Rule | None, rules: Collection[Rule]) -> list[str]:
    """Return what is to be said of rules that are not ours."""
    said = []
    for rule in rules:
        if ours is not None and rule.id == ours.id:
            continue
        if not rule.trunk_ids:
            said.append(
                f'The dispatch rule "{rule.name}" ({rule.id}) takes calls of every trunk: scanners find such '
                "rules. Name its trunks, or delete it."
            )
        elif trunk is not None and trunk.id in rule.trunk_ids:
            said.append(
                f'The dispatch rule "{rule.name}" ({rule.id}) takes calls of our trunk too, and may take '
                "them away from ours. Delete it."
            )
    return said


def _trunk_drift(trunk: Trunk, *, set_password: bool) -> list[str]:
    drift = []
    if trunk.username != settings.SIP_USERNAME:
        drift.append(f"user {settings.SIP_USERNAME} in place of {trunk.username or 'none'}")
    if trunk.password and trunk.password != settings.SIP_PASSWORD:
        drift.append("the password in SIP_PASSWORD")
    elif not trunk.password and set_password:
        drift.append("the password in SIP_PASSWORD, since LiveKit does not show which one it has")
    if trunk.numbers:
        drift.append(f"every number in place of {len(trunk.numbers)} listed ones")
    if trunk.allowed_numbers:
        drift.append(f"calls from every number in place of {len(trunk.allowed_numbers)} listed ones")
    return drift


def _rule_drift(rule: Rule, trunk: Trunk | None) -> list[str]:
    drift = []
    if (rule.kind, rule.room_prefix, rule.randomize) != ("callee", "", False):
        drift.append("room = the called name, no prefix, nothing random")
    if rule.pin:
        drift.append("no pin")
    if trunk is None or rule.trunk_ids != (trunk.id,):
        drift.append("only calls of our trunk")
    if rule.inbound_numbers or rule.numbers:
        drift.append("every number in place of listed ones")
    return drift
