"""What an operator does with people: call now, hold, release, priority, never call again."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from kombu.exceptions import OperationalError
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from outreach import tasks
from outreach.admin.base import go_to
from outreach.admin.dialogs import (
    ManyPriorityForm,
    ManyReasonForm,
    ReasonForm,
    confirm_many,
    dialog,
    say_done,
)
from outreach.models import Facilitator, SuppressionSource
from outreach.services import attending
from outreach.services.dispatching import CannotCall, call_now
from outreach.services.suppressing import suppress

logger = logging.getLogger(__name__)

_MAY_CHANGE = ["change"]
_MAY_SUPPRESS = ["suppress"]
_FOR_EVER = "The number is never called again, in no campaign, for ever. A call in progress goes on."


class FacilitatorActions:
    """Actions of the list (for many) and of a person's page (for one)."""

    actions = ("hold_people", "release_people", "set_priority", "suppress_people")
    actions_detail = (
        "call_person",
        {
            "title": "More",
            "icon": "more_horiz",
            "items": ["hold_person", "release_person", "suppress_person"],
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
        try:
            tasks.prepare_call.apply_async(kwargs={"call_id": str(call_id)}, retry=False)
        except OperationalError:
            # Only a hint: the next tick finds the queued call.
            logger.warning("hint not sent", extra={"call_id": str(call_id)})
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
        say_done(request, attending.hold(facilitator_ids=[int(object_id)], by=by, reason=reason), "held")
        return go_to(request, _page_of(object_id))

    @action(
        description="Release",
        permissions=_MAY_CHANGE,
        icon="play_arrow",
        dialog=dialog("Release this person?", "They are due again, as the hours and caps allow.", "Release"),
    )
    def release_person(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        say_done(request, attending.release(facilitator_ids=[int(object_id)]), "released")
        return go_to(request, _page_of(object_id))

    @action(
        description="Never call again",
        permissions=_MAY_SUPPRESS,
        icon="phone_disabled",
        variant=ActionVariant.DANGER,
        dialog=dialog("Never call this number again?", _FOR_EVER, "Never call again", ReasonForm),
    )
    def suppress_person(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        person = Facilitator.objects.get(pk=object_id)
        _suppress(person.number, request, form.cleaned_data["reason"])
        messages.success(request, "The number is never called again.")
        return go_to(request, _page_of(object_id))

    @action(description="Hold", permissions=_MAY_CHANGE)
    def hold_people(self, request: HttpRequest, people: QuerySet[Facilitator]) -> HttpResponse | None:
        given = confirm_many(
            self, request, people, form_class=ManyReasonForm, title="Hold these people?",
            says="Nobody calls them until somebody releases them.", submit="Hold",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        by = request.user.get_username()
        say_done(request, attending.hold(facilitator_ids=_ids(people), by=by, reason=given["reason"]), "held")
        return None

    @action(description="Release", permissions=_MAY_CHANGE)
    def release_people(self, request: HttpRequest, people: QuerySet[Facilitator]) -> HttpResponse | None:
        given = confirm_many(
            self, request, people, title="Release these people?", submit="Release",
            says="Who is held, exhausted or under review is due again, as the hours and caps allow.",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        say_done(request, attending.release(facilitator_ids=_ids(people)), "released")
        return None

    @action(description="Set priority", permissions=_MAY_CHANGE)
    def set_priority(self, request: HttpRequest, people: QuerySet[Facilitator]) -> HttpResponse | None:
        given = confirm_many(
            self, request, people, form_class=ManyPriorityForm, title="Set the priority of these people?",
            says="Who comes first is called first.", submit="Set priority",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        n_people = attending.set_priority(facilitator_ids=_ids(people), priority=given["priority"])
        say_done(request, n_people, f"given priority {given['priority']}")
        return None

    @action(description="Never call again", permissions=_MAY_SUPPRESS)
    def suppress_people(self, request: HttpRequest, people: QuerySet[Facilitator]) -> HttpResponse | None:
        given = confirm_many(
            self, request, people, form_class=ManyReasonForm, title="Never call these numbers again?",
            says=_FOR_EVER, submit="Never call again",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        # Sorted: two operators at once take the number locks in the same order.
        numbers = sorted(set(people.values_list("number", flat=True)))
        for number in numbers:
            _suppress(number, request, given["reason"])
        say_done(request, len(numbers), "never called again")
        return None


def _suppress(number: str, request: HttpRequest, reason: str) -> None:
    suppress(number=number, source=SuppressionSource.OPERATOR, reason=reason, by=request.user.get_username())


def _ids(people: QuerySet[Any]) -> list[int]:
    return list(people.values_list("pk", flat=True))


def _page_of(object_id: str) -> str:
    return reverse("admin:outreach_facilitator_change", args=[object_id])
