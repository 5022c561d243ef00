"""Files that are sent while they are made, so that none of them stands whole in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def download(
    request: HttpRequest, chunks: Iterator[bytes], *, file_name: str, content_type: str
) -> StreamingHttpResponse:
    """Send `chunks` as a file, one after the other."""
    # Under ASGI Django would gather a plain iterator into one list first.
    body = _one_by_one(chunks) if isinstance(request, ASGIRequest) else chunks
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name}"',
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    return StreamingHttpResponse(body, content_type=content_type, headers=headers)


async def _one_by_one(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await sync_to_async(_following)(chunks)) is not None:
        yield chunk


def _following(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)
