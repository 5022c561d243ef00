"""Whether Twilio, LiveKit and the models do their part: by the last calls, else by the last checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from outreach.desk.piece import Piece, ago
from outreach.doctor.results import told_by
from outreach.models import (
    Call,
    CallEvent,
    Campaign,
    CampaignState,
    CheckResult,
    CheckStatus,
    DialingControl,
    EventSource,
)
from outreach.services.model_limits import model_budget

#: Calls this young tell whether a vendor can be reached.
LATELY = timedelta(minutes=15)
CALLS_ASKED = 200
#: Twilio's first news of a call that it took comes within seconds.
NEWS_WITHIN = timedelta(minutes=1)
#: The vendors whose checks are looked at, by the area of the checks.
AREAS = {"twilio": "Twilio", "livekit": "LiveKit", "groq": "Models"}
NOT_CHECKED = "not checked yet: a campaign's page has “Check again”"
#: What becomes of a call when a vendor cannot be asked, see `outreach.services.dialing`.
UNREACHED = {"twilio": "carrier_unreachable", "livekit": "rooms_unavailable"}


@dataclass(frozen=True, kw_only=True)
class Lately:
    """What the last calls tell of one vendor."""

    did_at: datetime | None
    """When it last did its part."""
    failed_at: datetime | None
    n_failed: int
    """Calls at which it could not be asked since it last did its part."""


def vendors(now: datetime, control: DialingControl) -> list[Piece]:
    """Return how each vendor does."""
    rows = _checks()
    lately = _lately(now)
    return [
        _vendor("Twilio", rows["twilio"], lately["twilio"], "took a call", now),
        _vendor("LiveKit", rows["livekit"], lately["livekit"], "Alex was in a room", now),
        _models(rows["groq"], control, now),
    ]


def _checks() -> dict[str, list[CheckResult]]:
    """Return the last results by area, the newest first.

    What was found for one campaign counts until it is finished, or the same was asked for them all.
    """
    unfinished = Campaign.objects.exclude(state=CampaignState.FINISHED).values_list("pk", flat=True)
    going_on = {str(pk) for pk in unfinished}
    rows: dict[str, list[CheckResult]] = {area: [] for area in AREAS}
    of_all = set()
    for row in CheckResult.objects.filter(area__in=list(AREAS)).order_by("-checked_at"):
        check, campaign = told_by(row)
        if not campaign:
            of_all.add(check)
        elif campaign not in going_on or check in of_all:
            continue
        rows[row.area].append(row)
    return rows


def webhooks_silent(now: datetime) -> bool:
    """Tell whether Twilio took calls lately of which nothing has arrived here."""
    placed = Call.objects.that_ring().filter(queued_at__gte=now - LATELY, placed_at__lt=now - NEWS_WITHIN)
    if not placed.exists():
        return False
    news = CallEvent.objects.filter(source=EventSource.TWILIO, received_at__gte=now - LATELY)
    return not news.order_by("-received_at").exists()


def _lately(now: datetime) -> dict[str, Lately]:
    calls = Call.objects.filter(queued_at__gte=now - LATELY).order_by("-queued_at")
    rows = list(calls.values_list("placed_at", "ready_at", "failure_code", "ended_at")[:CALLS_ASKED])
    did = {"twilio": [row[0] for row in rows if row[0]], "livekit": [row[1] for row in rows if row[1]]}
    found = {}
    for area, code in UNREACHED.items():
        did_at = max(did[area], default=None)
        failed = [ended_at for *_, failure, ended_at in rows if failure == code and ended_at]
        since = [at for at in failed if did_at is None or at > did_at]
        found[area] = Lately(did_at=did_at, failed_at=max(since, default=None), n_failed=len(since))
    return found


def _vendor(name: str, checks: list[CheckResult], lately: Lately, did: str, now: datetime) -> Piece:
    wrong = _failed(checks)
    if wrong is not None:
        return Piece(name=name, well=False, says=f"{wrong.finding} {wrong.remedy}".strip())
    if lately.failed_at is not None:
        says = (
            f"It could not be reached at {lately.n_failed} call{'s' * (lately.n_failed > 1)}, the last one "
            f"{ago(now - lately.failed_at)}. They are tried again by themselves; if this lasts, run "
            "“manage.py doctor”."
        )
        return Piece(name=name, well=False, says=says)
    if lately.did_at is not None:
        return Piece(name=name, well=True, says=f"{did} {ago(now - lately.did_at)}")
    looked = _looked(checks)
    if not looked:
        return Piece(name=name, well=True, known=False, says=NOT_CHECKED)
    return Piece(name=name, well=True, says=f"in order when last checked, {ago(now - looked[0].checked_at)}")


def _models(checks: list[CheckResult], control: DialingControl, now: datetime) -> Piece:
    wrong = _failed(checks)
    if wrong is not None:
        return Piece(name="Models", well=False, says=f"{wrong.finding} {wrong.remedy}".strip())
    budget = model_budget(control)
    looked = _looked(checks)
    if budget is None and not looked:
        return Piece(name="Models", well=True, known=False, says=NOT_CHECKED)
    if budget is None:
        says = f"answered {ago(now - looked[0].checked_at)}; how many calls they carry is not known"
        return Piece(name="Models", well=True, says=says)
    by_hand = bool(settings.MODEL_BUDGET)
    when = control.model_budget_at
    how = ", as MODEL_BUDGET says" if by_hand else f", measured {ago(now - when)}" if when else ""
    return Piece(name="Models", well=budget > 0, says=f"carry {budget} calls at once{how}")


def _looked(checks: list[CheckResult]) -> list[CheckResult]:
    return [row for row in checks if row.status != CheckStatus.SKIPPED]


def _failed(checks: list[CheckResult]) -> CheckResult | None:
    return next((row for row in checks if row.status == CheckStatus.FAIL), None)
