"""The nonce that doctor asks for, to see whether the public address leads here and unchanged."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from outreach.integrations import nonces


@require_GET
def nonce(request: HttpRequest) -> HttpResponse:
    """Sign the nonce of the question; nothing is looked up, so anybody may ask."""
    asked = request.GET.get("ask", "")
    if not nonces.is_nonce(asked):
        return HttpResponse(status=400)
    answer = HttpResponse(nonces.signed(asked), content_type="text/plain")
    answer["Cache-Control"] = "no-store"
    return answer
