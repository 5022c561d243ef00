"""The confirmations before anything happens: a dialog for one row, a page for many."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.dataclasses import ActionDialog
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

NAMES_SHOWN = 12


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
) -> dict[str, Any] | TemplateResponse:
    """Return the confirmed form's values, or the page that asks for them."""
    form = form_class(request.POST if "confirmed" in request.POST else None)
    if form.is_valid():
        return form.cleaned_data
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "media": model_admin.media,
        "title": title,
        "says": says,
        "button": submit,
        "form": form,
        "n_people": people.count(),
        "names": [str(name) for name in people.values_list("name", flat=True)[:NAMES_SHOWN]],
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "action": request.POST.get("action", ""),
        "select_across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "outreach/confirm.html", context)


def say_done(request: HttpRequest, n_people: int, done: str) -> None:
    """Tell how many people something was done to."""
    who = "1 person" if n_people == 1 else f"{n_people} people"
    messages.success(request, f"{who} {done}.") if n_people else messages.warning(
        request, f"Nobody was {done}."
    )
