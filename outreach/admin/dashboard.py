"""The admin's index: what happens now, what is wrong, and what to do first."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.http import HttpRequest

from outreach.desk import board
from outreach.desk.rights import rights_of

#: As in the legend of `desk.css`.
CHART_COLOURS = {"dialled": "#94a3b8", "answered": "#a78bfa", "interested": "#16a34a"}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the dashboard's context: the same figures that the live stream goes on with."""
    counts = board.counts()
    return {
        **context,
        "present": board.present(),
        "counts": counts,
        "rights": rights_of(request.user),
        "chart": _chart(counts.days),
    }


def _chart(days: list[dict[str, int | str]]) -> str:
    """Return the last fortnight as the data of unfold's bar chart."""
    bar = {"grouped": True, "maxBarThickness": 14, "borderRadius": 3, "displayYAxis": True}
    return json.dumps(
        {
            "labels": [_short(date.fromisoformat(str(day["day"]))) for day in days],
            "datasets": [
                {
                    "label": name.capitalize(),
                    "data": [day[name] for day in days],
                    "backgroundColor": colour,
                    **bar,
                }
                for name, colour in CHART_COLOURS.items()
            ],
        }
    )


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"
