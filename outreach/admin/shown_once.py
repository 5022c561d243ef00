"""The page that shows a secret, the one time that it can be shown."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables


@sensitive_variables("secret")
def show_once(model_admin: Any, request: HttpRequest, *, title: str, says: str, secret: str) -> HttpResponse:
    """Return the page with the secret; no browser or proxy may keep it."""
    opts = model_admin.model._meta
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": opts,
        "media": model_admin.media,
        "title": title,
        "says": says,
        "shown": secret,
        "back": reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"),
    }
    return TemplateResponse(
        request, "outreach/shown_once.html", context, headers={"Cache-Control": "no-store"}
    )
