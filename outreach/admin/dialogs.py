"""The confirmations before anything happens: a dialog for one row, a page for many."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.dataclasses import ActionDialog
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from outreach.models import Campaign, CampaignState
from outreach.services.attending import Outcome

NAMES_SHOWN = 12
MOST = 100_000
"""People that one action changes; of more, the list is to be narrowed first."""


class ConfirmForm(BaseDialogForm):
    """Nothing but "yes"."""


class ReasonForm(BaseDialogForm):
    """Yes, and why."""

    reason = forms.CharField(
        label="Reason", max_length=200, widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True})
    )


class ManyForm(forms.Form):
    """Yes, for everybody who is selected."""


class ManyReasonForm(ManyForm):
    """Yes, for everybody who is selected, and why."""

    reason = forms.CharField(label="Reason", max_length=200, widget=UnfoldAdminTextInputWidget())


class ManyPriorityForm(ManyForm):
    """The priority for everybody who is selected."""

    priority = forms.IntegerField(
        min_value=1,
        max_value=9,
        help_text="1 is called first, 9 last.",
        widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "max": 9}),
    )


class MomentField(forms.CharField):
    """A day and a time without a zone."""

    widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})

    def clean(self, value: Any) -> Any:
        """Return the moment, naive."""
        try:
            return datetime.fromisoformat(super().clean(value)).replace(tzinfo=None)
        except ValueError as exc:
            raise forms.ValidationError("Give a day and a time, such as 2026-03-03 14:30.") from exc


class PromiseFields(forms.Form):
    """When somebody is to be called, on whose clock, and by whom."""

    at = MomentField(label="Call back at")
    clock = forms.ChoiceField(
        label="On whose clock",
        choices=[("theirs", "Theirs"), ("mine", "Mine")],
        initial="theirs",
        widget=UnfoldAdminRadioSelectWidget(),
    )
    by = forms.ChoiceField(
        label="Who calls",
        choices=[("alex", "Alex"), ("human", "A person")],
        initial="alex",
        widget=UnfoldAdminRadioSelectWidget(),
    )
    reason = forms.CharField(
        label="What it is about",
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
    )


class PromiseForm(PromiseFields, BaseDialogForm):
    """A promise to one person."""


class ManyPromiseForm(PromiseFields, ManyForm):
    """The same promise to everybody who is selected."""


class AttemptsFields(forms.Form):
    """How many attempts more."""

    n_attempts = forms.IntegerField(
        label="More attempts",
        min_value=1,
        max_value=10,
        initial=1,
        help_text="The caps by day and month hold all the same.",
        widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "max": 10}),
    )


class AttemptsForm(AttemptsFields, BaseDialogForm):
    """More attempts for one person."""


class ManyAttemptsForm(AttemptsFields, ManyForm):
    """More attempts for everybody who is selected."""


class CloseFields(forms.Form):
    """What became of somebody, and how we know."""

    outcome = forms.ChoiceField(
        label="What became of them",
        choices=[
            (Outcome.NOT_INTERESTED.value, "They are not interested"),
            (Outcome.INTERESTED.value, "They are interested: onto the work list, by their last call"),
            (Outcome.GIVEN_UP.value, "We give up"),
        ],
        initial=Outcome.NOT_INTERESTED.value,
        widget=UnfoldAdminRadioSelectWidget(),
    )
    reason = forms.CharField(label="Reason", max_length=200, widget=UnfoldAdminTextInputWidget())


class CloseForm(CloseFields, BaseDialogForm):
    """What became of one person."""


class ManyCloseForm(CloseFields, ManyForm):
    """What became of everybody who is selected."""


class ManyMoveForm(ManyForm):
    """The campaign that everybody who is selected goes to."""

    campaign = forms.ModelChoiceField(
        queryset=Campaign.objects.exclude(state=CampaignState.FINISHED).order_by("name"),
        empty_label="Choose a campaign",
        widget=UnfoldAdminSelectWidget(),
    )


def dialog(
    title: str, description: str, submit: str, form_class: type[BaseDialogForm] = ConfirmForm
) -> ActionDialog:
    """Return what unfold needs to ask before an action."""
    return {
        "title": title,
        "description": description,
        "form_class": form_class,
        "form_submit_text": submit,
    }


def confirm_many(
    model_admin: Any,
    request: HttpRequest,
    people: QuerySet[Any],
    *,
    title: str,
    says: str,
    submit: str,
    form_class: type[ManyForm] = ManyForm,
    most: int = MOST,
) -> dict[str, Any] | TemplateResponse | None:
    """Return the confirmed form's values, or the page that asks for them.

    None when more than `most` people are selected, which the next page says.
    """
    n_people = people.order_by()[: most + 1].count()
    if n_people > most:
        messages.error(request, f"These are more than {most:,} people: narrow the list, or select fewer.")
        return None
    form = form_class(request.POST if "confirmed" in request.POST else None)
    if form.is_valid():
        return form.cleaned_data
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media["css"],
        "title": title,
        "says": says,
        "button": submit,
        "form": form,
        "n_people": n_people,
        "names": [str(name) for name in people.values_list("name", flat=True)[:NAMES_SHOWN]],
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "action": request.POST.get("action", ""),
        "select_across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "outreach/confirm.html", context)
