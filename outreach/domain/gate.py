"""The gate: may this person be called now? The one check before every dial, pure, made twice.

It runs at the claim and again inside the dial intent. What it refuses, it refuses with a sentence for the
operator and with the first moment at which nothing known today would refuse again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from outreach.domain.attempt_caps import Attempt, CapRules, Wait, cap_waits
from outreach.domain.call_window import CallWindow, UnknownZone, is_open, next_open, zones_of
from outreach.domain.public_holidays import is_public_holiday
from outreach.domain.standing import CallKind, Standing
from outreach.domain.zones import is_country

__all__ = [
    "Allow", "Attempt", "Candidate", "GateRules", "NumberHistory", "RefusalCode", "Refuse", "caps_end_at",
    "decide",
]  # fmt: skip

ANOTHER_CALL_RECHECK = timedelta(minutes=5)

#: Consent that lifts the 30-day cap of the FCC's rule on calls without it (88 FR 3677).
EXPRESS_CONSENT = frozenset({"express", "express_written"})


class RefusalCode(StrEnum):
    """Why the gate refuses."""

    NOT_A_TEST_NUMBER = "not_a_test_number"
    SUPPRESSED = "suppressed"
    SAID_NO = "said_no"
    NO_CONSENT = "no_consent"
    UNKNOWN_COUNTRY = "unknown_country"
    UNKNOWN_ZONE = "unknown_zone"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    ON_ANOTHER_CALL = "on_another_call"
    DAILY_CAP = "daily_cap"
    THIRTY_DAY_CAP = "thirty_day_cap"
    COOLING_GAP = "cooling_gap"
    OUTSIDE_WINDOW = "outside_window"
    NEVER_OPEN = "never_open"


@dataclass(frozen=True, kw_only=True)
class NumberHistory:
    """What is known of a number across campaigns; `attempts` are the last 30 days', newest first."""

    suppressed: bool
    said_no_at: datetime | None
    attempts: tuple[Attempt, ...]
    on_another_call: bool


@dataclass(frozen=True, kw_only=True)
class GateRules(CapRules):
    """A campaign's rules. `margin` is how long before a close the last dial may start."""

    window: CallWindow
    callback_window: CallWindow
    max_attempts: int
    quiet_after_no: timedelta
    margin: timedelta


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Who is to be called, and why. `allowed_numbers` is None when the mode lets every number be called."""

    number: str
    kind: CallKind
    country: str
    time_zone: str
    consent_basis: str
    attempts_made: int
    allowed_numbers: frozenset[str] | None
    attempts_granted: int = 0
    """Attempts that operators allowed this person beyond the campaign's."""
    asked_at: datetime | None = None
    """When they rang us and asked for this very call: their own request is the consent to it."""


@dataclass(frozen=True)
class Allow:
    """Nothing stands in the way."""


@dataclass(frozen=True, kw_only=True)
class Refuse:
    """Why not now. `standing` None keeps the person where they are; otherwise there is no next call."""

    code: RefusalCode
    reason: str
    next_call_at: datetime | None
    standing: Standing | None


def decide(
    *, candidate: Candidate, history: NumberHistory, rules: GateRules, now: datetime
) -> Allow | Refuse:
    """Return whether this person may be called at `now`, or why not and when again."""
    moved = _refuse_for_good(candidate, history, rules, now)
    if moved:
        return moved
    try:
        zones = zones_of(time_zone=candidate.time_zone, country=candidate.country)
    except UnknownZone as error:
        return _held(RefusalCode.UNKNOWN_ZONE, f"{error}.")
    waits = _waits(candidate, history, rules, zones, now)
    window = rules.callback_window if candidate.kind is CallKind.CALLBACK else rules.window
    country = candidate.country.upper()
    floor = max([now, *(wait.until for wait in waits)])
    opens = next_open(window=window, zones=zones, country=country, after=floor, margin=rules.margin)
    if opens is None:
        return _held(
            RefusalCode.NEVER_OPEN,
            f"Within the next year no moment is inside the calling hours {_where(zones)}.",
        )
    if waits:
        return _refuse_until(RefusalCode(waits[0].code), waits[0].reason, opens, zones, now)
    if opens > now:
        reason = _why_closed(window, zones, country, now)
        return _refuse_until(RefusalCode.OUTSIDE_WINDOW, reason, opens, zones, now)
    return Allow()


def caps_end_at(*, candidate: Candidate, history: NumberHistory, rules: GateRules, now: datetime) -> datetime:
    """Return the first moment from `now` on at which no cap or gap refuses, hours left aside.

    Lets a retry be planned in another part of the day than the caps' end would fall into.

    :raises UnknownZone: when the person's zone is not known.
    """
    zones = zones_of(time_zone=candidate.time_zone, country=candidate.country)
    return max([now, *(wait.until for wait in _waits(candidate, history, rules, zones, now))])


