"""The pages (admin, live streams, API) as an ASGI application for uvicorn."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["OUTREACH_SERVES"] = "pages"

from django.core.asgi import get_asgi_application

from config.loading import load_views

application = get_asgi_application()
load_views()
