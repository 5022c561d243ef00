"""What every webhook must be before its signature is even looked at."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

#: Bytes. Twilio's and LiveKit's events have 2 KB, and so have facts.
BODY_LIMIT = 64 * 1024

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def admits(content_types: Collection[str], *, limit: int = BODY_LIMIT) -> Callable[[View[P]], View[P]]:
    """Return a decorator that lets only small POSTs of these content types through to a view.

    Sizes go by the declared length: under WSGI no more than that is ever read.

    :param limit: bytes of a body.
    """

    def decorate(view: View[P]) -> View[P]:
        @csrf_exempt
        @require_POST
        @wraps(view)
        def admitted(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.content_type not in content_types:
                return HttpResponse(status=415)
            declared = request.META.get("CONTENT_LENGTH") or "0"
            if not declared.isdigit() or int(declared) > limit:
                return HttpResponse(status=413)
            return view(request, *args, **kwargs)

        return admitted

    return decorate
