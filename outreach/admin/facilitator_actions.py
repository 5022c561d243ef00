"""What an operator does with one person: call now, call back, hold, release, close, never call again."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from kombu.exceptions import OperationalError
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from outreach import tasks
from outreach.admin.base import go_to
from outreach.admin.dialogs import (
    AttemptsForm,
    CloseForm,
    PromiseForm,
    ReasonForm,
    dialog,
)
from outreach.admin.telling import say_done
from outreach.desk.rendering import their_moment
from outreach.models import Facilitator, SuppressionSource
from outreach.services import attending
from outreach.services.dispatching import CannotCall, call_now
from outreach.services.promising import CannotPromise, promise
from outreach.services.suppressing import suppress

logger = logging.getLogger(__name__)

_MAY_CHANGE = ["change"]
_MAY_SUPPRESS = ["suppress"]
#: Why something is not done to some people.
HELD_ONLY = "only people who wait for a call, or are in one, can be held"
RELEASED_ONLY = "only people who are held, exhausted or under review can be released"
TRIED_ONLY = "people who are interested, said no or are never called are not tried again"
CLOSED_ONLY = "people who stand so already, or are never called, stay as they are"
FOR_EVER = "The number is never called again, in no campaign, for ever. A call in progress goes on."


class PersonActions:
    """Actions of a person's page."""

    actions_detail = (
        "call_person",
        "promise_person",
        "suppress_person",
        {
            "title": "More",
            "icon": "more_horiz",
            "items": ["hold_person", "release_person", "give_person_attempts", "close_person"],
        },
    )

    @action(
        description="Call now",
        permissions=["place_call"],
        icon="call",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            "Call this person now?",
            "Out of turn, but through the same checks: hours, caps, consent and “never call”.",
            "Call now",
        ),
    )
    def call_person(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        try:
            call_id = call_now(facilitator_id=int(object_id), requested_by=request.user.get_username())
        except CannotCall as exc:
            messages.error(request, f"Not called: {exc}")
            return go_to(request, _page_of(object_id))
        hint(call_id)
        return go_to(request, reverse("admin:outreach_call_change", args=[call_id]))

    @action(
        description="Hold",
        permissions=_MAY_CHANGE,
        icon="pause",
        dialog=dialog(
            "Hold this person?", "Nobody calls them until somebody releases them.", "Hold", ReasonForm
        ),
    )
    def hold_person(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        by, reason = request.user.get_username(), form.cleaned_data["reason"]
        n_people = attending.hold(facilitator_ids=[int(object_id)], by=by, reason=reason)
        say_done(request, n_people, "held", because=HELD_ONLY)
        return go_to(request, _page_of(object_id))

    @action(
        description="Release",
        permissions=_MAY_CHANGE,
        icon="play_arrow",
        dialog=dialog("Release this person?", "They are due again, as the hours and caps allow.", "Release"),
    )
    def release_person(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        by = request.user.get_username()
        n_people = attending.release(facilitator_ids=[int(object_id)], by=by)
        say_done(request, n_people, "released", because=RELEASED_ONLY)
        return go_to(request, _page_of(object_id))

    @action(
        description="Give more attempts",
        permissions=_MAY_CHANGE,
        icon="add_circle",
        dialog=dialog(
            "Try this person more often?", "Who was tried as often as allowed is due again.", "Give",
            AttemptsForm,
        ),
    )  # fmt: skip
    def give_person_attempts(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        n_people = attending.give_attempts(
            facilitator_ids=[int(object_id)],
            n_attempts=form.cleaned_data["n_attempts"],
            by=request.user.get_username(),
        )
        say_done(request, n_people, "given more attempts", because=TRIED_ONLY)
        return go_to(request, _page_of(object_id))

    @action(
        description="Close",
        permissions=_MAY_CHANGE,
        icon="check_circle",
        dialog=dialog(
            "Close this person?", "Nobody calls them again by itself; a promised call is canceled.", "Close",
            CloseForm,
        ),
    )  # fmt: skip
    def close_person(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        n_people = attending.close(
            facilitator_ids=[int(object_id)],
            outcome=attending.Outcome(form.cleaned_data["outcome"]),
            by=request.user.get_username(),
            reason=form.cleaned_data["reason"],
        )
        say_done(request, n_people, "closed", because=CLOSED_ONLY)
        return go_to(request, _page_of(object_id))

    @action(
        description="Call back at…",
        permissions=["place_call"],
        icon="event_upcoming",
        dialog=dialog(
            "Promise this person a call?", "Alex keeps it within ten minutes, or it is shown as missed.",
            "Promise", PromiseForm,
        ),
    )  # fmt: skip
    def promise_person(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        try:
            promised_at = promise_to(int(object_id), form.cleaned_data, agreed_by=request.user.get_username())
        except CannotPromise as exc:
            messages.error(request, f"Not promised: {exc}")
        else:
            person = Facilitator.objects.get(pk=object_id)
            at = their_moment(promised_at, person.time_zone)
            messages.success(request, format_html("Promised for {}.", at))
        return go_to(request, _page_of(object_id))

    @action(
        description="Never call again",
        permissions=_MAY_SUPPRESS,
        icon="phone_disabled",
        variant=ActionVariant.DANGER,
        dialog=dialog("Never call this number again?", FOR_EVER, "Never call again", ReasonForm),
    )
    def suppress_person(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        person = Facilitator.objects.get(pk=object_id)
        suppress_number(person.number, request, form.cleaned_data["reason"])
        messages.success(request, "The number is never called again.")
        return go_to(request, _page_of(object_id))


def hint(call_id: UUID) -> None:
    """Let a worker prepare a call at once. Only a hint: without it the next tick finds the queued call."""
    try:
        tasks.prepare_call.apply_async(kwargs={"call_id": str(call_id)}, retry=False)
    except OperationalError:
        logger.warning("hint not sent", extra={"call_id": str(call_id)})


def promise_to(facilitator_id: int, given: Mapping[str, Any], *, agreed_by: str) -> datetime:
    """Promise what the form says to one person and return when it is.

    :raises CannotPromise: as the service does.
    """
    return promise(
        facilitator_id=facilitator_id,
        local=given["at"],
        zone=timezone.get_current_timezone() if given["clock"] == "mine" else None,
        by_alex=given["by"] == "alex",
        reason=given["reason"],
        agreed_by=agreed_by,
    )


def suppress_number(number: str, request: HttpRequest, reason: str) -> None:
    """Let a number never be called again, at the word of whoever asks."""
    suppress(number=number, source=SuppressionSource.OPERATOR, reason=reason, by=request.user.get_username())


def _page_of(object_id: str) -> str:
    return reverse("admin:outreach_facilitator_change", args=[object_id])
