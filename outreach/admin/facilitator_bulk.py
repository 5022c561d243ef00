"""What an operator does with many people at once, each behind a question that says how many they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from outreach.admin.dialogs import (
    ManyAttemptsForm,
    ManyCloseForm,
    ManyMoveForm,
    ManyPriorityForm,
    ManyPromiseForm,
    ManyReasonForm,
    confirm_many,
)
from outreach.admin.facilitator_actions import (
    CLOSED_ONLY,
    FOR_EVER,
    HELD_ONLY,
    RELEASED_ONLY,
    TRIED_ONLY,
    hint,
    promise_to,
    suppress_number,
)
from outreach.admin.telling import say_done, say_refused
from outreach.models import Facilitator
from outreach.services import attending
from outreach.services.calling_many import call_many
from outreach.services.moving import CannotMove, move
from outreach.services.promising import CannotPromise

People = QuerySet[Facilitator]
Answer = HttpResponse | None

_MAY_CHANGE = ["change"]
MOST_CALLED = 100
"""People called now, or promised a call, in one go: each is looked at by itself."""
MOST_SUPPRESSED = 5_000


class PeopleActions:
    """Actions of the list of people."""

    actions: tuple[str, ...] = (
        "call_people", "promise_people", "set_priority", "hold_people", "release_people", "give_attempts",
        "close_people", "move_people", "suppress_people",
    )  # fmt: skip

    @action(description="Call now", permissions=["place_call"])
    def call_people(self, request: HttpRequest, people: People) -> Answer:
        given = confirm_many(
            self, request, people, title="Call these people now?", submit="Call now", most=MOST_CALLED,
            says="Out of turn, but through the same checks: hours, caps, consent and “never call”.",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        ids = list(people.order_by("priority", "pk").values_list("pk", flat=True))
        called = call_many(facilitator_ids=ids, requested_by=request.user.get_username())
        for call_id in called.calls:
            hint(call_id)
        say_done(request, len(called.calls), "being called")
        say_refused(request, _named(called.refused), "Not called")
        return None

    @action(description="Call back at…", permissions=["place_call"])
    def promise_people(self, request: HttpRequest, people: People) -> Answer:
        given = confirm_many(
            self, request, people, form_class=ManyPromiseForm, title="Promise these people a call?",
            says="Alex keeps it within ten minutes, or it is shown as missed.", submit="Promise",
            most=MOST_CALLED,
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        refused: dict[str, list[int]] = {}
        ids = list(people.values_list("pk", flat=True))
        for facilitator_id in ids:
            try:
                promise_to(facilitator_id, given, agreed_by=request.user.get_username())
            except CannotPromise as exc:
                refused.setdefault(str(exc), []).append(facilitator_id)
        say_done(request, len(ids) - sum(map(len, refused.values())), "promised a call")
        say_refused(request, _named(refused), "Not promised")
        return None

    @action(description="Set priority", permissions=_MAY_CHANGE)
    def set_priority(self, request: HttpRequest, people: People) -> Answer:
        given = confirm_many(
            self, request, people, form_class=ManyPriorityForm, title="Set the priority of these people?",
            says="Who comes first is called first.", submit="Set priority",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        by, priority = request.user.get_username(), given["priority"]
        n_people, _ = _in_all(
            people, lambda ids: attending.set_priority(facilitator_ids=ids, priority=priority, by=by)
        )
        say_done(request, n_people, f"given priority {priority}")
        return None

    @action(description="Hold", permissions=_MAY_CHANGE)
    def hold_people(self, request: HttpRequest, people: People) -> Answer:
        given = confirm_many(
            self, request, people, form_class=ManyReasonForm, title="Hold these people?",
            says="Nobody calls them until somebody releases them.", submit="Hold",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        by, reason = request.user.get_username(), given["reason"]
        n_people, of = _in_all(people, lambda ids: attending.hold(facilitator_ids=ids, by=by, reason=reason))
        say_done(request, n_people, "held", of=of, because=HELD_ONLY)
        return None

    @action(description="Release", permissions=_MAY_CHANGE)
    def release_people(self, request: HttpRequest, people: People) -> Answer:
        given = confirm_many(
            self, request, people, title="Release these people?", submit="Release",
            says="Who is held, exhausted or under review is due again, as the hours and caps allow;"
            " what a person had promised them is Alex's to do.",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        by = request.user.get_username()
        n_people, of = _in_all(people, lambda ids: attending.release(facilitator_ids=ids, by=by))
        say_done(request, n_people, "released", of=of, because=RELEASED_ONLY)
        return None

    @action(description="Give more attempts", permissions=_MAY_CHANGE)
    def give_attempts(self, request: HttpRequest, people: People) -> Answer:
        given = confirm_many(
            self, request, people, form_class=ManyAttemptsForm, title="Try these people more often?",
            says="Who was tried as often as allowed is due again.", submit="Give",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        by, n_attempts = request.user.get_username(), given["n_attempts"]
        n_people, of = _in_all(
            people, lambda ids: attending.give_attempts(facilitator_ids=ids, n_attempts=n_attempts, by=by)
        )
        say_done(request, n_people, "given more attempts", of=of, because=TRIED_ONLY)
        return None

    @action(description="Close", permissions=_MAY_CHANGE)
    def close_people(self, request: HttpRequest, people: People) -> Answer:
        given = confirm_many(
            self, request, people, form_class=ManyCloseForm, title="Close these people?", submit="Close",
            says="Nobody calls them again by itself; promised calls are canceled.",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        by, outcome = request.user.get_username(), attending.Outcome(given["outcome"])
        n_people, of = _in_all(
            people,
            lambda ids: attending.close(
                facilitator_ids=ids, outcome=outcome, by=by, reason=given["reason"]
            ),
        )  # fmt: skip
        say_done(request, n_people, "closed", of=of, because=CLOSED_ONLY)
        return None

    @action(description="Move to a campaign", permissions=_MAY_CHANGE)
    def move_people(self, request: HttpRequest, people: People) -> Answer:
        given = confirm_many(
            self, request, people, form_class=ManyMoveForm, title="Move these people?", submit="Move",
            says="The other campaign's hours, caps and script hold for them from then on; promised calls and"
            " attempts go with them.",
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        n_people, refused = 0, dict[str, int]()
        try:
            for ids in attending.in_batches(people):
                moved = move(
                    facilitator_ids=ids, campaign_id=given["campaign"].pk, by=request.user.get_username()
                )
                n_people += moved.n_people
                for reason, n_refused in moved.refused.items():
                    refused[reason] = refused.get(reason, 0) + n_refused
        except CannotMove as exc:
            messages.error(request, str(exc))
            return None
        say_done(request, n_people, "moved")
        say_refused(request, refused, "Not moved")
        return None

    @action(description="Never call again", permissions=["suppress"])
    def suppress_people(self, request: HttpRequest, people: People) -> Answer:
        given = confirm_many(
            self, request, people, form_class=ManyReasonForm, title="Never call these numbers again?",
            says=FOR_EVER, submit="Never call again", most=MOST_SUPPRESSED,
        )  # fmt: skip
        if not isinstance(given, dict):
            return given
        # Sorted: two operators at once take the number locks in the same order.
        numbers = sorted(set(people.values_list("number", flat=True)))
        for number in numbers:
            suppress_number(number, request, given["reason"])
        say_done(request, len(numbers), "never called again")
        return None


def _in_all(people: People, change: Callable[[list[int]], int]) -> tuple[int, int]:
    """Change everybody batch by batch; return how many were changed, and of how many."""
    changed = of = 0
    for ids in attending.in_batches(people):
        changed += change(ids)
        of += len(ids)
    return changed, of


def _named(refused: Mapping[str, list[int]]) -> dict[str, list[str]]:
    """Return the refused by their names."""
    names = dict(
        Facilitator.objects.filter(pk__in=[pk for ids in refused.values() for pk in ids]).values_list(
            "pk", "name"
        )
    )
    return {reason: [names[pk] for pk in ids] for reason, ids in refused.items()}
