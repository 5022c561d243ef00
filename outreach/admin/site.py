"""What every admin page shows: the mode, and the menu."""

# unfold hands the request to every callback.
# ruff: noqa: ARG001

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils import timezone

from outreach.desk.rendering import moment
from outreach.models import DialingControl
from outreach.services import clock

admin.site.index_template = "outreach/dashboard.html"
admin.site.index_title = "Dashboard"

_MODE_COLOURS = {"rehearsal": "info", "test": "warning", "live": "success"}
_AHEAD = timedelta(seconds=5)


def environment_badge(request: HttpRequest) -> list[str]:
    """Return the badge of every page: the mode, a rehearsal's time, and the big switch while it is on."""
    mode = str(settings.DIALING)
    text, colour = mode.upper(), _MODE_COLOURS.get(mode, "danger")
    if DialingControl.objects.filter(stopped=True).exists():
        text, colour = f"{text} · dialing stopped", "danger"
    now = clock.now()
    if abs(now - timezone.now()) > _AHEAD:
        text = f"{text} · {moment(now)}"
    return [text, colour]


def _page(title: str, icon: str, model: str, app: str = "outreach") -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{model}"),
    }


def _may_read(request: HttpRequest) -> bool:
    return request.user.has_perms(["outreach.view_turn", "outreach.read_transcript"])


def _machinery() -> list[dict[str, Any]]:
    machinery = [
        _page("Limits and switch", "tune", "dialingcontrol"),
        _page("Agent workers", "support_agent", "agentworker"),
        _page("Rates", "payments", "rate"),
        _page("Events", "inbox", "callevent"),
        _page("Notices", "notifications", "notice"),
        _page("Schedule", "schedule", "periodictask", "django_celery_beat"),
    ]
    if settings.FLOWER_URL:
        machinery.append({"title": "Tasks (Flower)", "icon": "local_florist", "link": settings.FLOWER_URL})
    return machinery


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu: the day's work first, the machinery last."""
    return [
        {
            "items": [
                {"title": "Dashboard", "icon": "dashboard", "link": reverse_lazy("admin:index")},
                _page("Campaigns", "campaign", "campaign"),
                _page("Facilitators", "group", "facilitator"),
                _page("Calls", "call", "call"),
                _page("Interested", "handshake", "interest"),
                {
                    **_page("Callbacks", "event_upcoming", "callback"),
                    "link": reverse_lazy("admin:outreach_callback_agenda"),
                    "active": request.path.startswith(reverse("admin:outreach_callback_changelist")),
                },
                _page("Calls from people", "phone_callback", "incomingcall"),
            ]
        },
        {
            "title": "Records",
            "separator": True,
            "items": [
                _page("Uploads", "upload_file", "importbatch"),
                _page("Never call", "phone_disabled", "suppression"),
                _page("Not called because", "rule", "decision"),
                {**_page("Turns", "forum", "turn"), "permission": _may_read},
                {**_page("Notes", "sticky_note_2", "note"), "permission": _may_read},
                _page("Statistics", "bar_chart", "tally"),
                _page("Caller IDs", "perm_phone_msg", "callerid"),
                _page("Scripts", "description", "scriptversion"),
            ],
        },
        {"title": "Machinery", "separator": True, "collapsible": True, "items": _machinery()},
        {
            "title": "People who work here",
            "separator": True,
            "collapsible": True,
            "items": [
                _page("Users", "person", "user", "auth"),
                _page("Groups", "groups", "group", "auth"),
                _page("Failed logins", "lock_person", "accessattempt", "axes"),
                _page("Logins", "login", "accesslog", "axes"),
                _page("Who read what", "visibility", "access"),
            ],
        },
        {
            "title": "Other programs",
            "separator": True,
            "collapsible": True,
            "items": [
                _page("Outgoing webhooks", "webhook", "hookendpoint"),
                _page("Deliveries", "outbox", "hookdelivery"),
                _page("API tokens", "key", "apitoken"),
                {
                    "title": "API",
                    "icon": "data_object",
                    "link": reverse_lazy("api-1:openapi-view"),
                    "permission": lambda request: request.user.has_perm("outreach.view_apitoken"),
                },
            ],
        },
    ]
