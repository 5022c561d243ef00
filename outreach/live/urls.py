"""The addresses under /live/."""

from __future__ import annotations

from django.urls import path

from outreach.live.views import live_call, live_campaign, live_dashboard

urlpatterns = [
    path("dashboard", live_dashboard, name="live-dashboard"),
    path("campaigns/<int:campaign_id>", live_campaign, name="live-campaign"),
    path("calls/<uuid:call_id>", live_call, name="live-call"),
]
