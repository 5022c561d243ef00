"""The operator's pages."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from outreach import health
from outreach.api.reading import api

# Here and not for every process: the pages' code is 30 MB, and only they show it.
admin.autodiscover()

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("favicon.ico", RedirectView.as_view(url=static("outreach/favicon.svg"))),
    path("admin/", admin.site.urls),
    path("live/", include("outreach.live.urls")),
    path("api/v1/", api.urls),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
