"""The list of calls as Twilio's API pages and filters it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from sandbox.phone_call import API_VERSION, PhoneCall
from sandbox.twilio_parameters import TwilioError

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


def list_page(
    calls: Sequence[PhoneCall], *, account_sid: str, query: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """Return one page of the calls that fit the query, in the given order, as they stand at `now`.

    :raises TwilioError: when a page or a time cannot be read.
    """
    found = [call for call in calls if _fits(call, query)]
    size = min(_number(query, "PageSize", DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE) or DEFAULT_PAGE_SIZE
    page = _number(query, "Page", 0)
    start = page * size
    shown = found[start : start + size]
    path = f"/{API_VERSION}/Accounts/{account_sid}/Calls.json"

    def uri(number: int, *, token: str = "") -> str:
        kept = {name: value for name, value in query.items() if name not in ("Page", "PageSize", "PageToken")}
        paging = {"PageSize": str(size), "Page": str(number)} | ({"PageToken": token} if token else {})
        return f"{path}?{urlencode(kept | paging)}"

    has_more = start + size < len(found)
    return {
        "calls": [call.resource(now=now) for call in shown],
        "page": page,
        "page_size": size,
        "start": start,
        "end": start + max(len(shown) - 1, 0),
        "uri": uri(page),
        "first_page_uri": uri(0),
        "previous_page_uri": uri(page - 1) if page else None,
        "next_page_uri": uri(page + 1, token=f"PA{shown[-1].sid}") if has_more else None,
    }


def _fits(call: PhoneCall, query: Mapping[str, str]) -> bool:
    shown = call.resource()
    for parameter, name in (("To", "to"), ("From", "from"), ("Status", "status")):
        if query.get(parameter) and query[parameter] != shown[name]:
            return False
    for parameter, at in (("StartTime", call.started_at), ("EndTime", call.ended_at)):
        if not _in_time(at, query, parameter):
            return False
    return query.get("ParentCallSid") in (None, "", call.parent_sid)


def _in_time(at: datetime | None, query: Mapping[str, str], parameter: str) -> bool:
    """Apply `Time`, `Time<` and `Time>`; a call without that time (still queued) fits none of them."""
    exactly, before, after = (query.get(f"{parameter}{sign}") for sign in ("", "<", ">"))
    if not (exactly or before or after):
        return True
    if at is None:
        return False
    if exactly and at.date() != _time(exactly).date():
        return False
    if before and at > _time(before):
        return False
    return not (after and at < _time(after))


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as exc:
        raise TwilioError(20001, f"Invalid time: {text}") from exc
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdigit():
        raise TwilioError(20001, f"{name} must be a number")
    return int(text)
