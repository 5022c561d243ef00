"""The operator's desk: every model's pages, and the dashboard."""

from __future__ import annotations

from outreach.admin import (
    accounts,
    call,
    call_event,
    callback,
    campaign,
    control,
    decision,
    facilitator,
    import_batch,
    incoming_call,
    rate,
    schedule,
    script_version,
    site,
    statistics,
    suppression,
    transcript,
)

__all__ = [
    "accounts",
    "call",
    "call_event",
    "callback",
    "campaign",
    "control",
    "decision",
    "facilitator",
    "import_batch",
    "incoming_call",
    "rate",
    "schedule",
    "script_version",
    "site",
    "statistics",
    "suppression",
    "transcript",
]