def _refuse_for_good(
    candidate: Candidate, history: NumberHistory, rules: GateRules, now: datetime
) -> Refuse | None:
    """Return the refusal that no waiting cures, if there is one."""
    if candidate.allowed_numbers is not None and candidate.number not in candidate.allowed_numbers:
        return _held(RefusalCode.NOT_A_TEST_NUMBER, "This mode calls only the operator's own test numbers.")
    if history.suppressed:
        return _close(RefusalCode.SUPPRESSED, "This number must never be called.", Standing.SUPPRESSED)
    asked = candidate.asked_at
    # Who rang us and asked for a call after their "no" has taken it back.
    said_no_at = history.said_no_at
    if said_no_at is not None and asked is not None and asked > said_no_at:
        said_no_at = None
    if said_no_at is not None and said_no_at + rules.quiet_after_no > now:
        until = said_no_at + rules.quiet_after_no
        reason = f"They said no on {_day(said_no_at)}; quiet until {_day(until)}."
        return _close(RefusalCode.SAID_NO, reason, Standing.NOT_INTERESTED)
    if not candidate.consent_basis.strip() and asked is None:
        return _held(
            RefusalCode.NO_CONSENT, "No consent basis is recorded: say why this person may be called."
        )
    if not is_country(candidate.country):
        named = (
            f"{candidate.country!r} is no known country" if candidate.country else "The country is unknown"
        )
        return _held(RefusalCode.UNKNOWN_COUNTRY, f"{named}: give its ISO code, e.g. ES.")
    most = rules.max_attempts + candidate.attempts_granted
    if candidate.attempts_made >= most and asked is None:
        reason = f"All {most} attempts are made."
        return _close(RefusalCode.ATTEMPTS_EXHAUSTED, reason, Standing.EXHAUSTED)
    return None


def _waits(
    candidate: Candidate, history: NumberHistory, rules: GateRules, zones: tuple[str, ...], now: datetime
) -> list[Wait]:
    """Return every refusal that time cures, hours left aside, in the order in which they are told."""
    waits = []
    if history.on_another_call:
        until = now + ANOTHER_CALL_RECHECK
        waits.append(Wait(RefusalCode.ON_ANOTHER_CALL, "This number is on another call", until))
    waits += cap_waits(
        attempts=history.attempts,
        rules=rules,
        zones=zones,
        now=now,
        month_capped=candidate.consent_basis not in EXPRESS_CONSENT and candidate.asked_at is None,
        gap_applies=candidate.kind is not CallKind.CALLBACK,
        they_rang=candidate.asked_at is not None,
    )
    return waits


def _why_closed(window: CallWindow, zones: tuple[str, ...], country: str, now: datetime) -> str:
    """Say which hours `now` is outside of."""
    if len(zones) > 1:
        return f"Outside the hours {_where(zones)}"
    local = now.astimezone(ZoneInfo(zones[0]))
    if is_open(window=window, zones=zones, country=country, at=now):
        return f"Too close to the end of {window.describe_day(local.weekday())} {zones[0]}"
    if window.skip_public_holidays and is_public_holiday(country, local.date()):
        return f"Public holiday in {country} on {_day(local)}"
    hours = window.describe_day(local.weekday())
    return f"Outside {hours} {zones[0]}" if hours else f"No calls on {local:%A}s in {zones[0]}"


def _where(zones: tuple[str, ...]) -> str:
    return (
        f"of {zones[0]}"
        if len(zones) == 1
        else f"that the country's {len(zones)} zones share; give a time zone"
    )


def _refuse_until(
    code: RefusalCode, reason: str, opens: datetime, zones: tuple[str, ...], now: datetime
) -> Refuse:
    """Refuse until `opens`, told in the person's local time: the clock alone while it is still today."""
    zone = ZoneInfo(zones[0])
    local = opens.astimezone(zone)
    same_day = local.date() == now.astimezone(zone).date()
    when = f"{local:%H:%M}" if same_day else f"{_day(local)} {local:%H:%M}"
    named = "" if zones[0] in reason else f" {zones[0]}"
    return Refuse(
        code=code, reason=f"{reason}, next {when}{named}.", next_call_at=opens.astimezone(UTC), standing=None
    )


def _day(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b %Y}"


def _held(code: RefusalCode, reason: str) -> Refuse:
    return _close(code, reason, Standing.HELD)


def _close(code: RefusalCode, reason: str, standing: Standing) -> Refuse:
    return Refuse(code=code, reason=reason, next_call_at=None, standing=standing)
