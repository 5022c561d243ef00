"""Delivering outgoing webhooks from their rows: claimed, posted, tried later each time, given up at last."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import transaction

from outreach.integrations.hook_posts import NotPosted
from outreach.models import DeliveryState, HookDelivery
from outreach.services import clock, locks

logger = logging.getLogger(__name__)

#: Seconds until a delivery that was not taken is tried again, after each try; after the last it is given up.
TRIED_AGAIN_AFTER: Sequence[int] = (60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400)
#: Deliveries that are posted at once.
PARALLEL = 8
#: Seconds of a run after which no further ones are begun: its worker has other ticks to run.
RUN_SECONDS = 10.0
#: Seconds after which a claim is free again, when its worker died.
LEASE = 60


class Deliver(Protocol):
    """Posts a signed event and returns the status that is answered."""

    def __call__(
        self, url: str, *, secret: str, event: str, event_id: str, body: bytes, private: bool
    ) -> int: ...


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One claimed delivery with what is posted; `tries` tells this claim from a later one."""

    delivery_id: int
    endpoint_id: int
    tries: int
    url: str
    secret: str
    event: str
    event_id: str
    body: bytes


def new_secret() -> str:
    """Return a fresh secret with which deliveries are signed."""
    return f"whsec_{secrets.token_urlsafe(32)}"


def deliver_due(*, deliver: Deliver, private: bool) -> int:
    """Post the deliveries that are due; return how many were taken. One run at a time.

    An endpoint that does not take one lets its others wait, so that it never keeps those of another.
    """
    until = time.monotonic() + RUN_SECONDS
    taken = 0
    with locks.try_lock_tick("deliver_hooks") as alone, ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        while alone and time.monotonic() < until:
            claimed = _claim()
            if not claimed:
                break
            answers = [(work, pool.submit(_posted, work, deliver, private=private)) for work in claimed]
            taken += sum(_conclude(work, answer.result()) for work, answer in answers)
    return taken


@transaction.atomic
def send_again(*, delivery_ids: Collection[int]) -> int:
    """Let deliveries be sent once more, under their old ids; return how many."""
    return HookDelivery.objects.filter(pk__in=delivery_ids, endpoint__active=True).update(
        state=DeliveryState.DUE, due_at=clock.now(), tries=0, sent_at=None
    )


@transaction.atomic
def _claim() -> list[_Work]:
    """Take what is due longest; a claim runs out by itself, and is a try even if nobody comes back."""
    now = clock.now()
    due = HookDelivery.objects.filter(state=DeliveryState.DUE, due_at__lte=now).select_related("endpoint")
    claimed = list(due.order_by("due_at", "id").select_for_update(skip_locked=True, of=("self",))[:PARALLEL])
    work = []
    for delivery in claimed:
        delivery.tries += 1
        delivery.due_at = now + timedelta(seconds=LEASE)
        if not delivery.endpoint.active:
            delivery.state, delivery.due_at = DeliveryState.GIVEN_UP.value, None
            delivery.answer = "The endpoint was switched off."
        elif delivery.tries > len(TRIED_AGAIN_AFTER) + 1:
            delivery.state, delivery.due_at = DeliveryState.GIVEN_UP.value, None
        else:
            work.append(_work_of(delivery))
        delivery.save(update_fields=["tries", "due_at", "state", "answer"])
    return work or (_claim() if claimed else [])


def _work_of(delivery: HookDelivery) -> _Work:
    body = {
        "id": str(delivery.event_id),
        "event": delivery.event,
        "at": delivery.created_at.isoformat(),
        "data": delivery.payload,
    }
    return _Work(
        delivery_id=delivery.pk,
        endpoint_id=delivery.endpoint_id,
        tries=delivery.tries,
        url=delivery.endpoint.url,
        secret=delivery.endpoint.secret,
        event=delivery.event,
        event_id=str(delivery.event_id),
        body=json.dumps(body, separators=(",", ":")).encode(),
    )


def _posted(work: _Work, deliver: Deliver, *, private: bool) -> int | NotPosted:
    """Return the status that one delivery was answered with, or why there is none. Touches no database."""
    try:
        return deliver(
            work.url,
            secret=work.secret,
            event=work.event,
            event_id=work.event_id,
            body=work.body,
            private=private,
        )
    except NotPosted as problem:
        return problem


def _conclude(work: _Work, answer: int | NotPosted) -> bool:
    """Store what came of one delivery; return whether it was taken."""
    now = clock.now()
    mine = HookDelivery.objects.filter(pk=work.delivery_id, tries=work.tries, state=DeliveryState.DUE)
    if isinstance(answer, int) and 200 <= answer < 300:
        mine.update(state=DeliveryState.SENT, due_at=None, sent_at=now, answer=str(answer))
        return True
    again = _again_at(work.tries, now)
    state = DeliveryState.DUE if again else DeliveryState.GIVEN_UP
    mine.update(state=state, due_at=again, answer=_problem(answer))
    waiting = HookDelivery.objects.filter(
        endpoint_id=work.endpoint_id, state=DeliveryState.DUE, due_at__lte=now
    )
    waiting.update(due_at=now + timedelta(seconds=TRIED_AGAIN_AFTER[0]))
    logger.warning(
        "a hook was not taken",
        extra={"delivery_id": work.delivery_id, "tries": work.tries, "state": state.value},
    )
    return False


def _again_at(tries: int, now: datetime) -> datetime | None:
    if tries > len(TRIED_AGAIN_AFTER):
        return None
    return now + timedelta(seconds=TRIED_AGAIN_AFTER[tries - 1])


def _problem(answer: int | NotPosted) -> str:
    if isinstance(answer, NotPosted):
        return str(answer)[:300]
    if 300 <= answer < 400:
        return f"{answer}: it sends elsewhere, which is not followed. Write the final address."
    return str(answer)
