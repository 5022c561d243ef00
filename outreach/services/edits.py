"""Keeping who edited many people at once, and why: one statement writes past what a single save records."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth import get_user_model

from outreach.models import Facilitator

LONGEST_REASON = 100
_BATCH = 500


def record_edits(*, facilitator_ids: Collection[int], by: str, reason: str, at: datetime) -> None:
    """Keep in their history what these people are now; runs in the transaction that changed them.

    :param by: the operator's user name; of somebody who is no user, the name goes into the reason.
    """
    if not facilitator_ids:
        return
    user = get_user_model().objects.filter(username=by).first()
    sentence = reason if user is not None or not by else f"{reason} ({by})"
    Facilitator.history.bulk_history_create(
        Facilitator.objects.filter(pk__in=facilitator_ids).defer("searched").order_by("pk"),
        batch_size=_BATCH,
        update=True,
        default_user=user,
        default_change_reason=sentence[:LONGEST_REASON],
        default_date=at,
    )
