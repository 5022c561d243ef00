"""The admin's index: what happens now, what is wrong, and what to do first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from outreach.desk import board
from outreach.desk.charts import board_context
from outreach.desk.rights import rights_of
from outreach.services.accesses import note_watching


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the dashboard's context: the same figures that the live stream goes on with."""
    rights = rights_of(request.user)
    if not rights.see:
        return {**context, "rights": rights}
    if rights.read:
        note_watching(user=request.user)
    return {**context, **board_context(present=board.present(), counts=board.counts(), rights=rights)}
