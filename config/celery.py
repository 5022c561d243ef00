"""The Celery application: messages are hints, rows are the queue."""

from __future__ import annotations

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging, task_prerun, worker_before_create_process
from django.db import close_old_connections
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
#: Django's checks import every page: `make check` makes them, not each process.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("outreach")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)


@celeryd_init.connect
def _load_tasks(**_: Any) -> None:
    """Load the tasks in a worker only: beat and Flower go by names, and stay 50 MB smaller each."""
    app.autodiscover_tasks(["outreach"], force=True)


@worker_before_create_process.connect
def _share_memory(**_: Any) -> None:
    """Keep the collector's hands off what is loaded before a fork: what nobody touches stays shared."""
    gc.collect()
    gc.freeze()


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Let Django's LOGGING stand: a receiver here stops Celery from configuring its own."""


@task_prerun.connect
def _fresh_connection(**_: Any) -> None:
    """Drop a connection that PostgreSQL closed under us: CELERY_DB_REUSE_MAX keeps it over tasks."""
    close_old_connections()
