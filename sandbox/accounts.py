"""How the vendors' accounts stand with which somebody comes: well used, or opened this morning.

`SANDBOX_ACCOUNTS=fresh` starts with accounts that allow nothing yet. What their owner then does at a vendor's
console is told to `POST /control/accounts`, area by area: {"twilio": {"trial": false}}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from outreach.domain import defaults
from sandbox import sample


class UnknownStanding(ValueError):
    """A profile, an area or a switch that does not exist, or a value that it cannot have."""


@dataclass(kw_only=True)
class TwilioStanding:
    """One Twilio account."""

    trial: bool = False
    suspended: bool = False
    any_caller_id: bool = True
    """Whether calls may come from numbers that the account does not own: a rehearsal makes up its own."""
    numbers: list[str] = field(default_factory=lambda: list(sample.CAMPAIGN.caller_ids))
    """Numbers that the account has bought."""
    without_voice: list[str] = field(default_factory=list)
    """Those among them that only send messages."""
    verified: list[str] = field(default_factory=list)
    """Somebody else's numbers that are verified as caller IDs."""
    countries: list[str] | None = None
    """Where the geographic permissions allow calls to; None: everywhere."""
    balance: str = "100.00"
    approved_profile: bool = True
    calls_at_once: int | None = None
    """How many calls may be open at a time; None: as many as are asked for."""


def _fresh_twilio() -> TwilioStanding:
    return TwilioStanding(
        trial=True,
        any_caller_id=False,
        numbers=[],
        countries=[],
        balance="0.50",
        approved_profile=False,
        calls_at_once=1,
    )


@dataclass(kw_only=True)
class LiveKitStanding:
    """One LiveKit project."""

    sip_at_start: bool = True
    """Whether the inbound trunk and the dispatch rule are there when the sandbox starts."""
    webhooks: bool = True
    """Whether the project reports to an address of ours."""


@dataclass(kw_only=True)
class GroqStanding:
    """One Groq organisation."""

    plan: str = "developer"
    """free or developer."""
    key_revoked: bool = False
    terms_wanted: list[str] = field(default_factory=list)
    """Models whose terms nobody has accepted yet."""
    withdrawn: list[str] = field(default_factory=list)
    """Models that are no more, or that the organisation may not use."""


@dataclass(kw_only=True)
class Accounts:
    """One account at every vendor. Emulators hold on to it and look each time."""

    twilio: TwilioStanding = field(default_factory=TwilioStanding)
    livekit: LiveKitStanding = field(default_factory=LiveKitStanding)
    groq: GroqStanding = field(default_factory=GroqStanding)

    def set(self, wanted: Mapping[str, Any]) -> None:
        """Take over `{"profile": name}`, then `{"area": {"switch": value}}` each.

        :raises UnknownStanding: when a name is unknown or a value is of the wrong kind; changes nothing.
        """
        profile = wanted.get("profile")
        if profile is not None and profile not in PROFILES:
            raise UnknownStanding(f"no profile {profile!r}; there are {', '.join(PROFILES)}")
        now = {area.name: PROFILES[profile]() if profile else self for area in fields(self)}
        changed = {name: asdict(getattr(source, name)) for name, source in now.items()}
        for area, switches in wanted.items():
            if area != "profile":
                _turn(changed, area, switches)
        for area, values in changed.items():
            for name, value in values.items():
                setattr(getattr(self, area), name, value)

    def as_dict(self) -> dict[str, Any]:
        """Return every switch with its value, by area."""
        return asdict(self)


#: What somebody may come with.
PROFILES = {
    "usual": Accounts,
    "fresh": lambda: Accounts(
        twilio=_fresh_twilio(),
        livekit=LiveKitStanding(sip_at_start=False, webhooks=False),
        groq=GroqStanding(plan="free", terms_wanted=[defaults.TTS_MODEL]),
    ),
}


def accounts_of(profile: str) -> Accounts:
    """Return accounts of a profile.

    :raises UnknownStanding: when there is none of that name.
    """
    accounts = Accounts()
    accounts.set({"profile": profile})
    return accounts


def _turn(changed: dict[str, dict[str, Any]], area: str, switches: Any) -> None:
    values = changed.get(area)
    if values is None or not isinstance(switches, Mapping):
        raise UnknownStanding(f"no area {area!r}; there are {', '.join(changed)}")
    for name, value in switches.items():
        if name not in values:
            raise UnknownStanding(f"no switch {area}.{name}; there are {', '.join(values)}")
        if not _fits(value, values[name]):
            raise UnknownStanding(f"{area}.{name} cannot be {value!r}")
        values[name] = value


def _fits(value: Any, before: Any) -> bool:
    """Tell whether a value is of the kind that stood there; None and a list or number may take turns."""
    if before is None or value is None:
        return not isinstance(value, bool | str)
    return type(value) is type(before)
