"""The API's questions: calls, a call with its words, people, callbacks, statistics."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin.views.decorators import staff_member_required
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils.timezone import is_naive
from ninja import NinjaAPI, Query
from ninja.errors import HttpError

from outreach.api import keys, shapes
from outreach.api.cursors import LIMIT, MOST, page_of
from outreach.domain.disposition import Disposition
from outreach.domain.standing import Standing
from outreach.models import Call, Callback, CallbackState, Facilitator, Summary, SummaryState, Tally
from outreach.services import clock

DAYS = 7
MOST_DAYS = 92

api = NinjaAPI(
    title="Outreach",
    version="1",
    description="Read-only. Send a token of the admin's page “API tokens” as `Authorization: Bearer …`.",
    auth=keys.Bearer(),
    throttle=keys.PerToken(),
    docs_decorator=staff_member_required,
)
Cursor = Query("", description="`next` of the page before; empty: begin.")
Limit = Query(LIMIT, ge=1, le=MOST, description="Rows of a page.")
Since = Query(None, description="Queued at or after; ISO 8601 with an offset.")
Until = Query(None, description="Queued before; ISO 8601 with an offset.")


@api.get("/calls", response=shapes.Calls, tags=["Calls"], summary="Calls, newest first")
def calls(
    request: HttpRequest,
    campaign: int | None = None,
    facilitator: int | None = None,
    disposition: Disposition | None = None,
    since: datetime | None = Since,
    until: datetime | None = Until,
    cursor: str = Cursor,
    limit: int = Limit,
) -> dict[str, Any]:
    """Return one page of the calls by phone."""
    keys.require(request, "outreach.view_call")
    rows = _narrowed(
        Call.objects.by_phone().defer("usage", "cost_items", "tallied"),
        campaign=campaign,
        facilitator=facilitator,
        disposition=disposition,
        queued_at__gte=_aware(since),
        queued_at__lt=_aware(until),
    )
    found, following = page_of(rows, by="queued_at", cursor=cursor, limit=limit, order="newest")
    keys.note(request, f"calls {_filters(request)}", n_rows=len(found))
    return {"items": [_call(call, shows=keys.may_export(request)) for call in found], "next": following}


@api.get("/calls/{call_id}", response=shapes.CallWithWords, tags=["Calls"], summary="One call with its words")
def call(request: HttpRequest, call_id: UUID) -> dict[str, Any]:
    """Return a call, and what was said in it for those who may read it."""
    keys.require(request, "outreach.view_call")
    row = Call.objects.filter(pk=call_id).first()
    if row is None:
        raise HttpError(404, "There is no such call.")
    told: dict[str, Any] = {"turns": None, "notes": None, "summary": None}
    if keys.may_read(request):
        made = Summary.objects.filter(call=row, state=SummaryState.MADE).values("text", "fields")
        told = {
            "turns": list(row.turns.order_by("seq").values()),
            "notes": list(row.notes.order_by("seq").values()),
            "summary": made.first(),
        }
    keys.note(request, f"call {row.pk}", n_rows=len(told["turns"] or []))
    return _call(row, shows=keys.may_export(request)) | told


@api.get("/facilitators", response=shapes.People, tags=["People"], summary="People, oldest first")
def facilitators(
    request: HttpRequest,
    campaign: int | None = None,
    standing: Standing | None = None,
    cursor: str = Cursor,
    limit: int = Limit,
) -> dict[str, Any]:
    """Return one page of people, in the order in which they were imported."""
    keys.require(request, "outreach.view_facilitator")
    rows = _narrowed(Facilitator.objects.defer("searched"), campaign=campaign, standing=standing)
    found, following = page_of(rows, by="pk", cursor=cursor, limit=limit, order="oldest")
    keys.note(request, f"facilitators {_filters(request)}", n_rows=len(found))
    return {"items": [_person(row, shows=keys.may_export(request)) for row in found], "next": following}


@api.get("/facilitators/{person_id}", response=shapes.Person, tags=["People"], summary="One person")
def facilitator(request: HttpRequest, person_id: int) -> dict[str, Any]:
    """Return where one person stands."""
    keys.require(request, "outreach.view_facilitator")
    row = Facilitator.objects.defer("searched").filter(pk=person_id).first()
    if row is None:
        raise HttpError(404, "There is no such person.")
    keys.note(request, f"facilitator {row.pk}", n_rows=1)
    return _person(row, shows=keys.may_export(request))


@api.get("/callbacks", response=shapes.Callbacks, tags=["Callbacks"], summary="Callbacks, oldest first")
def callbacks(
    request: HttpRequest,
    campaign: int | None = None,
    facilitator: int | None = None,
    state: CallbackState | None = None,
    cursor: str = Cursor,
    limit: int = Limit,
) -> dict[str, Any]:
    """Return one page of callbacks, in the order in which they were agreed."""
    keys.require(request, "outreach.view_callback")
    rows = _narrowed(
        Callback.objects.all(), facilitator__campaign=campaign, facilitator=facilitator, state=state
    )
    found, following = page_of(rows, by="pk", cursor=cursor, limit=limit, order="oldest")
    shows = keys.may_read(request)
    keys.note(request, f"callbacks {_filters(request)}", n_rows=len(found))
    return {"items": [_callback(row, shows=shows) for row in found], "next": following}


@api.get("/statistics", response=shapes.Statistics, tags=["Statistics"], summary="Tallies by day")
def statistics(
    request: HttpRequest,
    campaign: int | None = None,
    thing: str | None = None,
    since: date | None = None,
    until: date | None = None,
) -> dict[str, Any]:
    """Return how often things happened per UTC day and campaign; the last 7 days unless said otherwise."""
    keys.require(request, "outreach.view_tally")
    last = until or clock.now().date()
    first = since or last - timedelta(days=DAYS - 1)
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        raise HttpError(400, f"Ask for 1 to {MOST_DAYS} days at a time.")
    rows = _narrowed(Tally.objects.filter(day__gte=first, day__lte=last), campaign=campaign, thing=thing)
    grouped = rows.values("day", "campaign", "thing", "key").annotate(count=Sum("n"), total=Sum("amount"))
    found = [
        {**row, "n": row["count"], "amount": row["total"]}
        for row in grouped.order_by("day", "campaign", "thing", "key")
    ]
    keys.note(request, f"statistics {_filters(request)}", n_rows=len(found))
    return {"items": found}


def _narrowed(rows: QuerySet[Any], **wanted: Any) -> QuerySet[Any]:
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})


def _aware(at: datetime | None) -> datetime | None:
    if at is not None and is_naive(at):
        raise HttpError(400, "Write times with their offset, such as 2026-03-03T15:05:00Z.")
    return at


def _filters(request: HttpRequest) -> str:
    """Return what was asked for, to be written down: ids, words of ours and times."""
    return " ".join(f"{name}={value}" for name, value in sorted(request.GET.items()) if name in _FILTERS)


def _call(row: Call, *, shows: bool) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in shapes.CallFacts.model_fields.keys() - _RELATED}
    related = {"campaign": row.campaign_id, "facilitator": row.facilitator_id, "script": row.script_id}
    return fields | related | {"number": row.number if shows else None}


def _person(row: Facilitator, *, shows: bool) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in shapes.Person.model_fields.keys() - _RELATED}
    hidden = {} if shows else dict.fromkeys(("name", "number", "email", "organisation", "extra"))
    return fields | {"campaign": row.campaign_id} | hidden


def _callback(row: Callback, *, shows: bool) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in shapes.CallbackPromised.model_fields.keys() - _RELATED}
    related = {"facilitator": row.facilitator_id, "agreed_in": row.agreed_in_id}
    return fields | related | {"reason": row.reason if shows else None}


_FILTERS = {"campaign", "facilitator", "disposition", "standing", "state", "since", "until", "thing"}
#: Answered with their ids: the rows behind them are not read.
_RELATED = {"campaign", "facilitator", "script", "agreed_in"}
