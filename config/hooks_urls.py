"""What the outside world may call: webhooks, nothing else."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("hooks/", include("outreach.webhook_urls"))]
