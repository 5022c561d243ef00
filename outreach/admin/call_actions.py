"""What an operator does with a call: end it, never call again, correct it, make a test of it."""

# Django and unfold dictate signatures with arguments that not every method needs.
# ruff: noqa: ARG002

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from outreach.admin.base import go_to
from outreach.admin.dialogs import ReasonForm, dialog
from outreach.desk.badges import words_of
from outreach.domain.call_status import TERMINAL, CallStatus
from outreach.domain.disposition import Disposition
from outreach.integrations import livekit, twilio
from outreach.models import AccessKind, Call, SuppressionSource
from outreach.services import correcting, dialing
from outreach.services.accesses import note_access, note_look
from outreach.services.scenarios import NoScenario, scenario_of
from outreach.services.suppressing import suppress

_OUTCOMES = [(outcome.value, words_of(outcome.value)) for outcome in Disposition]


class CorrectForm(BaseDialogForm):
    """What the call achieved, which turn shows it, and why that is known better."""

    disposition = forms.ChoiceField(label="Outcome", choices=_OUTCOMES, widget=UnfoldAdminRadioSelectWidget())
    evidence_seq = forms.IntegerField(
        label="Turn that shows it",
        min_value=1,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 1}),
        help_text="Its number in the conversation; empty: no single turn does.",
    )
    reason = forms.CharField(label="Reason", max_length=80, widget=UnfoldAdminTextInputWidget())


class CallActions:
    """The buttons of a call's page; each is a POST behind a question."""

    actions_detail = (
        "hang_up",
        {
            "title": "More",
            "icon": "more_horiz",
            "items": ["correct_outcome", "make_scenario", "never_again"],
        },
    )

    def has_correct_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may correct what was detected in a call."""
        return request.user.has_perm("outreach.change_call")

    def has_export_words_permission(self, request: HttpRequest, _row: Any = None) -> bool:
        """Tell whether the operator may take words out of here."""
        return request.user.has_perms(["outreach.read_transcript", "outreach.export_people"])

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses that are no button of unfold's."""
        view = self.admin_site.admin_view  # type: ignore[attr-defined]
        return [
            path("<uuid:call_id>/judge/", view(self.judge), name="outreach_call_judge"),
            path("<uuid:call_id>/scenario/", view(self.scenario), name="outreach_call_scenario"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Return the buttons that fit: what is over cannot be hung up, what goes on cannot be corrected."""
        buttons = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        call_id = _uuid(str(object_id))
        facts = Call.objects.only("status", "settled_at", "channel")
        call = facts.filter(pk=call_id).first() if call_id else None
        unfit = set() if call is None else _unfit(call)
        return [one for one in buttons if one.action_name.removeprefix("outreach_call_") not in unfit]

    @action(
        description="Hang up now",
        url_path="hang-up",
        permissions=["hang_up"],
        icon="call_end",
        variant=ActionVariant.DANGER,
        dialog=dialog("Hang up now?", "The call ends at once, in the middle of whatever is said.", "Hang up"),
    )
    def hang_up(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        call = _call(object_id)
        dialing.hang_up(
            call_id=call.pk, telephony=twilio.telephony(), rooms=livekit.rooms(), by_operator=True
        )
        whom = "the carrier" if call.rings else "LiveKit"
        messages.success(request, f"Asked {whom} to end the call.")
        return go_to(request, _page_of(call))

    @action(
        description="Never call again",
        url_path="never-again",
        permissions=["suppress"],
        icon="phone_disabled",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            "Never call this number again?",
            "In no campaign, for ever. A call in progress goes on: hang up, too, if it must end.",
            "Never call again",
            ReasonForm,
        ),
    )
    def never_again(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        call, by = _call(object_id), request.user.get_username()
        if not call.is_phone_call:
            messages.error(request, "Nobody was called here, so there is no number to leave alone.")
            return go_to(request, _page_of(call))
        suppress(
            number=call.number,
            source=SuppressionSource.OPERATOR,
            reason=form.cleaned_data["reason"],
            call=call,
            by=by,
        )
        messages.success(request, "The number is never called again.")
        return go_to(request, _page_of(call))

    @action(
        description="Correct the outcome",
        url_path="correct",
        permissions=["correct"],
        icon="edit_note",
        dialog=dialog(
            "Correct the outcome?",
            "Who, when and why is kept. The person follows, but nobody is called again or taken off "
            "“never call” by it: release them, or remove the number there.",
            "Correct",
            CorrectForm,
        ),
    )
    def correct_outcome(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        call, given = _call(object_id), form.cleaned_data
        try:
            corrected = correcting.correct_disposition(
                call_id=call.pk,
                disposition=Disposition(given["disposition"]),
                evidence_seq=given["evidence_seq"],
                by=request.user.get_username(),
                reason=given["reason"],
            )
        except correcting.CannotCorrect as refusal:
            messages.error(request, f"Nothing was changed. {refusal}")
        else:
            messages.success(request, f"The outcome is corrected. {corrected.person}")
        return go_to(request, _page_of(call))

    @action(
        description="Make a test of it",
        url_path="make-scenario",
        permissions=["export_words"],
        icon="science",
    )
    def make_scenario(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return go_to(request, reverse("admin:outreach_call_scenario", args=[_call(object_id).pk]))

    def judge(self, request: HttpRequest, call_id: UUID) -> HttpResponse:
        """Note whether a person or a machine picked up."""
        if request.method != "POST" or not self.has_correct_permission(request):
            raise PermissionDenied
        call = _call(str(call_id))
        try:
            correcting.judge_answered_by(
                call_id=call.pk, person=request.POST.get("was") == "person", by=request.user.get_username()
            )
        except correcting.CannotCorrect as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "Noted: it keeps score of the detector.")
        return go_to(request, _page_of(call))

    def scenario(self, request: HttpRequest, call_id: UUID) -> HttpResponse:
        """Show the scenario that a call makes, or send it as a file."""
        if not self.has_export_words_permission(request):
            raise PermissionDenied
        call = _call(str(call_id))
        try:
            made = scenario_of(call)
        except NoScenario as refusal:
            messages.error(request, f"No test can be made of this call. {refusal}")
            return go_to(request, _page_of(call))
        if request.method == "POST":
            note_access(user=request.user, kind=AccessKind.EXPORT, what=f"scenario of call {call.pk}")
            headers = {"Content-Disposition": f'attachment; filename="{made.file_name}"'}
            return HttpResponse(made.text, content_type="application/json", headers=headers)
        note_look(user=request.user, call_id=call.pk, n_turns=call.turns.count())
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": Call._meta,
            "media": self.media["css"],  # type: ignore[attr-defined]
            "title": "A test made of this call",
            "call": call,
            "made": made,
        }
        return TemplateResponse(request, "outreach/call_scenario.html", context)


def _unfit(call: Call) -> set[str]:
    unfit = set()
    if CallStatus(call.status) in TERMINAL:
        unfit.add("hang_up")
    if call.settled_at is None:
        unfit |= {"correct_outcome", "make_scenario"}
    if not call.is_phone_call:
        unfit.add("never_again")
    return unfit


def _uuid(object_id: str) -> UUID | None:
    try:
        return UUID(object_id)
    except ValueError:
        return None


def _call(object_id: str) -> Call:
    """Return the call of an address.

    :raises Http404: when there is none.
    """
    call_id = _uuid(object_id)
    related = Call.objects.select_related("facilitator", "campaign", "script")
    call = related.filter(pk=call_id).first() if call_id else None
    if call is None:
        raise Http404
    return call


def _page_of(call: Call) -> str:
    return reverse("admin:outreach_call_change", args=[call.pk])
