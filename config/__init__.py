"""Settings, the Celery application, URLs and the two server entry points."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
