"""The pages (admin, live streams, API) as an ASGI application for uvicorn."""

from __future__ import annotations

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["OUTREACH_SERVES"] = "pages"

from django.core.asgi import get_asgi_application
from django.urls import get_resolver

application = get_asgi_application()

# As in `config.hooks`: of a hundred pages five would wait a fifth of a second for the garbage collector.
get_resolver().check()
gc.collect()
gc.freeze()
