"""Whether real phones may ring: keys alone never dial.

`rehearsal` dials only emulators on this machine, `test` only the operator's own numbers, `live`
everybody whom the gate lets through. Half real, half emulated is refused at start: a real carrier
with an emulated agent would ring people into silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit


class DialingMode(StrEnum):
    """Which phones may ring."""

    REHEARSAL = "rehearsal"
    TEST = "test"
    LIVE = "live"


def is_loopback(address: str) -> bool:
    """Tell whether a URL or SIP URI points at this machine."""
    host = urlsplit(address).hostname or address.split("@")[-1].split(";")[0].split(":")[0]
    if address.startswith("sip:"):
        host = address.removeprefix("sip:").split("@")[-1].split(";")[0].rsplit(":", 1)[0]
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def mode_problems(mode: DialingMode, vendor_addresses: Mapping[str, str]) -> list[str]:
    """Return one sentence per setting that does not fit the mode; empty when all fit.

    :param vendor_addresses: setting's name to the address it holds; empty ones are skipped.
    """
    problems = []
    for name, address in vendor_addresses.items():
        if not address:
            continue
        local = is_loopback(address)
        if mode is DialingMode.REHEARSAL and not local:
            problems.append(
                f"{name} points at a real service, but DIALING=rehearsal calls nobody: "
                "unset it, or set DIALING=test."
            )
        elif mode is not DialingMode.REHEARSAL and local:
            problems.append(
                f"{name} points at this machine, but DIALING={mode} uses real services: "
                "set the vendor's address."
            )
    return problems
