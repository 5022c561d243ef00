"""Who is interested: one row per person on the work list, and telling those who are to take it up."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, QuerySet

from outreach.domain.standing import Standing
from outreach.models import Call, Campaign, Facilitator, Interest
from outreach.services import clock
from outreach.services.locks import try_lock_tick

logger = logging.getLogger(__name__)

DUE_WITHIN = timedelta(days=1)
"""How soon somebody should get in touch with who is interested."""
DAILY_HOUR = 7
"""The UTC hour from which a campaign that wants one mail a day gets it."""
NEWS_FOR = timedelta(days=7)
"""An address that a campaign is given later hears of no older ones."""
NAMES_IN_A_MAIL = 50

#: Where those stand who have since said no: nobody is told of them, or has to get in touch.
TOOK_IT_BACK = [Standing.SUPPRESSED.value, Standing.NOT_INTERESTED.value]


def note_interest(call: Call, *, now: datetime) -> None:
    """Put the person of `call` on the work list, unless they are on it; runs in a transaction."""
    row = _interest(call.person_id, call, now)
    Interest.objects.bulk_create([row], ignore_conflicts=True)


def note_interest_of(*, facilitator_ids: Collection[int], now: datetime) -> None:
    """Put people on the work list whom an operator found interested; runs in a transaction.

    Their last call is put beside them, unless there is none or somebody works on it this moment.
    """
    calls = Call.objects.by_phone().filter(facilitator__in=facilitator_ids)
    newest = calls.order_by("facilitator", "-queued_at").distinct("facilitator").values_list("pk", flat=True)
    # Whoever settles a call has it and waits for its person, whom our caller holds: it is not waited for.
    free = Call.objects.filter(pk__in=list(newest)).select_for_update(skip_locked=True, no_key=True)
    latest = {call.facilitator_id: call for call in free}
    rows = [_interest(person_id, latest.get(person_id), now) for person_id in facilitator_ids]
    Interest.objects.bulk_create(rows, ignore_conflicts=True)


def _interest(person_id: int, call: Call | None, now: datetime) -> Interest:
    return Interest(
        facilitator_id=person_id,
        call=call,
        turn_seq=call.disposition_seq if call is not None else None,
        due_at=now + DUE_WITHIN,
        created_at=now,
    )


@transaction.atomic
def finish(*, interest_ids: Collection[int], by: str) -> int:
    """Say that these people were taken care of; return how many were still open."""
    rows = Interest.objects.filter(pk__in=interest_ids, handled_at__isnull=True)
    return rows.update(handled_at=clock.now(), handled_by=by)


@transaction.atomic
def open_again(*, interest_ids: Collection[int]) -> int:
    """Put handled people back on the list; return how many."""
    rows = Interest.objects.filter(pk__in=interest_ids, handled_at__isnull=False)
    return rows.update(handled_at=None, handled_by="")


@transaction.atomic
def take(*, interest_ids: Collection[int], owner_id: int | None) -> int:
    """Make somebody, or nobody, the owner of these people; return how many."""
    return Interest.objects.filter(pk__in=interest_ids).update(owner_id=owner_id)


def tell_interested() -> int:
    """Mail each campaign's address who is interested, at once or daily as it asks; return the people told.

    Idempotent but for a crash between a mail and its note: then that mail comes twice, never not at all.

    What the mail server does not take stays to be told of, and holds up no other campaign.
    """
    told = 0
    with try_lock_tick("tell_interested") as got:
        if not got:
            return 0
        now = clock.now()
        waiting = _untold(now).order_by().values("facilitator__campaign")
        for campaign in Campaign.objects.exclude(notify="").filter(pk__in=waiting):
            if not campaign.notify_daily or _day_is_due(campaign, now):
                told += _tell(campaign, now=now)
    return told


def _untold(now: datetime) -> QuerySet[Interest]:
    return Interest.objects.filter(told_at__isnull=True, created_at__gte=now - NEWS_FOR)


def _day_is_due(campaign: Campaign, now: datetime) -> bool:
    """Tell whether the campaign's mail of this day has not gone out yet, and its hour has come."""
    told = Interest.objects.filter(facilitator__campaign=campaign, told_at__isnull=False)
    last = told.order_by("-told_at").values_list("told_at", flat=True).first()
    return now.hour >= DAILY_HOUR and (last is None or last.date() < now.date())


def _tell(campaign: Campaign, *, now: datetime) -> int:
    """Send one mail about those of whom the campaign's address has not heard; return how many."""
    untold = _untold(now).filter(facilitator__campaign=campaign)
    rows = list(untold.select_related("facilitator").order_by("created_at", "pk"))
    news = [row for row in rows if row.handled_at is None and row.facilitator.standing not in TOOK_IT_BACK]
    if news:
        try:
            send_mail(_subject(campaign, len(news)), _body(campaign, news), None, [campaign.notify])
        except OSError:  # smtplib's errors, too: no server, or an address that it refuses
            logger.warning("interested not told", extra={"campaign_id": campaign.pk})
            return 0
    Interest.objects.filter(pk__in=[row.pk for row in rows]).update(told_at=now)
    logger.info("interested told", extra={"campaign_id": campaign.pk, "n_people": len(news)})
    return len(news)


def _subject(campaign: Campaign, n_people: int) -> str:
    who = "1 person is" if n_people == 1 else f"{n_people} people are"
    return f"{who} interested: {' '.join(campaign.name.split())}"


def _body(campaign: Campaign, news: list[Interest]) -> str:
    lines = [f"Interested in {campaign.platform}, and waiting to hear from you:", ""]
    for row in news[:NAMES_IN_A_MAIL]:
        person: Facilitator = row.facilitator
        about = f"{person.name} ({person.organisation})" if person.organisation else person.name
        lines.append(f"- {about}, by {row.due_at:%a} {row.due_at.day} {row.due_at:%b %H:%M} UTC")
        if settings.ADMIN_BASE_URL:
            lines.append(f"  {settings.ADMIN_BASE_URL.rstrip('/')}/admin/outreach/interest/{row.pk}/change/")
    if len(news) > NAMES_IN_A_MAIL:
        lines.append(f"- and {len(news) - NAMES_IN_A_MAIL} more")
    lines += ["", "All of them, with what they said, stand on the desk under “Interested”."]
    return "\n".join(lines)


def interested_first(rows: QuerySet[Interest]) -> QuerySet[Interest]:
    """Order the work list: who is open and due first, then who was handled last."""
    return rows.order_by(F("handled_at").desc(nulls_first=True), "due_at", "pk")
