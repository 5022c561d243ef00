"""Telling operators what needs them: once per matter until it is over, by mail and in one chat channel."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction

from outreach.integrations.hook_posts import NotPosted
from outreach.models import Notice
from outreach.services import clock, locks
from outreach.services.notice_matters import NEWS_FOR, Matter, open_matters

logger = logging.getLogger(__name__)

SENTENCE = 500


class Post(Protocol):
    """Posts JSON and returns the status that is answered."""

    def __call__(self, url: str, *, body: bytes, headers: dict[str, str], private: bool) -> int: ...


def send_notices(*, post: Post) -> int:
    """Note what has begun and what is over, and tell what was not told yet; return how many were told.

    At least once: a crash between telling and noting it tells it again. What nobody could be told of within
    an hour is told no more, if it is over; the list of notices has it.
    """
    with locks.try_lock_tick("send_notices") as alone:
        if not alone:
            return 0
        _note(open_matters(now=clock.now()), now=clock.now())
        if not settings.NOTICE_EMAILS and not settings.NOTICE_WEBHOOK_URL:
            return 0
        return _tell(_untold(), post=post)


@transaction.atomic
def _note(matters: list[Matter], *, now: datetime) -> None:
    """Make a row of each new matter, and end the rows of those that are no more."""
    still = {(matter.code.value, matter.about) for matter in matters}
    running = list(Notice.objects.select_for_update().filter(over_at__isnull=True))
    over = [notice.pk for notice in running if (notice.code, notice.matter) not in still]
    Notice.objects.filter(pk__in=over).update(over_at=now)
    known = {(notice.code, notice.matter) for notice in running}
    rows = [
        Notice(
            code=matter.code.value,
            matter=matter.about,
            campaign_id=matter.campaign_id,
            sentence=matter.told[:SENTENCE],
            raised_at=now,
        )
        for matter in matters
        if (matter.code.value, matter.about) not in known
    ]
    Notice.objects.bulk_create(rows)


def _untold() -> list[Notice]:
    """Return what was not told yet, but for what is over and older than an hour."""
    untold = Notice.objects.filter(sent_at__isnull=True).order_by("raised_at", "pk")
    oldest = clock.now() - NEWS_FOR
    return [notice for notice in untold if notice.over_at is None or notice.raised_at >= oldest]


def _tell(notices: list[Notice], *, post: Post) -> int:
    """Tell of all in one mail and one message; it is told when one of the two ways took it."""
    if not notices:
        return 0
    ways = [_mailed(notices), _posted(notices, post=post)]
    if not any(ways):
        return 0
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(sent_at=clock.now())
    return len(notices)


def _mailed(notices: list[Notice]) -> bool:
    if not settings.NOTICE_EMAILS or not settings.EMAIL_HOST:
        return False
    first = notices[0].code.replace("_", " ").capitalize()
    subject = first if len(notices) == 1 else f"{first}, and {len(notices) - 1} more"
    body = "\n\n".join(notice.sentence for notice in notices)
    try:
        send_mail(f"Outreach: {subject}", body, None, settings.NOTICE_EMAILS)
    except OSError as exc:  # what smtplib raises is one too
        logger.warning("a notice was not mailed", extra={"why": type(exc).__name__})
        return False
    return True


def _posted(notices: list[Notice], *, post: Post) -> bool:
    if not settings.NOTICE_WEBHOOK_URL:
        return False
    text = "\n".join(notice.sentence for notice in notices)
    body = json.dumps({"text": text}).encode()
    try:
        # The address is in our own environment: whoever wrote it there may mean a private one.
        status = post(settings.NOTICE_WEBHOOK_URL, body=body, headers={}, private=True)
    except NotPosted as problem:
        logger.warning("a notice was not posted", extra={"why": str(problem)})
        return False
    if not 200 <= status < 300:
        logger.warning("a notice was not posted", extra={"why": status})
        return False
    return True
