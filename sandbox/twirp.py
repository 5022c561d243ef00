"""How a Twirp service says no."""

from __future__ import annotations

from aiohttp import web

STATUS = {
    "unauthenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "bad_route": 404,
    "invalid_argument": 400,
    "malformed": 400,
    "unavailable": 503,
}


class TwirpError(Exception):
    """The call is refused; `code` is Twirp's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def error(refusal: TwirpError) -> web.Response:
    """Return the answer that says no."""
    return web.json_response({"code": refusal.code, "msg": str(refusal)}, status=STATUS[refusal.code])


def require(granted: bool | None) -> None:  # noqa: FBT001 - the grant itself is the argument
    """Refuse a token without the grant.

    :raises TwirpError: as livekit-server does.
    """
    if not granted:
        raise TwirpError("unauthenticated", "permissions denied")
