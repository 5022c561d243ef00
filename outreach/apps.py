"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig


class OutreachConfig(AppConfig):
    """Outbound calling by a voice agent."""

    name = "outreach"
    verbose_name = "Outreach"
