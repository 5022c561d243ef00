"""What operators are told of: each matter that is not over now, in a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import connection
from django.db.models import Q

from outreach.domain import defaults
from outreach.domain.account_rules import BALANCE_CHECK, BILLING_PAGE
from outreach.models import (
    Callback,
    CallbackState,
    Campaign,
    CampaignState,
    CanaryState,
    CheckResult,
    CheckStatus,
    DialingControl,
    ImportBatch,
    ImportState,
    Notice,
)
from outreach.services.campaigns import RECOVERED_AFTER

HELD_FOR = timedelta(minutes=5)
"""How long holds that end by themselves, one after the other, may last before somebody is told."""
DIALS = 50
"""Calls in a row that nobody answers before somebody is told."""
DIALS_OF = timedelta(hours=24)
NEWS_FOR = timedelta(hours=1)
"""How long something that happened, and is over by itself, is told."""

_UNANSWERED = """
SELECT campaign.id, campaign.name FROM outreach_campaign AS campaign
CROSS JOIN LATERAL (
    SELECT count(*) AS dialled, count(last.answered_at) AS answered FROM (
        SELECT answered_at FROM outreach_call
        WHERE campaign_id = campaign.id AND queued_at >= %(since)s AND channel = 'phone'
            AND placed_at IS NOT NULL AND settled_at IS NOT NULL AND NOT our_fault
        ORDER BY queued_at DESC LIMIT %(dials)s
    ) AS last
) AS seen
WHERE campaign.state = 'running' AND seen.dialled = %(dials)s AND seen.answered = 0
"""


class Code(StrEnum):
    """What it is about."""

    CAMPAIGN_HELD = "campaign_held"
    CANARY_WAITING = "canary_waiting"
    DIALING_STOPPED = "dialing_stopped"
    LOW_BALANCE = "low_balance"
    NOBODY_ANSWERS = "nobody_answers"
    CALLBACKS_LATE = "callbacks_late"
    IMPORT_FINISHED = "import_finished"


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One thing to tell of; `about` tells it from others of its code."""

    code: Code
    sentence: str
    about: str = ""
    campaign_id: int | None = None
    page: str = ""
    """Path of the page to open, below the admin's address."""

    @property
    def told(self) -> str:
        """The sentence with the page to open, where it is known under which address that is."""
        base = settings.ADMIN_BASE_URL.rstrip("/")
        return f"{self.sentence} {base}/admin/{self.page}" if base else self.sentence


def open_matters(*, now: datetime) -> list[Matter]:
    """Return everything that an operator should know of now."""
    return [
        *_held(now),
        *_canaries(),
        *_switch(),
        *_balance(),
        *_unanswered(now),
        *_late_callbacks(now),
        *_imports(now),
    ]


def _ended(reason: str) -> str:
    """Return what somebody wrote as a sentence with its full stop."""
    return reason if reason.endswith((".", "!", "?")) else f"{reason or 'no reason given'}."


def _of_campaign(code: Code, campaign_id: int, sentence: str, *, kind: str = "") -> Matter:
    return Matter(
        code=code,
        sentence=sentence,
        about=f"campaign:{campaign_id}{f':{kind}' if kind else ''}",
        campaign_id=campaign_id,
        page=f"outreach/campaign/{campaign_id}/change/",
    )


def _held(now: datetime) -> Iterator[Matter]:
    long_enough = Q(release_at__isnull=True) | Q(failing_since__lte=now - HELD_FOR)
    told = Notice.objects.filter(code=Code.CAMPAIGN_HELD, over_at__isnull=True).values("campaign")
    # Between two such holds it calls for a moment: who was told hears of another one only if it recovered.
    lately = Q(state_changed_at__gt=now - RECOVERED_AFTER, failing_since__isnull=False)
    tries = Q(lately, state=CampaignState.RUNNING, pk__in=told)
    held = Campaign.objects.filter(Q(long_enough, state=CampaignState.HELD) | tries)
    for campaign in held.exclude(canary_state=CanaryState.WAITING):
        by_itself = campaign.release_at is not None or campaign.state == CampaignState.RUNNING
        until = "It tries again by itself." if by_itself else "Resume it when that is mended."
        sentence = f"The campaign “{campaign.name}” is held: {_ended(campaign.state_reason)} {until}"
        yield _of_campaign(Code.CAMPAIGN_HELD, campaign.pk, sentence, kind="tries" if by_itself else "")


def _canaries() -> Iterator[Matter]:
    waiting = Campaign.objects.filter(canary_state=CanaryState.WAITING)
    for campaign in waiting.exclude(state=CampaignState.FINISHED):
        sentence = (
            f"The first people of the campaign “{campaign.name}” were called. "
            "Look at their calls, then say go."
        )
        yield _of_campaign(Code.CANARY_WAITING, campaign.pk, sentence)


def _switch() -> Iterator[Matter]:
    for control in DialingControl.objects.filter(stopped=True):
        sentence = (
            f"All dialing is stopped by {control.stopped_by or 'somebody'}: {_ended(control.stop_reason)} "
            "Nobody is called until it is allowed again."
        )
        yield Matter(code=Code.DIALING_STOPPED, sentence=sentence)


def _balance() -> Iterator[Matter]:
    low = (CheckStatus.WARN, CheckStatus.FAIL)
    # With another page to open, the carrier could not be asked, which says nothing of money.
    for result in CheckResult.objects.filter(name=BALANCE_CHECK, status__in=low, page=BILLING_PAGE):
        sentence = f"{result.finding} {result.remedy} {result.page}"
        yield Matter(code=Code.LOW_BALANCE, sentence=sentence, about=result.status)


def _unanswered(now: datetime) -> Iterator[Matter]:
    with connection.cursor() as cursor:
        cursor.execute(_UNANSWERED, {"since": now - DIALS_OF, "dials": DIALS})
        found = cursor.fetchall()
    for campaign_id, name in found:
        sentence = (
            f"Nobody answered the last {DIALS} calls of the campaign “{name}”. Its numbers may be marked as "
            "spam: look at the caller IDs, and pause it."
        )
        yield _of_campaign(Code.NOBODY_ANSWERS, campaign_id, sentence)


def _late_callbacks(now: datetime) -> Iterator[Matter]:
    late_since = now - timedelta(seconds=defaults.CALLBACK_MISSED_AFTER)
    n_late = Callback.objects.filter(state=CallbackState.PROMISED, promised_at__lte=late_since).count()
    if n_late:
        what = "1 promised callback is" if n_late == 1 else f"{n_late} promised callbacks are"
        yield Matter(
            code=Code.CALLBACKS_LATE,
            sentence=f"{what} more than 30 minutes late. See which on the agenda of callbacks.",
            page="outreach/callback/",
        )


def _imports(now: datetime) -> Iterator[Matter]:
    over = (ImportState.IMPORTED, ImportState.REFUSED)
    done = ImportBatch.objects.filter(state__in=over, finished_at__gte=now - NEWS_FOR)
    for batch in done.select_related("campaign"):
        became = (
            f"was refused: {batch.problem}"
            if batch.state == ImportState.REFUSED
            else f"is imported: {batch.rows_created} people added, {batch.rows_updated} updated, "
            f"{batch.rows_rejected} rows rejected."
        )
        yield Matter(
            code=Code.IMPORT_FINISHED,
            sentence=f"An upload into the campaign “{batch.campaign.name}” {became}",
            about=f"import:{batch.pk}",
            campaign_id=batch.campaign_id,
            page=f"outreach/importbatch/{batch.pk}/change/",
        )
