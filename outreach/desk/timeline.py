"""What has happened to one person, in one list: imports, decisions, attempts, promises, edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.urls import reverse

from outreach.desk.attempts import Attempt, attempts_of
from outreach.models import (
    Callback,
    CallbackState,
    Decision,
    Facilitator,
    ImportBatch,
    ImportRow,
    IncomingCall,
    Interest,
    Suppression,
)
from outreach.services.import_staging import CHANGED

SHOWN = 30
"""Entries of each kind that a person's page shows; older ones are in their own lists."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that happened, and where to read more of it."""

    at: datetime
    icon: str
    what: str
    detail: str = ""
    next_at: datetime | None = None
    """A time that the sentence ends with, on the person's clock."""
    url: str = ""
    link: str = ""
    by: str = ""
    variant: str = ""
    attempt: Attempt | None = None
    rang: IncomingCall | None = None


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Everything that a person's page says of what happened, the newest first."""

    entries: list[Entry]
    is_cut: bool
    """Whether there is more of a kind than is shown."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """What whoever looks may see beside the person."""

    words: bool
    callers: bool


def timeline_of(person: Facilitator, suppression: Suppression | None, reader: Reader) -> Timeline:
    """Return what happened to `person`, in a number of questions that does not grow with it.

    Expects `import_batch` and `interest` to be loaded.
    """
    sources: list[Callable[[], Iterator[Entry]]] = [
        lambda: _attempts(person, words=reader.words),
        lambda: _decisions(person),
        lambda: _callbacks(person, words=reader.words),
        lambda: _edits(person),
        lambda: _suppression(person, suppression),
        lambda: _interest(person),
        lambda: _uploads(person),
    ]
    if reader.callers:
        sources.append(lambda: _calls_from_them(person))
    entries: list[Entry] = []
    is_cut = False
    for source in sources:
        found = list(source())
        is_cut = is_cut or len(found) >= SHOWN
        entries += found
    return Timeline(entries=sorted(entries, key=lambda entry: entry.at, reverse=True), is_cut=is_cut)


def _page(model: str, pk: object) -> str:
    return reverse(f"admin:outreach_{model}_change", args=[pk])


def _attempts(person: Facilitator, *, words: bool) -> Iterator[Entry]:
    for attempt in attempts_of(person, most=SHOWN, words=words):
        call = attempt.call
        yield Entry(
            at=call.queued_at,
            icon="call",
            what=attempt.title,
            url=_page("call", call.pk),
            by=call.requested_by,
            attempt=attempt,
        )


def _decisions(person: Facilitator) -> Iterator[Entry]:
    decisions = Decision.objects.filter(facilitator=person).order_by("-decided_at", "-id")
    for decision in decisions[:SHOWN]:
        says_when = ", next " in decision.reason
        yield Entry(
            at=decision.decided_at,
            icon="block",
            what="Not called",
            detail=decision.reason,
            next_at=None if says_when else decision.next_call_at,
        )


def _callbacks(person: Facilitator, *, words: bool) -> Iterator[Entry]:
    callbacks = Callback.objects.filter(facilitator=person).order_by("-created_at", "-id")
    for callback in callbacks[:SHOWN]:
        evidence = callback.agreed_in_id is not None and callback.evidence_seq is not None
        yield Entry(
            at=callback.created_at,
            icon="event_upcoming",
            what=f"Callback promised, {'Alex' if callback.by == 'alex' else 'a person'} calls:",
            next_at=callback.promised_at,
            detail=callback.reason if words or callback.agreed_in_id is None else "",
            url=f"{_page('call', callback.agreed_in_id)}#turn-{callback.evidence_seq}" if evidence else "",
            link=f"turn {callback.evidence_seq}" if evidence else "",
        )
        if callback.closed_at is not None:
            yield _closed(callback, callback.closed_at)
        elif callback.was_missed:
            yield Entry(
                at=callback.promised_at, icon="event_busy", variant="danger",
                what="Callback missed: we were more than 30 minutes late, and promised the next such time",
            )  # fmt: skip


def _closed(callback: Callback, at: datetime) -> Entry:
    icon, variant = {
        CallbackState.KEPT.value: ("event_available", "success"),
        CallbackState.MISSED.value: ("event_busy", "danger"),
    }.get(callback.state, ("event_busy", ""))
    return Entry(
        at=at,
        icon=icon,
        variant=variant,
        what=f"Callback {callback.get_state_display().lower()}; it was promised for",
        next_at=callback.promised_at,
        url=_page("callback", callback.pk),
        link="callback",
    )


def _edits(person: Facilitator) -> Iterator[Entry]:
    history: Any = Facilitator.history.filter(id=person.pk).select_related("history_user")
    rows = history.only(
        "history_date", "history_type", "history_change_reason", "history_user__username"
    ).order_by("-history_date", "-history_id")
    for row in rows[:SHOWN]:
        yield Entry(
            at=row.history_date,
            icon="edit",
            what=row.history_change_reason or ("Added by hand" if row.history_type == "+" else "Edited"),
            by=row.history_user.username if row.history_user else "",
        )


def _suppression(person: Facilitator, row: Suppression | None) -> Iterator[Entry]:
    if row is not None:
        yield Entry(
            at=row.created_at,
            icon="phone_disabled",
            variant="danger",
            what=f"Never to be called again ({row.get_source_display().lower()})",
            detail=row.reason,
            by=row.created_by,
            url=_page("call", row.call_id) if row.call_id else "",
            link="the call" if row.call_id else "",
        )
    history: Any = Suppression.history.filter(number=person.number, history_type="-")
    for removed in history.select_related("history_user").order_by("-history_date")[:SHOWN]:
        yield Entry(
            at=removed.history_date,
            icon="phone_enabled",
            what="Taken off the list of those who are never called",
            detail=removed.history_change_reason or "",
            by=removed.history_user.username if removed.history_user else "",
        )


def _interest(person: Facilitator) -> Iterator[Entry]:
    row: Interest | None = getattr(person, "interest", None)
    if row is not None:
        url = _page("interest", row.pk)
        yield Entry(
            at=row.created_at, icon="handshake", variant="success", url=url, link="work list",
            what="Interested: somebody is to get in touch by", next_at=row.due_at,
        )  # fmt: skip
        if row.handled_at is not None:
            yield Entry(
                at=row.handled_at, icon="task_alt", variant="success", what="Taken care of", detail=row.note,
                by=row.handled_by, url=url, link="work list",
            )  # fmt: skip


def _calls_from_them(person: Facilitator) -> Iterator[Entry]:
    rang = IncomingCall.objects.filter(number=person.number).select_related("callback")
    for row in rang.order_by("-received_at")[:SHOWN]:
        yield Entry(
            at=row.received_at,
            icon="phone_callback",
            what="They rang us",
            url=_page("incomingcall", row.pk),
            link="call from them",
            rang=row,
        )


def _uploads(person: Facilitator) -> Iterator[Entry]:
    """Yield how the person came, and the uploads that found them known and changed something."""
    if person.import_batch is None:
        yield Entry(at=person.created_at, icon="person_add", what="Added")
    else:
        yield _upload(person.import_batch, at=person.created_at, what="Imported")
    rows = ImportRow.objects.filter(code=CHANGED).annotate(of=Cast(KT("cells__id"), BigIntegerField()))
    for row in rows.filter(of=person.pk).select_related("batch").order_by("-id")[:SHOWN]:
        batch, changed = row.batch, f"Updated by an upload ({row.problem})"
        yield _upload(batch, at=batch.finished_at or batch.created_at, what=changed)
        if batch.undone_at is not None:
            yield _upload(batch, at=batch.undone_at, what="That upload was taken back", by=batch.undone_by)


def _upload(batch: ImportBatch, *, at: datetime, what: str, by: str = "") -> Entry:
    detail, url = f"from {batch.file_name}", _page("importbatch", batch.pk)
    return Entry(at=at, icon="upload_file", what=what, detail=detail, by=by, url=url, link="upload")
