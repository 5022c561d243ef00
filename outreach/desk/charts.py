"""The dashboard's charts, as unfold's chart components take them, and everything else a frame is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from django.utils import timezone

from outreach.desk.board import Counts, Present
from outreach.desk.days import FORMULAS, Day
from outreach.desk.rights import Rights

#: As in the legends of `desk.css`.
COLOURS = {"dialled": "#94a3b8", "talked": "#a78bfa", "interested": "#16a34a", "possible": "#f59e0b"}
#: What is possible is drawn up to so many times the most calls of an hour; beyond, no bar would be seen.
FAR = 4
_BAR = {"maxBarThickness": 14, "borderRadius": 3, "displayYAxis": True, "grouped": True}


def board_context(*, present: Present, counts: Counts, rights: Rights) -> dict[str, Any]:
    """Return what the dashboard's sections are made of."""
    return {
        "present": present,
        "counts": counts,
        "rights": rights,
        "formulas": FORMULAS,
        "days_chart": days_chart(counts.days),
        "hours_chart": hours_chart(counts),
    }


def days_chart(days: Mapping[date, Day]) -> str:
    """Return the last fortnight as the data of a bar chart."""
    return chart(
        [f"{day.day} {day:%b}" for day in days],
        {
            "Calls dialled": ("dialled", [day.dialled for day in days.values()]),
            "Calls a person answered": ("talked", [day.talked for day in days.values()]),
            "People interested": ("interested", [day.interested for day in days.values()]),
        },
    )


def hours_chart(counts: Counts) -> str:
    """Return today's calls per hour beside yesterday's and what is possible, on my own clock."""
    midnight = datetime.combine(counts.at.date(), time(tzinfo=UTC))
    hours = [timezone.localtime(midnight.replace(hour=hour)) for hour in range(24)]
    bars = json.loads(
        chart(
            [f"{hour:%H:%M}" for hour in hours],
            {
                "Yesterday": ("dialled", [counts.yesterday.hours.get(hour, 0) for hour in range(24)]),
                "Today": ("talked", [counts.today.hours.get(hour, 0) for hour in range(24)]),
            },
        )
    )
    most = max([*counts.today.hours.values(), *counts.yesterday.hours.values()], default=0)
    if 0 < counts.pace.possible <= FAR * most:
        line = {
            "type": "line",
            "label": "Possible now",
            "data": [counts.pace.possible] * 24,
            "pointRadius": 0,
        }
        colour = {
            "borderColor": COLOURS["possible"],
            "backgroundColor": COLOURS["possible"],
            "borderWidth": 2,
        }
        bars["datasets"].append({**line, **colour, "borderDash": [6, 4]})
    return json.dumps(bars)


def chart(labels: Sequence[str], bars: Mapping[str, tuple[str, Sequence[float]]]) -> str:
    """Return the data of one of unfold's bar charts: of each bar its name, its colour's name, its values."""
    datasets = [
        {"label": label, "data": list(values), "backgroundColor": COLOURS[colour], **_BAR}
        for label, (colour, values) in bars.items()
    ]
    return json.dumps({"labels": list(labels), "datasets": datasets})
