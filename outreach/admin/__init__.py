"""The operator's desk: every model's pages, and the dashboard."""

from __future__ import annotations

from outreach.admin import (
    access,
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
    interest,
    lockouts,
    rate,
    schedule,
    script_version,
    site,
    statistics,
    suppression,
    transcript,
)

__all__ = [
    "access",
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
    "interest",
    "lockouts",
    "rate",
    "schedule",
    "script_version",
    "site",
    "statistics",
    "suppression",
    "transcript",
]
