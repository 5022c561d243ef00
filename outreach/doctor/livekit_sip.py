"""LiveKit's SIP side: the port that Twilio connects to, the trunk that lets it in, the dispatch rule."""

from __future__ import annotations

import socket

from django.conf import settings

from outreach.doctor.finding import Check, Finding, Surroundings, fail, ok, skipped, warn
from outreach.domain.dialing_mode import DialingMode
from outreach.integrations import livekit_sip
from outreach.services import sip_setup
from outreach.services.setup_steps import Doing, Step

PORT = 5060
CONNECT_WITHIN = 5.0
PROJECT_PAGE = "https://cloud.livekit.io/projects/p_/settings/project"
TRUNKS_PAGE = "https://cloud.livekit.io/projects/p_/telephony/trunks"
RULES_PAGE = "https://cloud.livekit.io/projects/p_/telephony/dispatch"
_SET_UP = "Run manage.py provision: it shows what it would change, and asks."


def port(_about: Surroundings) -> Finding:
    """Tell whether something listens where Twilio will connect to, by TCP."""
    if not settings.LIVEKIT_SIP_URI:
        return _no_phone()
    if settings.DIALING is DialingMode.REHEARSAL:
        return skipped("A rehearsal's calls reach their room without a SIP port.")
    host, number = sip_address(settings.LIVEKIT_SIP_URI)
    try:
        socket.create_connection((host, number), timeout=CONNECT_WITHIN).close()
    except OSError as problem:
        return fail(
            f"Nothing listens at {host}, port {number} by TCP ({type(problem).__name__}).",
            remedy="LIVEKIT_SIP_URI is the SIP URI on the project's page; it cannot be derived from "
            "LIVEKIT_URL. With a LiveKit of your own, livekit-sip must run and its port be open.",
            page=PROJECT_PAGE,
        )
    return ok(f"LiveKit's SIP service listens at {host}, port {number}.")


def trunk(_about: Surroundings) -> Finding:
    """Tell whether the inbound trunk is as calls need it."""
    if not settings.SIP_USERNAME:
        return _no_phone()
    project = livekit_sip.sip_project()
    return _of(sip_setup.trunk_step(project.trunks(), project), page=TRUNKS_PAGE)


def rule(_about: Surroundings) -> Finding:
    """Tell whether the dispatch rule is as calls need it, and whether others are in its way."""
    if not settings.SIP_USERNAME:
        return _no_phone()
    project = livekit_sip.sip_project()
    trunks, rules = project.trunks(), project.rules()
    our_trunk = sip_setup.our_trunk(trunks)
    our_rule = sip_setup.our_rule(rules, our_trunk)
    found = _of(sip_setup.rule_step(our_trunk, our_rule, project), page=RULES_PAGE)
    remarks = sip_setup.remarks_about(our_trunk, our_rule, rules)
    if remarks and not found.remedy:
        return warn(found.says, remedy=" ".join(remarks), page=RULES_PAGE)
    return found


def sip_address(uri: str) -> tuple[str, int]:
    """Return host and port of a SIP URI; its port is 5060 where it names none."""
    host = uri.removeprefix("sip:").split("@")[-1].split(";")[0]
    name, colon, number = host.rpartition(":")
    if colon and number.isdecimal():
        return name.strip("[]"), int(number)
    return host.strip("[]"), PORT


def _of(step: Step, *, page: str) -> Finding:
    if step.doing is Doing.KEEP:
        return ok(step.says)
    if step.doing is Doing.BLOCKED:
        return fail(step.says, remedy="Then run manage.py provision.", page=page)
    wanted = f" Wanted: {'; '.join(step.changes)}." if step.doing is Doing.CHANGE else ""
    return fail(step.says + wanted, remedy=_SET_UP, page=page)


def _no_phone() -> Finding:
    return skipped("No phone can ring with these settings, so no trunk is needed.")


CHECKS = (
    Check(name="livekit.sip_port", examine=port),
    Check(name="livekit.trunk", examine=trunk, after="livekit.keys"),
    Check(name="livekit.rule", examine=rule, after="livekit.trunk"),
)
