"""The Celery application: messages are hints, rows are the queue."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_prerun
from django.db import close_old_connections
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("outreach")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks(["outreach"])


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Let Django's LOGGING stand: a receiver here stops Celery from configuring its own."""


@task_prerun.connect
def _fresh_connection(**_: Any) -> None:
    """Drop a connection that PostgreSQL closed under us: CELERY_DB_REUSE_MAX keeps it over tasks."""
    close_old_connections()
