"""What our own agent workers report: facts that decide who is called, left-over words, their places."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from pydantic import ValidationError

from outreach.domain import contracts
from outreach.integrations import agents
from outreach.integrations.storable import storable
from outreach.services import facts, progress, recording
from outreach.services.facts import FactResult
from outreach.services.model_trouble import ROLE_OF_END
from outreach.tasks import dial_call, judge_model_failure
from outreach.webhooks.admission import BODY_LIMIT, admits
from outreach.webhooks.hints import hint

logger = logging.getLogger(__name__)

JSON = frozenset({"application/json"})

#: Bytes of a batch of spooled words: a hundred turns of 5 KB. What is too large would be lost words.
WORDS_LIMIT = 512 * 1024

P = ParamSpec("P")


def _signed(
    *, limit: int = BODY_LIMIT
) -> Callable[[Callable[Concatenate[Any, P], HttpResponse]], Callable[..., HttpResponse]]:
    """Return a decorator that refuses what was not signed with our secret about now.

    The view gets the parsed body in the request's place.
    """

    def decorate(view: Callable[Concatenate[Any, P], HttpResponse]) -> Callable[..., HttpResponse]:
        @admits(JSON, limit=limit)
        @wraps(view)
        def verified(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            body = request.read()  # unlike `request.body`, not bound to the one limit of the settings
            genuine = agents.is_genuine(
                secret=settings.AGENT_SECRET,
                timestamp=request.headers.get(contracts.TIMESTAMP_HEADER, ""),
                given=request.headers.get(contracts.SIGNATURE_HEADER, ""),
                path=request.path,
                body=body,
                now=time.time(),
            )
            if not genuine:
                return HttpResponse(status=403)
            try:
                report = storable(json.loads(body))
            except (ValueError, RecursionError):
                return _malformed("the body is no JSON")
            return view(report, *args, **kwargs)

        return verified

    return decorate


@_signed()
def fact(report: Any, call_id: UUID) -> HttpResponse:
    """Store one fact about a call. `ready` is answered by 200 = stay or 410 = leave without a word."""
    structlog.contextvars.bind_contextvars(call_id=str(call_id))
    try:
        said = contracts.FACT.validate_python(report)
    except ValidationError as exc:
        return _malformed(_problems(exc))
    applied = facts.apply_fact(call_id=call_id, fact=said)
    if isinstance(said, contracts.End) and said.ended_by in ROLE_OF_END:
        hint(judge_model_failure, call_id=call_id)
    match applied:
        case FactResult.DIAL:
            hint(dial_call, call_id=call_id)
            return JsonResponse({"stay": True})
        case FactResult.STAY:
            return JsonResponse({"stay": True})
        case FactResult.LEAVE:
            return JsonResponse({"stay": False}, status=410)
        case FactResult.UNKNOWN_CALL:
            return JsonResponse({"error": "no such call"}, status=404)
        case _:
            return JsonResponse({"stored": True})


@_signed(limit=WORDS_LIMIT)
def words(report: Any, call_id: UUID) -> HttpResponse:
    """Store words that the stream may have lost, and say what of the call's words is still missing."""
    structlog.contextvars.bind_contextvars(call_id=str(call_id))
    try:
        batch = contracts.WordsBatch.model_validate(report)
    except ValidationError as exc:
        return _malformed(_problems(exc))
    if any(word.call_id != call_id for word in batch.words):
        return _malformed("words of another call")
    stored = recording.store_words(call_id=call_id, batch=batch)
    if stored is None:
        return JsonResponse({"error": "no such call"}, status=404)
    return JsonResponse(stored.model_dump(mode="json"))


@_signed()
def worker(report: Any) -> HttpResponse:
    """Take note of a worker's places and of the calls that it holds."""
    try:
        said = contracts.WorkerReport.model_validate(report)
    except ValidationError as exc:
        return _malformed(_problems(exc))
    progress.worker_reported(report=said)
    return HttpResponse(status=204)


def _problems(error: ValidationError) -> str:
    """Return where a report is wrong, without what it says: that may be a person's words."""
    return "; ".join(
        f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False)
    )


def _malformed(why: str) -> HttpResponse:
    """Return a 400, which the sender never repeats."""
    logger.error("malformed report", extra={"why": why})
    return JsonResponse({"error": why}, status=400)
