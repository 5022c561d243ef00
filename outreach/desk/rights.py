"""What one operator may see and do on the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Rights:
    """The permissions by which dashboards differ; hashable, since frames are made once per set of rights."""

    see: bool
    read: bool
    switch: bool
    upload: bool
    change: bool


def rights_of(user: Any) -> Rights:
    """Return the rights of a logged-in user; somebody else has none."""
    works_here = user.is_active and user.is_staff

    def may(permission: str) -> bool:
        return bool(works_here and user.has_perm(permission))

    return Rights(
        see=may("outreach.view_call"),
        read=may("outreach.view_call") and may("outreach.read_transcript"),
        switch=may("outreach.use_kill_switch"),
        upload=may("outreach.import_facilitators"),
        change=may("outreach.add_campaign"),
    )


def may_see_campaigns(user: Any) -> bool:
    """Tell whether a user works here and may see how campaigns stand."""
    return bool(user.is_active and user.is_staff and user.has_perm("outreach.view_campaign"))
