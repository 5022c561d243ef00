"""Hints to the workers: a lost one is found by a tick, so a broken broker holds up no webhook."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

#: Once more at once, for a connection that the broker closed while nobody looked.
_RETRY = {"max_retries": 1, "interval_start": 0}


def hint(task: Task, *, call_id: UUID) -> None:
    """Enqueue `task` for a call once the transaction, if there is one, is committed."""
    transaction.on_commit(lambda: _send(task, call_id))


def _send(task: Task, call_id: UUID) -> None:
    try:
        task.apply_async(kwargs={"call_id": str(call_id)}, retry=True, retry_policy=_RETRY)
    except OperationalError:
        logger.warning("broker takes no hint; a tick will find the call", extra={"task": task.name})
